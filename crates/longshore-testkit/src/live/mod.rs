//! Real engines: which there are, what tests make on them, and its removal.
//!
//! Everything that a test makes carries the label [`LABEL`] with the id of the run, so that it is found again however
//! the test ended. Names are made of the id of the run and a number, so that no two tests share one.

mod engine;
mod run;
mod share;

use std::process::{Command, Stdio};

pub use engine::{Ending, LiveEngine, Survival, swarm_of_one};
pub use run::Run;
pub use share::Live;

/// The label of everything that tests make; its value is the id of the run.
pub const LABEL: &str = "longshore.test";

/// The label with the name of the test.
pub const CASE: &str = "longshore.test.case";

/// The image that every engine has.
pub const IMAGE: &str = "busybox:latest";

/// What the names of images that tests make begin with.
const IMAGES: &str = "longshore-test/";

/// What the names of plugins that tests make begin with.
const PLUGINS: &str = "longshore-test-plugin/";

/// The names and addresses of the engines to test with: those that `LONGSHORE_TEST_ENGINES` (a list of `name=host`) or
/// `LONGSHORE_TEST_HOST` (a host, or such a list) names; else `cargo xtask engine up` starts them.
///
/// # Errors
/// When the list is empty, or no engines can be had.
pub fn engines() -> Result<Vec<(String, String)>, String> {
    for variable in ["LONGSHORE_TEST_ENGINES", "LONGSHORE_TEST_HOST"] {
        if let Some(list) = std::env::var(variable).ok().filter(|list| !list.is_empty()) {
            let engines = parse_list(&list);
            return if engines.is_empty() { Err(format!("{variable} names no engine")) } else { Ok(engines) };
        }
    }
    xtask(&["engine", "up"], Stdio::inherit()).map_err(|error| {
        format!("{error}; name an engine of your own instead: LONGSHORE_TEST_HOST=unix:///var/run/docker.sock")
    })?;
    let line = xtask(&["engine", "env"], Stdio::piped())?;
    let list = line.trim().split_once('=').map(|(_, list)| list.trim_matches('\'')).unwrap_or_default();
    match parse_list(list) {
        engines if engines.is_empty() => Err(format!("`cargo xtask engine env` names no engine: {line}")),
        engines => Ok(engines),
    }
}

fn parse_list(list: &str) -> Vec<(String, String)> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let named = |(index, entry): (usize, &str)| match entry.split_once('=') {
        Some((name, host)) if !name.contains(['/', ':']) => (name.to_owned(), host.to_owned()),
        _ => (format!("engine-{}", index + 1), entry.to_owned()),
    };
    entries.enumerate().map(named).collect()
}

pub(crate) fn xtask(arguments: &[&str], stdout: Stdio) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = format!("cargo xtask {}", arguments.join(" "));
    let output = Command::new(cargo)
        .arg("xtask")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{words}` can't be run: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("`{words}` failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_engines_or_only_their_hosts() {
        let pair = |name: &str, host: &str| (name.to_owned(), host.to_owned());
        assert_eq!(
            parse_list("docker-20.10=unix:///a,podman=unix:///b=c"),
            [pair("docker-20.10", "unix:///a"), pair("podman", "unix:///b=c")]
        );
        assert_eq!(parse_list("unix:///a=b"), [pair("engine-1", "unix:///a=b")]);
        assert_eq!(parse_list("tcp://a:1, unix:///b,"), [pair("engine-1", "tcp://a:1"), pair("engine-2", "unix:///b")]);
        assert_eq!(parse_list(" "), []);
    }
}
