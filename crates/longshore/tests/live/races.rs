//! What an engine does wrong now and then, by races of its own: the tests that it ends are run again.

use longshore_testkit::live::LiveEngine;

/// How often a test is run that an engine's own races end.
pub(crate) const ATTEMPTS: usize = 3;

/// A race inside an engine, which is known by what the engine says of it.
pub(crate) struct Race {
    /// A part of the engine's message.
    message: &'static str,
    /// What happens inside the engine.
    reason: &'static str,
}

const OF_PODMAN: &[Race] = &[
    Race {
        message: "route ip+net: no such network interface",
        reason: "Podman 4 looks for a free subnet among the addresses of all interfaces, and fails if one goes meanwhile",
    },
    Race {
        message: "mounting storage",
        reason: "Podman 4 clears up after a container some time after its end, and a start then finds no filesystem",
    },
];

/// Why a test that failed so on this engine is to be run again, if it is.
pub(crate) fn why_again(engine: &LiveEngine, failure: &str) -> Option<&'static str> {
    let known = OF_PODMAN.iter().find(|race| engine.is_podman() && failure.contains(race.message))?;
    Some(known.reason)
}
