//! Debian packages without touching the system: this machine's apt, with all of its state in a private folder.
//!
//! Signatures are always checked, with the keys that this machine trusts. Where those are too old for a release,
//! the newer keyring is taken from a release that they do vouch for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::output;
use super::sources::{self, Mirror};
use crate::error::{Context, Error, Result};

/// Packages that apt is told are installed already: they serve package installation, log-ins or a booting system, none
/// of which an unpacked root sees. What is left out here need not be downloaded. A name that a release does not know
/// is harmless; so is a missing one, beyond its size.
const SPARED: [&str; 28] = [
    "adduser",
    "base-passwd",
    "bash",
    "ca-certificates",
    "coreutils",
    "debconf",
    "debianutils",
    "dmsetup",
    "dpkg",
    "gnome-keyring",
    "gnupg",
    "init-system-helpers",
    "libpam-modules",
    "libpam-runtime",
    "libsystemd-shared",
    "login.defs",
    "lsb-base",
    "mawk",
    "mount",
    "netbase",
    "openssl",
    "passwd",
    "perl",
    "perl-base",
    "systemd",
    "ucf",
    "usrmerge",
    "util-linux",
];

/// Releases whose keyring package may know the keys of a newer one, oldest first.
const KEYRING_SUITES: [&str; 2] = ["bookworm", "trixie"];

/// Downloads `packages` of a Debian release and what they need, and returns the paths of the `.deb` files.
///
/// Everything stays inside `work`, which must exist and may be removed afterwards.
pub(crate) fn download(work: &Path, suite: &str, packages: &[&str]) -> Result<Vec<PathBuf>> {
    let mirror = sources::mirror(Path::new("/etc/apt"))
        .ok_or_else(|| Error::new("no source of a Debian release is named in /etc/apt"))?;
    let repository = Repository::open(work, suite, mirror)?;
    repository.download(packages)
}

/// One release of a mirror, with apt's state for it.
struct Repository {
    folder: PathBuf,
}

impl Repository {
    fn open(work: &Path, suite: &str, mut mirror: Mirror) -> Result<Self> {
        let mut outcome = Self::update(work, suite, &mirror);
        for older in KEYRING_SUITES {
            let Err(error) = &outcome else { break };
            if older == suite || !lacks_key(&error.to_string()) {
                break;
            }
            if let Ok(keyring) = Self::update(work, older, &mirror).and_then(|older| older.keyring()) {
                mirror.signed_by = Some(keyring.display().to_string());
                outcome = Self::update(work, suite, &mirror);
            }
        }
        outcome
    }

    /// Fetches and verifies the list of the release's packages.
    fn update(work: &Path, suite: &str, mirror: &Mirror) -> Result<Self> {
        let folder = work.join(suite);
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).context(|| format!("create {}", part.display()))?;
        }
        let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
        for (name, text) in [
            ("status", spared(architecture.trim())),
            ("mirror.sources", source(suite, mirror)),
            ("apt.conf", configuration(&folder)),
        ] {
            let path = folder.join(name);
            fs::write(&path, text).context(|| format!("write {}", path.display()))?;
        }
        let repository = Self { folder };
        repository.apt_get(&["update"]).context(|| format!("get the package list of Debian {suite}"))?;
        Ok(repository)
    }

    fn download(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        let arguments = [&["--yes", "--download-only", "install"], packages].concat();
        self.apt_get(&arguments).context(|| format!("download {}", packages.join(", ")))?;
        let archives = self.folder.join("cache/archives");
        let doing = || format!("read {}", archives.display());
        let mut found = Vec::new();
        for entry in fs::read_dir(&archives).context(doing)? {
            let path = entry.context(doing)?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// The keyring of Debian's archives as this release has it.
    fn keyring(&self) -> Result<PathBuf> {
        let debs = self.download(&["debian-archive-keyring"])?;
        let unpacked = self.folder.join("keyring");
        for deb in debs.iter().filter(|deb| deb.to_string_lossy().contains("debian-archive-keyring")) {
            output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&unpacked))?;
        }
        ["gpg", "pgp"]
            .map(|extension| unpacked.join("usr/share/keyrings/debian-archive-keyring").with_extension(extension))
            .into_iter()
            .find(|path| path.exists())
            .ok_or_else(|| Error::new("the package debian-archive-keyring has no keyring where it is expected"))
    }

    fn apt_get(&self, arguments: &[&str]) -> Result<String> {
        output(
            Command::new("apt-get")
                .arg("--config-file")
                .arg(self.folder.join("apt.conf"))
                .arg("--quiet=2")
                .args(arguments)
                .env("LC_ALL", "C")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .current_dir(&self.folder),
        )
    }
}

/// Whether apt says that it has no key to check a signature with; its two verifiers word it differently.
fn lacks_key(said: &str) -> bool {
    said.contains("NO_PUBKEY") || said.contains("Missing key")
}

/// The settings that make apt private. The system's own stay in force where they say how to reach the mirror.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"// Hooks and index targets of the system are not ours to run.
#clear APT::Update;
#clear DPkg;
#clear APT::Default-Release;
Dir::State "{folder}";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}";
Dir::Etc::sourcelist "{folder}/mirror.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Acquire::AllowInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
// The cache folder is the user's own; apt's unprivileged user cannot write there.
APT::Sandbox::User "root";
"#
    )
}

fn source(suite: &str, mirror: &Mirror) -> String {
    let mut text = format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\nTargets: Packages\n", mirror.uri);
    if let Some(keys) = &mirror.signed_by {
        text.push_str(&format!("Signed-By: {keys}\n"));
    }
    text
}

fn spared(architecture: &str) -> String {
    SPARED
        .map(|package| {
            format!(
                "Package: {package}\nStatus: install ok installed\nArchitecture: {architecture}\nMulti-Arch: foreign\n\
                 Version: 99:99\nMaintainer: none\nDescription: not needed\n\n"
            )
        })
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_carries_the_keys_of_the_machine() {
        let mut mirror = Mirror { uri: "http://m.example/debian".into(), signed_by: None };
        assert!(source("sid", &mirror).ends_with("Suites: sid\nComponents: main\nTargets: Packages\n"));
        mirror.signed_by = Some("\n -----BEGIN\n .".into());
        assert!(source("sid", &mirror).ends_with("Signed-By: \n -----BEGIN\n .\n"));
    }

    #[test]
    fn the_configuration_stays_in_its_folder_and_verifies() {
        let text = configuration(Path::new("/x y"));
        assert!(text.contains("Dir::State \"/x y\";"));
        assert!(!text.contains("\"true\""));
    }
}
