//! What engines can't do: the tests that they must refuse.

use std::fmt;

use longshore::{ApiVersion, ErrorKind};
use longshore_testkit::live::LiveEngine;

use crate::harness::Outcome;

/// A test that some engines can't pass.
///
/// It is run on them all the same and must end with the error told here, so that an exception does not outlive its
/// reason.
pub(crate) struct Exception {
    /// Which engines.
    engines: Engines,
    /// The test, as `topic::what_holds`, or several: a whole topic, as `topic::`, or what stands for a `*`.
    test: &'static str,
    /// What they can't do.
    reason: &'static str,
    /// How they refuse it.
    kind: ErrorKind,
}

enum Engines {
    All,
    Podman,
    Below(ApiVersion),
}

const HAPROXY_DROPS_UPGRADES: &str =
    "HAProxy drops the upgrade of a request that has a body, and the start of an exec has one";

const SIGNALS: &str = "engines below API 1.42 read over the signal, so that longshore does not send it";

/// All exceptions.
pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        engines: Engines::Podman,
        test: "attach::logs_come_first_on_demand",
        reason: "Podman 4 leaves the line breaks of logs out of its frames, so that what follows can't be told apart",
        kind: ErrorKind::Protocol,
    },
    Exception {
        engines: Engines::Podman,
        test: "attach::logs_alone_end_by_themselves",
        reason: "Podman 4 leaves the line breaks of logs out of its frames",
        kind: ErrorKind::Truncated,
    },
    Exception {
        engines: Engines::All,
        test: "conformance::http_proxy::an_exec_gives_back_64_mib_of_input",
        reason: HAPROXY_DROPS_UPGRADES,
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::All,
        test: "conformance::http_proxy::an_exec_takes_input_and_its_end",
        reason: HAPROXY_DROPS_UPGRADES,
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "conformance::*::a_websocket_takes_input",
        reason: "Podman has no WebSockets",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "ready::health_is_waited_for",
        reason: "Podman runs health checks by timers of systemd, which the engine of the tests does not have",
        kind: ErrorKind::Timeout,
    },
    Exception {
        engines: Engines::Podman,
        test: "health::a_check_of_the_image_can_be_switched_off",
        reason: "Podman can't give an image a health check by a commit",
        kind: ErrorKind::Server,
    },
    Exception {
        engines: Engines::Podman,
        test: "logs::the_local_driver_can_be_read",
        reason: "Podman has no such log driver",
        kind: ErrorKind::Invalid,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 42)),
        test: "lifecycle::stop_asks_with_the_signal_that_it_is_told",
        reason: SIGNALS,
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 42)),
        test: "lifecycle::restart_takes_a_signal",
        reason: SIGNALS,
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 42)),
        test: "exec::a_terminal_may_have_its_size_from_the_start",
        reason: "a console size came with API 1.42",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 42)),
        test: "websocket::one_stream_can_be_left_out",
        reason: "engines below API 1.42 read over the choice of streams",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 42)),
        test: "system::disk_usage_can_be_of_some_kinds",
        reason: "engines below API 1.42 read over the kinds of a disk usage",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 42)),
        test: "images::a_list_measures_what_is_shared",
        reason: "engines below API 1.42 do not measure what images share",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 47)),
        test: "images::a_list_tells_manifests",
        reason: "the manifests of images came with API 1.47",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 54)),
        test: "images::a_list_tells_identities",
        reason: "the identity of images came with API 1.54",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 48)),
        test: "images::inspect_tells_manifests",
        reason: "the manifests of an image came with API 1.48",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 49)),
        test: "images::inspect_tells_of_a_platform",
        reason: "engines below API 1.49 read over the platform",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 50)),
        test: "images::an_image_is_removed_by_platform",
        reason: "engines below API 1.50 would remove all platforms",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 48)),
        test: "images::the_history_of_a_platform_can_be_asked_for",
        reason: "engines below API 1.48 read over the platform",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 48)),
        test: "save::the_platform_can_be_chosen",
        reason: "engines below API 1.48 read over the platform",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 48)),
        test: "save::a_platform_that_the_image_does_not_have_is_not_saved",
        reason: "engines below API 1.48 read over the platform",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Below(ApiVersion::new(1, 55)),
        test: "images::attestations_are_told",
        reason: "attestations came with API 1.55",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "images::images_with_a_name_are_pruned_on_demand",
        reason: "Podman 4 prunes only images without a name through this API",
        kind: ErrorKind::Server,
    },
    Exception {
        engines: Engines::Podman,
        test: "build::commands_have_their_limits",
        reason: "Podman wants limits for a build in another form",
        kind: ErrorKind::Invalid,
    },
    Exception {
        engines: Engines::Podman,
        test: "build::hosts_are_known_to_commands",
        reason: "Podman wants hosts for a build in another form",
        kind: ErrorKind::Invalid,
    },
    Exception {
        engines: Engines::Podman,
        test: "build::a_remote_context_is_got_by_the_engine",
        reason: "Podman 4 reads over the address, and finds no Dockerfile in an empty context",
        kind: ErrorKind::InStream,
    },
    Exception {
        engines: Engines::Podman,
        test: "build::a_build_is_cancelled_by_its_id",
        reason: "Podman has no such operation",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "grpc::",
        reason: "Podman has neither sessions nor gRPC",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "build::the_cache_of_builds_can_be_removed",
        reason: "Podman has no such cache",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "build::an_unknown_filter_of_the_cache_is_refused",
        reason: "Podman has no such cache",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "credentials::an_image_is_looked_up_with_them",
        reason: "Podman can't ask a registry for an image without pulling it",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "registry::an_image_is_looked_up_where_it_is",
        reason: "Podman can't ask a registry for an image without pulling it",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "plugins::",
        reason: "Podman has no plugins of this kind",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "update::",
        reason: "Podman 4 can't change limits",
        kind: ErrorKind::Unsupported,
    },
    Exception {
        engines: Engines::Podman,
        test: "websocket::",
        reason: "Podman has no WebSockets",
        kind: ErrorKind::Unsupported,
    },
];

impl Exception {
    pub(crate) fn concerns(&self, engine: &LiveEngine, test: &str) -> bool {
        self.is_of(engine) && self.names(test)
    }

    pub(crate) fn is_of(&self, engine: &LiveEngine) -> bool {
        match self.engines {
            Engines::All => true,
            Engines::Podman => engine.is_podman(),
            Engines::Below(version) => engine.api() < version,
        }
    }

    pub(crate) fn names(&self, test: &str) -> bool {
        match self.test.split_once('*') {
            Some((before, after)) => test.starts_with(before) && test.ends_with(after),
            None => test == self.test || (self.test.ends_with("::") && test.starts_with(self.test)),
        }
    }

    /// Passes a test that the engine refused as told.
    pub(crate) fn check(&self, outcome: Outcome) -> Result<(), String> {
        let Err(error) = outcome else {
            return Err(format!("it passes now, so that this exception has no reason any more: {self}"));
        };
        match error.downcast_ref::<longshore::Error>() {
            Some(error) if error.kind() == self.kind => Ok(()),
            _ => Err(format!("it was to be refused with {:?} ({self}), but: {error}", self.kind)),
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.test, self.reason)
    }
}
