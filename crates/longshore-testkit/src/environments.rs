//! Surroundings in which the official CLI and longshore must find the same engine.
//!
//! One table serves three tests: that longshore decides as it says, that the official CLI really decides so, and that the
//! README tells it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use longshore::Environment;

use crate::{Folder, program};

/// Stands for the address of an engine, in what follows.
const ENGINE: &str = "{engine}";

/// What stands for the address of the engine in the README.
const SHOWN: &str = "unix:///run/engine.sock";

/// Stands for the user's home.
const HOME: &str = "{home}";

/// A name that no file could have.
const ODD: &str = "été/.. \"x\"";

/// The contexts that every environment has: their names, the folders that these have in the official CLI's store, and
/// what they say of their engine.
const CONTEXTS: [(&str, &str, &str); 4] = [
    ("work", "00e13ed7af55b27622f1d6eab5bec0147e68efe28dc2b12461117afa1a5ed40e", r#""Host":"{engine}""#),
    (
        "remote",
        "b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a",
        r#""Host":"ssh://build@example.com""#,
    ),
    (
        "secure",
        "6a934b45144e3758911efa29ed68fb2d420fa7bd568739cdcda9251fa9609b1e",
        r#""Host":"tcp://10.0.0.7:2376","SkipTLSVerify":true"#,
    ),
    (ODD, "6d41d3601ba8db1662f3326220aef5ce72233259e64b9b91ed030ba6d492e93d", r#""Host":"tcp://10.0.0.8:2375""#),
];

/// Surroundings, and what is chosen in them.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    variables: &'static [(&'static str, &'static str)],
    /// Files, by their path in the user's home.
    files: &'static [(&'static str, &'static str)],
    context: &'static str,
    address: Option<&'static str>,
}

const CONFIG: &str = ".docker/config.json";
const WORK: (&str, &str) = (CONFIG, r#"{"currentContext":"work"}"#);
const DEFAULT: &str = "unix:///var/run/docker.sock";

/// What the README has a table of.
pub const SETTINGS: [Setting; 20] = [
    setting(&[], &[], "default", DEFAULT),
    setting(&[("DOCKER_HOST", ENGINE)], &[], "default", ENGINE),
    setting(&[("DOCKER_HOST", "")], &[], "default", DEFAULT),
    setting(&[("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "remote")], &[], "remote", "ssh://build@example.com"),
    setting(&[("DOCKER_HOST", " ")], &[WORK], "default", DEFAULT),
    setting(&[("DOCKER_HOST", "tcp://10.0.0.9")], &[], "default", "tcp://10.0.0.9:2375"),
    setting(&[("DOCKER_HOST", ":4000")], &[], "default", "tcp://localhost:4000"),
    setting(&[("DOCKER_HOST", "ssh://jo@10.0.0.9:2222")], &[], "default", "ssh://jo@10.0.0.9:2222"),
    setting(&[("DOCKER_HOST", ENGINE), ("DOCKER_CONTEXT", "remote")], &[], "default", ENGINE),
    setting(&[("DOCKER_HOST", "tcp://10.0.0.9:2375")], &[WORK], "default", "tcp://10.0.0.9:2375"),
    setting(&[("DOCKER_CONTEXT", "work")], &[], "work", ENGINE),
    setting(&[("DOCKER_CONTEXT", "secure")], &[WORK], "secure", "tcp://10.0.0.7:2376"),
    setting(&[("DOCKER_CONTEXT", ODD)], &[], ODD, "tcp://10.0.0.8:2375"),
    setting(&[("DOCKER_CONTEXT", "default")], &[WORK], "default", DEFAULT),
    setting(&[("DOCKER_CONTEXT", "")], &[WORK], "work", ENGINE),
    Setting { variables: &[("DOCKER_CONTEXT", "gone")], files: &[WORK], context: "gone", address: None },
    setting(&[], &[WORK], "work", ENGINE),
    setting(&[], &[(CONFIG, r#"{"currentContext":"default"}"#)], "default", DEFAULT),
    setting(
        &[("DOCKER_CONFIG", "{home}/other")],
        &[(CONFIG, r#"{"currentContext":"remote"}"#), ("other/config.json", r#"{"currentContext":"work"}"#)],
        "work",
        ENGINE,
    ),
    setting(&[("DOCKER_CONFIG", "{home}/none")], &[WORK], "default", DEFAULT),
];

const fn setting(
    variables: &'static [(&'static str, &'static str)],
    files: &'static [(&'static str, &'static str)],
    context: &'static str,
    address: &'static str,
) -> Setting {
    Setting { variables, files, context, address: Some(address) }
}

impl Setting {
    /// Makes the home of a user who has set things up so, with an engine at `engine`.
    ///
    /// # Panics
    /// When that can't be written.
    pub fn home(&self, engine: &str) -> Folder {
        let home = Folder::new();
        for folder in [".docker", "other"] {
            for (name, id, endpoint) in CONTEXTS {
                let endpoint = endpoint.replace(ENGINE, engine);
                let name = name.replace('"', "\\\"");
                let meta = format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{{endpoint}}}}}}}"#);
                home.write(format!("{folder}/contexts/meta/{id}/meta.json"), meta);
            }
        }
        for (path, content) in self.files {
            home.write(path, content);
        }
        home
    }

    /// The variables of that user, and nothing else.
    pub fn variables(&self, home: &Path, engine: &str) -> Vec<(&'static str, String)> {
        let home = home.display().to_string();
        let filled = |text: &str| text.replace(HOME, &home).replace(ENGINE, engine);
        let set = self.variables.iter().map(|(name, value)| (*name, filled(value)));
        set.chain([("HOME", home.clone())]).collect()
    }

    /// The same as a value.
    pub fn environment(&self, home: &Path, engine: &str) -> Environment {
        let variables = self.variables(home, engine);
        variables
            .into_iter()
            .fold(Environment::default(), |environment, (name, value)| environment.variable(name, value))
    }

    /// The context in use, as `docker context show` prints it.
    pub fn context(&self) -> &'static str {
        self.context
    }

    /// The address of the engine that is chosen, where it is not refused to choose one.
    pub fn address(&self, engine: &str) -> Option<String> {
        self.address.map(|address| address.replace(ENGINE, engine))
    }

    /// Whether the engine that is chosen is the one that was given.
    pub fn is_the_engine(&self) -> bool {
        self.address == Some(ENGINE)
    }
}

/// The official CLI to compare with: that of `LONGSHORE_TEST_CLI`, else the one that `cargo xtask engine program cli`
/// installs.
///
/// # Errors
/// When there is none, and none can be had.
pub fn official_cli() -> Result<PathBuf, String> {
    program::find("cli")
}

/// The table of the README.
pub fn table() -> String {
    let mut table = "| variables | files | context | engine that both choose |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let shown = |text: &str| text.replace(HOME, "~").replace(ENGINE, SHOWN);
        let variables =
            setting.variables.iter().map(|(name, value)| match value.trim().is_empty() || value.contains(' ') {
                true => format!("`{name}='{}'`", shown(value)),
                false => format!("`{name}={}`", shown(value)),
            });
        let files = setting.files.iter().map(|(path, content)| format!("`~/{path}`: `{content}`"));
        let [variables, files] = [variables.collect::<Vec<_>>(), files.collect()].map(|cell| cell.join("<br>"));
        let address = setting.address.map_or("an error".to_owned(), |address| format!("`{}`", shown(address)));
        let context = setting.context;
        writeln!(table, "| {variables} | {files} | `{context}` | {address} |").expect("memory takes everything");
    }
    table
}
