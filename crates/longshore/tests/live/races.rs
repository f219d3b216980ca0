//! What an engine does wrong now and then, by races of its own: the tests that it ends are run again.

use longshore_testkit::live::LiveEngine;

/// How often a test is run that an engine's own races end.
pub(crate) const ATTEMPTS: usize = 3;

/// A race inside an engine, which is known by what the engine says of it.
struct Race {
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
    Race {
        message: "failed to convert ImageData to ImageInspect",
        reason: "Podman 4 reads all images to tell the parent of one, and fails if another goes meanwhile",
    },
];

const OF_DOCKER: &[Race] = &[
    Race {
        message: "certificates: directory not empty",
        reason: "Docker still writes the keys of its swarm anew, while it removes them to leave it",
    },
    Race {
        message: "Swarm is encrypted and needs to be unlocked",
        reason: "Docker left keys behind of the swarm that it left before",
    },
];

/// Why a test that failed so on this engine is to be run again, if it is: for a race that is known, or for an answer
/// that says that the engine itself failed. A hang, or an assertion that does not hold, is not.
pub(crate) fn why_again(engine: &LiveEngine, failure: &str) -> Option<String> {
    let known = if engine.is_podman() { OF_PODMAN } else { OF_DOCKER };
    if let Some(race) = known.iter().find(|race| failure.contains(race.message)) {
        return Some(race.reason.to_owned());
    }
    let message = failure.lines().next()?;
    let is_answer = message.ends_with("(500)") && !message.starts_with("panicked");
    is_answer.then(|| format!("the engine failed: {message}"))
}
