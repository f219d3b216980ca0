use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use longshore_wire::endpoint::Endpoint;

use super::ConfigFile;
use crate::error::{ErrorKind, Operation, Result};

/// Where an engine listens unless something else is said.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The variables that decide anything.
const VARIABLES: [&str; 11] = [
    "DOCKER_API_VERSION",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "HOME",
    "PATH",
    "XDG_RUNTIME_DIR",
];

/// The settings of the surroundings that decide which engine is meant, and where credentials for registries are.
///
/// They are a value, not the process's own, so that a program can ask what would be chosen elsewhere and tests need no
/// locks.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The settings of this process.
    pub fn current() -> Self {
        let read = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        Environment { variables: VARIABLES.into_iter().filter_map(read).collect() }
    }

    /// Sets a variable, such as `DOCKER_HOST`.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Tells which engine is meant: the one that `DOCKER_HOST` names, else the one at `/var/run/docker.sock`.
    pub(crate) fn endpoint(&self) -> Result<Endpoint> {
        match self.get("DOCKER_HOST") {
            Some(host) => parse(host, "DOCKER_HOST"),
            None => Ok(Endpoint::Unix(PathBuf::from(DEFAULT_SOCKET))),
        }
    }

    /// The official CLI's folder: `DOCKER_CONFIG`, else `.docker` of the user's home; `None` without a home.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.get("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(PathBuf::from(self.get("HOME")?).join(".docker")))
    }

    /// The official CLI's `config.json`, as it is now.
    pub(crate) fn config_file(&self) -> Result<ConfigFile> {
        self.folder().map_or_else(|| Ok(ConfigFile::default()), |folder| ConfigFile::read(&folder.join("config.json")))
    }

    /// Whether nothing is set at all.
    pub(super) fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// All variables, as they are set.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.variables.iter()
    }

    /// A variable that says something.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    // Only of these it is known that they hold no secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_open = |name: &str| VARIABLES.contains(&name) && name != "DOCKER_AUTH_CONFIG";
        let shown = |(name, value)| (name, if is_open(name) { value } else { "[hidden]" });
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        formatter.debug_map().entries(variables.map(shown)).finish()
    }
}

/// Reads an address of an engine; `origin` says in an error where the address was found.
pub(crate) fn parse(host: &str, origin: &str) -> Result<Endpoint> {
    host.parse().map_err(|error| {
        let message = format!("{origin} is not an address of an engine: {error}");
        Operation::new("connect").error_from(ErrorKind::Config, message, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_what_holds_no_secret() {
        let environment = Environment::default()
            .variable("DOCKER_HOST", "unix:///run/a.sock")
            .variable("DOCKER_AUTH_CONFIG", "s3cret")
            .variable("TOKEN", "s3cret");
        let shown = format!("{environment:?}");
        assert!(shown.contains("unix:///run/a.sock") && shown.contains("\"TOKEN\""), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn docker_host_decides_and_the_usual_socket_stands_in() {
        let endpoint = |host: &str| Environment::default().variable("DOCKER_HOST", host).endpoint();
        assert_eq!(endpoint("unix:///run/a.sock").unwrap(), Endpoint::Unix("/run/a.sock".into()));
        assert_eq!(endpoint("  ").unwrap(), Endpoint::Unix(DEFAULT_SOCKET.into()));
        assert_eq!(Environment::default().endpoint().unwrap(), Endpoint::Unix(DEFAULT_SOCKET.into()));
        let error = endpoint("gopher://x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().starts_with("connect: DOCKER_HOST is not an address of an engine: "), "{error}");
    }
}
