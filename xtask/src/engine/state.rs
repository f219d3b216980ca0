//! The state folder of an engine, `target/engines/<name>`, and what is remembered in it.
//!
//! The folder is private to this checkout, and everything about a running engine is keyed by its path: two checkouts
//! never meet. It holds
//!
//! - `engine.json`: how to reach the engine, written when it is ready;
//! - `engine.log`: what the engine says;
//! - `engine.sock`, `data`, `tmp`: what the engine sees under `/engine`.
//!
//! The address of a unix socket has room for 107 bytes. Where the state folder's path is longer, a short private
//! folder holds a link to the socket, and that link is the engine's address.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::catalog::Engine;
use super::cgroup::Cgroup;
use crate::error::{Context, Result};
use crate::workspace;

/// The bytes that fit into the address of a unix socket, without the closing zero.
const SOCKET_PATH_LIMIT: usize = 107;

/// How to reach a running engine; the content of `engine.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The name of the engine, as on the command line.
    pub(crate) name: String,
    /// Its address in the form of `DOCKER_HOST`.
    pub(crate) host: String,
    /// The path of its socket.
    pub(crate) socket: PathBuf,
    /// The version it reports of itself.
    pub(crate) version: String,
    /// The newest version of the API that it speaks.
    pub(crate) api_version: String,
}

/// The places that belong to one engine of this checkout.
pub(crate) struct State {
    pub(crate) engine: Engine,
    pub(crate) folder: PathBuf,
    hash: String,
}

impl State {
    /// The state of `engine` in this checkout; nothing is made yet.
    pub(crate) fn new(engine: Engine) -> Self {
        Self::under(&engines_folder(), engine)
    }

    fn under(engines: &Path, engine: Engine) -> Self {
        let folder = engines.join(engine.name());
        let hash = format!("{:08x}", hash(folder.as_os_str().as_encoded_bytes()));
        Self { engine, folder, hash }
    }

    /// The engine's cgroup.
    pub(crate) fn cgroup(&self) -> Cgroup {
        Cgroup::new(format!("longshore-{}-{}", self.hash, self.engine))
    }

    /// The socket that the engine makes.
    pub(crate) fn real_socket(&self) -> PathBuf {
        self.folder.join("engine.sock")
    }

    /// The path by which the socket is reached.
    pub(crate) fn socket(&self) -> PathBuf {
        let real = self.real_socket();
        if real.as_os_str().len() <= SOCKET_PATH_LIMIT { real } else { self.short_folder().join("engine.sock") }
    }

    /// The private folder that stands in for a state folder with a long path.
    fn short_folder(&self) -> PathBuf {
        PathBuf::from(format!("/run/longshore-{}", self.hash))
    }

    /// What the engine says.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("engine.log")
    }

    fn record(&self) -> PathBuf {
        self.folder.join("engine.json")
    }

    /// Makes the folders, for the user's eyes only.
    pub(crate) fn create(&self) -> Result<()> {
        private_folder(&self.folder)?;
        let socket = self.socket();
        if socket != self.real_socket() {
            private_folder(&self.short_folder())?;
            symlink(self.real_socket(), &socket).context(|| format!("link {}", socket.display()))?;
        }
        Ok(())
    }

    /// Removes the folders; missing ones are fine.
    pub(crate) fn remove(&self) -> Result<()> {
        for folder in [&self.folder, &self.short_folder()] {
            if folder.exists() {
                fs::remove_dir_all(folder).context(|| format!("remove {}", folder.display()))?;
            }
        }
        Ok(())
    }

    /// Remembers how to reach the engine.
    pub(crate) fn write(&self, running: &Running) -> Result<()> {
        let path = self.record();
        fs::write(&path, serde_json::to_vec_pretty(running)?).context(|| format!("write {}", path.display()))
    }

    /// Recalls how to reach the engine, if it has ever been ready.
    pub(crate) fn read(&self) -> Option<Running> {
        serde_json::from_slice(&fs::read(self.record()).ok()?).ok()
    }

    /// Waits until no other process starts or stops this engine, and keeps them from it.
    pub(crate) fn lock(&self) -> Result<Lock> {
        Lock::take(self.folder.with_file_name(format!("{}.lock", self.engine)))
    }
}

/// A file whose lock is held; dropping it removes the file and lets the next one in.
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits for the lock at `path`.
    pub(crate) fn take(path: PathBuf) -> Result<Self> {
        let doing = || format!("lock {}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).context(doing)?;
        }
        loop {
            let file = File::create(&path).context(doing)?;
            flock(&file, FlockOperation::LockExclusive).context(doing)?;
            // The holder before us has removed the file; a lock on a removed file keeps nobody out.
            let held = file.metadata().context(doing)?;
            if fs::metadata(&path).is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino())) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// `target/engines` of the workspace, whatever `CARGO_TARGET_DIR` says: the path is the engines' identity.
pub(crate) fn engines_folder() -> PathBuf {
    workspace::root().join("target/engines")
}

fn private_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).context(|| format!("create {}", path.display()))
}

/// FNV-1a: short, and the same in every version of the tool.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_stays_in_its_folder_while_its_path_fits() {
        let name = "/podman/engine.sock";
        let engines = format!("/{}", "x".repeat(SOCKET_PATH_LIMIT - name.len() - 1));
        let fits = State::under(Path::new(&engines), Engine::Podman);
        assert_eq!(fits.socket(), fits.real_socket());
        assert_eq!(fits.socket().as_os_str().len(), SOCKET_PATH_LIMIT);

        let long = State::under(Path::new(&format!("{engines}x")), Engine::Podman);
        assert_ne!(long.socket(), long.real_socket());
        assert!(long.socket().as_os_str().len() <= SOCKET_PATH_LIMIT);
    }

    #[test]
    fn checkouts_do_not_share_names() {
        let [one, two] = ["/a", "/b"].map(|folder| State::under(Path::new(folder), Engine::Docker20));
        assert_ne!(one.cgroup().name(), two.cgroup().name());
        assert_ne!(one.short_folder(), two.short_folder());
        assert_eq!(hash(b"foobar"), 0xbf9c_f968, "the hash must never change");
    }

    #[test]
    fn what_is_written_is_read() {
        let engines = std::env::temp_dir().join(format!("xtask-state-{}", std::process::id()));
        let state = State::under(&engines, Engine::DockerSid);
        assert_eq!(state.read(), None);
        state.create().unwrap();
        let running = Running {
            name: "docker-sid".into(),
            host: "unix:///s".into(),
            socket: "/s".into(),
            version: "28.5.2".into(),
            api_version: "1.51".into(),
        };
        state.write(&running).unwrap();
        assert_eq!(state.read(), Some(running));
        fs::write(state.record(), "{").unwrap();
        assert_eq!(state.read(), None);
        state.remove().unwrap();
        state.remove().unwrap();
        fs::remove_dir(&engines).unwrap();
    }

    #[test]
    fn a_lock_keeps_others_out() {
        let path = std::env::temp_dir().join(format!("xtask-lock-{}", std::process::id()));
        let counter = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _lock = Lock::take(path.clone()).unwrap();
                        let before = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        assert_eq!(before, 0);
                        counter.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(!path.exists());
    }
}
