//! The workspace that this task runner belongs to, and cargo in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Error, Result};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // The variable is that of whichever package cargo runs, so that a checkout may be moved or copied after a build.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = package.as_deref().and_then(root_of);
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = root.or_else(|| root_of(built)).unwrap_or(built);
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}

fn root_of(package: &Path) -> Option<&Path> {
    package.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file())
}

/// How the variables begin by which cargo tells a program of its package.
const OF_A_PACKAGE: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_PRIMARY_"];

/// Cargo, to be run in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // What cargo says of this package is none of the business of others: build scripts that look at it would run again
    // whenever cargo is used by a task and by hand in turn.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        if OF_A_PACKAGE.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs cargo and gives what it prints.
pub(crate) fn cargo_output(arguments: &[&str]) -> Result<String> {
    let shown = format!("cargo {}", arguments.join(" "));
    let output = cargo(arguments).output().context(|| format!("run `{shown}`"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Error::new(format!("`{shown}` failed: {}", String::from_utf8_lossy(&output.stderr)))),
    }
}
