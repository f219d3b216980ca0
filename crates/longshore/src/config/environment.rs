use std::fmt;
use std::path::{Path, PathBuf};

use longshore_models::SortedMap;
use longshore_wire::version::ApiVersion;

use super::ConfigFile;
use crate::error::{ErrorKind, Operation, Result};

/// The variables that decide anything.
const VARIABLES: [&str; 14] = [
    "COLIMA_HOME",
    "DOCKER_API_VERSION",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CUSTOM_HEADERS",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "HOME",
    "PATH",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
];

/// The settings of the surroundings that decide which engine is meant, and where credentials for registries are.
///
/// They are a value, not the process's own, so that a program can ask what would be chosen elsewhere and tests need no
/// locks.
///
/// ```
/// use longshore::Environment;
///
/// let environment = Environment::default().variable("DOCKER_HOST", "tcp://10.0.0.7:2375");
/// let endpoint = environment.endpoint()?;
/// assert_eq!(endpoint.address(), "tcp://10.0.0.7:2375");
/// assert_eq!(endpoint.to_string(), "tcp://10.0.0.7:2375, as DOCKER_HOST says");
/// # Ok::<(), longshore::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    variables: SortedMap<String, String>,
    root: Option<PathBuf>,
}

impl Environment {
    /// The settings of this process. Where `HOME` is not set, it is the home of the user that the process runs as.
    pub fn current() -> Self {
        // What is no text can name nothing that exists, but must not be taken for unset either.
        let read = |name: &str| Some((name.to_owned(), std::env::var_os(name)?.to_string_lossy().into_owned()));
        let mut variables: SortedMap<_, _> = VARIABLES.into_iter().filter_map(read).collect();
        if (cfg!(windows) || !variables.contains_key("HOME"))
            && let Some(home) = std::env::home_dir()
        {
            variables.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        }
        Environment { variables, root: None }
    }

    /// Sets a variable, such as `DOCKER_HOST`. One that is set to nothing is as one that is not set.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Looks below this folder for the sockets whose places no variable and no file decides, such as
    /// `/var/run/docker.sock`. Nothing else is moved: not the user's home, and no path that a variable, a file or the
    /// program names.
    #[must_use]
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// The official CLI's folder: `DOCKER_CONFIG`, else `.docker` of the user's home; `None` without a home.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.path("DOCKER_CONFIG").or_else(|| Some(self.path("HOME")?.join(".docker")))
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

    /// The version of the API to speak, as `DOCKER_API_VERSION` says.
    pub(crate) fn api_version(&self) -> Result<Option<ApiVersion>> {
        let Some(text) = self.get("DOCKER_API_VERSION").filter(|text| *text != "v") else { return Ok(None) };
        text.parse().map(Some).map_err(|error| {
            Operation::new("connect").error_from(ErrorKind::Config, format!("DOCKER_API_VERSION: {error}"), error)
        })
    }

    /// A variable as it is, unless it is empty. Spaces count, as they do for the official CLI.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that says something, without the spaces around it.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A variable that names a file or a folder.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    /// An absolute path of the system, below the root that was set.
    pub(super) fn system_path(&self, path: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => Path::new(path).to_owned(),
        }
    }
}

impl fmt::Debug for Environment {
    // Only of these it is known that they hold no secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = ["DOCKER_AUTH_CONFIG", "DOCKER_CUSTOM_HEADERS"];
        let is_open = |name: &str| VARIABLES.contains(&name) && !secret.contains(&name);
        let shown = |(name, value)| (name, if is_open(name) { value } else { "[hidden]" });
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        formatter.debug_map().entries(variables.map(shown)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_what_holds_no_secret() {
        let environment = Environment::default()
            .variable("DOCKER_HOST", "unix:///run/a.sock")
            .variable("DOCKER_AUTH_CONFIG", "s3cret")
            .variable("DOCKER_CUSTOM_HEADERS", "X-Token=s3cret")
            .variable("TOKEN", "s3cret");
        let shown = format!("{environment:?}");
        assert!(shown.contains("unix:///run/a.sock") && shown.contains("\"TOKEN\""), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn the_folder_of_the_configuration_is_where_the_official_cli_looks() {
        let home = Environment::default().variable("HOME", "/home/jo");
        let folder = |environment: &Environment| environment.folder();
        assert_eq!(folder(&home), Some("/home/jo/.docker".into()));
        assert_eq!(folder(&home.clone().variable("DOCKER_CONFIG", "/etc/cli")), Some("/etc/cli".into()));
        assert_eq!(folder(&home.variable("DOCKER_CONFIG", "")), Some("/home/jo/.docker".into()));
        assert_eq!(folder(&Environment::default()), None);
    }

    #[test]
    fn the_version_is_read_as_the_official_cli_reads_it() {
        let read = |text: &str| Environment::default().variable("DOCKER_API_VERSION", text).api_version();
        for (text, version) in [("", None), (" ", None), ("v", None), ("1.41", Some((1, 41))), (" v1.9 ", Some((1, 9)))]
        {
            assert_eq!(read(text).unwrap(), version.map(|(major, minor)| ApiVersion::new(major, minor)), "{text}");
        }
        for text in ["1", "latest", "1.41.0", "vv1.41"] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with("connect: DOCKER_API_VERSION: `"), "{error}");
        }
    }

    #[test]
    fn only_paths_of_the_system_are_moved_below_the_root() {
        let environment = Environment::default().root("/tmp/root");
        assert_eq!(environment.system_path("/var/run/docker.sock"), Path::new("/tmp/root/var/run/docker.sock"));
        assert_eq!(Environment::default().system_path("/run/a"), Path::new("/run/a"));
    }

    #[test]
    fn this_process_has_a_home() {
        assert!(Environment::current().raw("HOME").is_some());
    }
}
