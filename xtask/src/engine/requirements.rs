//! What a machine must have to run engines of this project, and what to do where it has not.

use std::fs;
use std::path::Path;

use super::catalog::Program;
use super::cgroup;
use super::command::find;
use super::sources;
use crate::error::{Error, Result};

/// How to do without an engine of this project.
const OWN_ENGINE: &str = "\
To use an engine of your own instead:
  DOCKER_HOST=unix:///var/run/docker.sock cargo xtask demo
  LONGSHORE_TEST_HOST=unix:///var/run/docker.sock cargo xtask test
LONGSHORE_TEST_HOST also takes several engines: name=host,name=host";

/// The programs that installing needs, and the Debian packages that have them.
const TO_INSTALL: [(&str, &str); 4] = [("apt-get", "apt"), ("dpkg", "dpkg"), ("dpkg-deb", "dpkg"), ("tar", "tar")];

/// Checks that this machine can run an engine whose root is there, and make the root if it must be made.
pub(crate) fn check(must_install: bool) -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let mut missing = to_run();
    if must_install {
        missing.extend(to_install(&release));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!(
        "engines cannot be started here; what is missing:\n  - {}\n{OWN_ENGINE}",
        missing.join("\n  - ")
    )))
}

/// Checks that this machine can make the root of a program.
pub(crate) fn check_program(program: Program) -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let missing = to_install(&release);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!(
        "{} cannot be installed here; what is missing:\n  - {}\nTo use one of your own instead, name it: {}=/usr/…",
        program.root().name,
        missing.join("\n  - "),
        program.variable(),
    )))
}

fn to_run() -> Vec<String> {
    let mut missing = Vec::new();
    if !rustix::process::geteuid().is_root() {
        missing.push("root: engines need mounts and namespaces of their own".to_owned());
    }
    if find("unshare").is_none() {
        missing.push("the program unshare (Debian package util-linux)".to_owned());
    }
    if cgroup::hierarchies().is_empty() {
        missing.push("cgroups, mounted under /sys/fs/cgroup".to_owned());
    }
    missing
}

fn to_install(release: &str) -> Vec<String> {
    let system = field(release, "PRETTY_NAME").unwrap_or("an unknown system");
    if field(release, "ID") != Some("debian") {
        return vec![format!("Debian, whose packages are unpacked (this is {system})")];
    }
    let mut missing: Vec<String> = TO_INSTALL
        .into_iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|(program, package)| format!("the program {program} (Debian package {package})"))
        .collect();
    if sources::mirror(Path::new("/etc/apt")).is_none() {
        missing.push("a source of a Debian release in /etc/apt/sources.list or /etc/apt/sources.list.d".to_owned());
    }
    missing
}

fn field<'a>(release: &'a str, name: &str) -> Option<&'a str> {
    release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(|value| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_system_is_named() {
        let release = "NAME=\"Fedora Linux\"\nID=fedora\nPRETTY_NAME=\"Fedora Linux 43\"\n";
        assert_eq!(to_install(release), ["Debian, whose packages are unpacked (this is Fedora Linux 43)"]);
        assert!(to_install("").concat().contains("an unknown system"));
    }

    #[test]
    fn debian_is_recognised() {
        let release = "ID=debian\nPRETTY_NAME=Debian\n";
        assert!(!to_install(release).concat().contains("whose packages"));
    }
}
