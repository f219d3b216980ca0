//! What copies are made from and to: a local folder, and what an engine tells of the paths of a container.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_testkit::transcript::wire::{answer, json};
use longshore_testkit::{Exchange, ScriptedEngine};

/// A folder, as the engine tells it.
pub(crate) const FOLDER: &str = "eyJuYW1lIjoic2l0ZSIsInNpemUiOjQwOTYsIm1vZGUiOjIxNDc0ODQxNDEsIm10aW1lIjoiMjAyNC0wMy0w\
    NVQxMDowMDowMFoiLCJsaW5rVGFyZ2V0IjoiIn0=";

/// A file.
pub(crate) const FILE: &str = "eyJuYW1lIjoicGFnZSIsInNpemUiOjUsIm1vZGUiOjQyMCwibXRpbWUiOiIyMDI0LTAzLTA1VDEwOjAwOjAwWiIs\
    ImxpbmtUYXJnZXQiOiIifQ==";

/// A symbolic link to `/srv/site`.
pub(crate) const LINK: &str = "eyJuYW1lIjoiY3VycmVudCIsInNpemUiOjksIm1vZGUiOjEzNDIxODIzOSwibXRpbWUiOiIyMDI0LTAzLTA1VDEw\
    OjAwOjAwWiIsImxpbmtUYXJnZXQiOiIvc3J2L3NpdGUifQ==";

/// The field of a head that tells what a path leads to.
pub(crate) fn stat_field(stat: &str) -> String {
    format!("X-Docker-Container-Path-Stat: {stat}")
}

/// A question about a path of `web`, written as in a query, and the answer: that there is nothing, or what it is.
pub(crate) fn look_up(path: &str, stat: Option<&str>) -> Exchange {
    let answer = match stat {
        Some(stat) => answer("200 OK", &[&stat_field(stat)], ""),
        None => answer("404 Not Found", &[], ""),
    };
    Exchange::new(format!("HEAD /v1.44/containers/web/archive?path={path}"), answer)
}

/// A refusal in the engine's words.
pub(crate) fn refusal(status: &str, message: &str) -> Vec<u8> {
    json(status, &format!("{{\"message\":\"{message}\"}}"))
}

/// An engine with this script, and for [good calls](longshore_testkit::Transcript::good_call) afterwards.
pub(crate) fn engine(script: impl IntoIterator<Item = Exchange>) -> ScriptedEngine {
    let good = json("200 OK", r#"{"Id":"after","State":{"Status":"running"}}"#);
    let engine = ScriptedEngine::new(script);
    engine.expect(Exchange::new("GET /v1.44/containers/after/json", good).repeats());
    engine
}

/// A file, folder or link: its permissions, and its contents or where it leads.
pub(crate) type Facts = (char, u32, String);

/// What is in a folder, by its path from there.
pub(crate) type Tree = BTreeMap<String, Facts>;

/// A folder for one test, which goes away with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("longshore-flow-{}-{count}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn make(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Everything in the folder, however deep.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        self.walk(&self.0, &mut tree);
        tree
    }

    fn walk(&self, folder: &Path, tree: &mut Tree) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // What is being made by a thread may have gone away since.
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let mode = metadata.mode() & 0o7777;
            let facts = if metadata.is_dir() {
                self.walk(&path, tree);
                ('d', mode, String::new())
            } else if metadata.is_symlink() {
                ('l', 0, fs::read_link(&path).unwrap().display().to_string())
            } else {
                ('f', mode, fs::read(&path).map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default())
            };
            tree.insert(path.strip_prefix(&self.0).unwrap().display().to_string(), facts);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed stays among the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A tree of these.
pub(crate) fn tree(entries: &[(&str, char, u32, &str)]) -> Tree {
    entries.iter().map(|(path, kind, mode, text)| ((*path).to_owned(), (*kind, *mode, (*text).to_owned()))).collect()
}
