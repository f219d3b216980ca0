//! The official command line tool, to do what it does.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The official command line tool.
pub(crate) struct Tool {
    pub(crate) program: PathBuf,
    /// Whether it is older than version 23, where a rule was compared with the folders of a path only if the rules
    /// before it had left the path itself out.
    pub(crate) is_old: bool,
}

impl Tool {
    /// That of an engine that `cargo xtask engine` has installed, and the one on the `PATH` if there is one.
    pub(crate) fn all() -> Vec<Tool> {
        let absolute = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        let installed = cache.map(|cache| cache.join("longshore/roots/docker-20.10/usr/bin/docker"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = std::env::split_paths(&path).map(|folder| folder.join("docker")).find(|program| program.is_file());
        let programs = installed.into_iter().chain(own);
        let tools: Vec<_> = programs.filter_map(Tool::new).collect();
        assert!(!tools.is_empty(), "there is no official tool: `cargo xtask engine up docker-20.10` installs one");
        tools
    }

    fn new(program: PathBuf) -> Option<Tool> {
        let output = Command::new(&program).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let major: u32 = text.strip_prefix("Docker version ")?.split('.').next()?.parse().ok()?;
        Some(Tool { program, is_old: major < 23 })
    }

    pub(crate) async fn build(&self, folder: &Path, host: &str, arguments: &[&str]) -> Result<(), String> {
        let mut command = tokio::process::Command::new(&self.program);
        command.env("DOCKER_HOST", host).env("DOCKER_BUILDKIT", "0").env("DOCKER_CONFIG", "/nonexistent");
        command.arg("build").args(arguments).arg(folder).kill_on_drop(true);
        let output = command.output().await.map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}
