//! The engines there are, the other programs that tests need, and the Debian packages that all of them are made of.

use std::fmt;

use clap::ValueEnum;

/// One of the engines that the project is tested with, oldest first; then those that the tests make swarms of, and those
/// that they kill.
///
/// A swarm takes an engine over, so tests of all else are not run on those, nor on those that are killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Engine {
    /// Docker 20.10, of Debian bookworm
    #[value(name = "docker-20.10")]
    Docker20,
    /// Docker 26.1, of Debian trixie
    #[value(name = "docker-26.1")]
    Docker26,
    /// The Docker that Debian unstable has today
    #[value(name = "docker-sid")]
    DockerSid,
    /// Podman 4.3, of Debian bookworm
    #[value(name = "podman")]
    Podman,
    /// One more Docker 20.10, for a swarm
    #[value(name = "swarm-20.10")]
    Swarm20,
    /// One more Docker 26.1, for a swarm
    #[value(name = "swarm-26.1")]
    Swarm26,
    /// One more Docker of Debian unstable, for a swarm
    #[value(name = "swarm-sid")]
    SwarmSid,
    /// One more Docker 26.1, which starts again when it is killed
    #[value(name = "restart-26.1")]
    Restart26,
    /// One more Docker of Debian unstable, which starts again when it is killed
    #[value(name = "restart-sid")]
    RestartSid,
}

/// An unpacked root: what it is called, and the packages of a Debian release that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) name: &'static str,
    pub(crate) suite: &'static str,
    pub(crate) packages: &'static [&'static str],
    /// The program that this machine is to run as one of its own.
    pub(crate) program: Option<&'static str>,
}

/// A program that tests run beside the engines, as any other of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    /// The registry that images are pushed to and pulled from
    Registry,
    /// The proxy that stands before an engine
    Haproxy,
    /// The official CLI, newer than the one in Docker 20.10's root, for which a `DOCKER_HOST` that is set to nothing is set
    Cli,
    /// The helper that keeps credentials in files that GnuPG encrypts, with all that it runs
    Pass,
}

impl Program {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Registry, Self::Haproxy, Self::Cli, Self::Pass];

    /// The variable that tells the tests where it is.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Registry => "LONGSHORE_TEST_REGISTRY",
            Self::Haproxy => "LONGSHORE_TEST_HAPROXY",
            Self::Cli => "LONGSHORE_TEST_CLI",
            Self::Pass => "LONGSHORE_TEST_PASS",
        }
    }

    pub(crate) fn root(self) -> Root {
        let (name, packages, program): (_, &[_], _) = match self {
            Self::Registry => ("registry", &["docker-registry"], "usr/bin/docker-registry"),
            Self::Haproxy => ("haproxy", &["haproxy"], "usr/sbin/haproxy"),
            Self::Cli => ("cli", &["docker-cli"], "usr/bin/docker"),
            Self::Pass => (
                "pass",
                &["golang-docker-credential-helpers", "pass", "gpg", "gpg-agent"],
                "usr/bin/docker-credential-pass",
            ),
        };
        let suite = if self == Self::Cli { "trixie" } else { "bookworm" };
        Root { name, suite, packages, program: Some(program) }
    }
}

/// The machine that the tests reach over ssh: its server, the client to reach it with, and Docker's CLI.
pub(crate) const SSH: Root = Root {
    name: "ssh",
    suite: "trixie",
    packages: &["openssh-server", "openssh-client", "docker-cli", "base-files", "busybox-static"],
    program: None,
};

/// How an engine is started and spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Docker,
    Podman,
}

impl Engine {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Docker20,
        Self::Docker26,
        Self::DockerSid,
        Self::Podman,
        Self::Swarm20,
        Self::Swarm26,
        Self::SwarmSid,
        Self::Restart26,
        Self::RestartSid,
    ];

    /// The name on the command line, of the state folder, and the engine's host name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Docker20 => "docker-20.10",
            Self::Docker26 => "docker-26.1",
            Self::DockerSid => "docker-sid",
            Self::Podman => "podman",
            Self::Swarm20 => "swarm-20.10",
            Self::Swarm26 => "swarm-26.1",
            Self::SwarmSid => "swarm-sid",
            Self::Restart26 => "restart-26.1",
            Self::RestartSid => "restart-sid",
        }
    }

    /// The engine whose root it runs on: itself, or that of the same Docker.
    fn original(self) -> Self {
        match self {
            Self::Swarm20 => Self::Docker20,
            Self::Swarm26 | Self::Restart26 => Self::Docker26,
            Self::SwarmSid | Self::RestartSid => Self::DockerSid,
            Self::Docker20 | Self::Docker26 | Self::DockerSid | Self::Podman => self,
        }
    }

    /// Tells Docker from Podman.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Podman => Kind::Podman,
            _ => Kind::Docker,
        }
    }

    /// Whether the project insists on it. Debian unstable moves, and may be broken on any day.
    pub(crate) fn is_required(self) -> bool {
        self.original() != Self::DockerSid
    }

    /// The root that it runs on.
    pub(crate) fn root(self) -> Root {
        Root { name: self.original().name(), suite: self.suite(), packages: self.packages(), program: None }
    }

    /// The Debian release that has it.
    fn suite(self) -> &'static str {
        match self {
            Self::Docker20 | Self::Swarm20 | Self::Podman => "bookworm",
            Self::Docker26 | Self::Swarm26 | Self::Restart26 => "trixie",
            Self::DockerSid | Self::SwarmSid | Self::RestartSid => "sid",
        }
    }

    /// The packages of its root: the engine, and what it runs. `procps` is for the engine's `top`, which runs `ps`;
    /// `busybox-static` sets up the namespaces and stands in for the rest of a system.
    fn packages(self) -> &'static [&'static str] {
        match self.kind() {
            Kind::Docker => &["docker.io", "iptables", "procps", "xz-utils", "base-files", "busybox-static"],
            Kind::Podman => &[
                "podman",
                "crun",
                "netavark",
                "aardvark-dns",
                "catatonit",
                "iptables",
                "procps",
                "xz-utils",
                "base-files",
                "busybox-static",
            ],
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_command_line_are_the_names() {
        for engine in Engine::ALL {
            assert_eq!(Engine::from_str(engine.name(), false), Ok(engine));
        }
        assert!(Engine::from_str("docker-1.0", false).is_err());
    }

    #[test]
    fn engines_that_share_a_root_are_made_of_the_same() {
        for engine in Engine::ALL {
            let original = engine.original();
            assert_eq!(original.original(), original);
            assert_eq!((original.kind(), original.root()), (engine.kind(), engine.root()), "{engine}");
            assert_eq!(original.is_required(), engine.is_required(), "{engine}");
        }
        assert!(!Engine::SwarmSid.is_required() && Engine::Swarm26.is_required());
    }
}
