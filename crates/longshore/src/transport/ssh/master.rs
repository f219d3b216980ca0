use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::line::Line;
use super::link::Link;
use super::process::Process;
use super::said::Said;
use super::session::{Lease, RefusedBy, Session, apart};
use crate::transport::{Dial, Unix};

/// How many sessions are opened on one connection. An OpenSSH server takes ten unless it is told otherwise, and counts
/// those that are just ending.
pub(super) const SEATS: usize = 8;

/// The longest path of a control socket: `ssh` makes it under a name with 17 characters more, and an address of a unix
/// socket has room for 104 bytes on some systems.
const LONGEST_CONTROL: usize = 86;

/// How long the master may take to say that it lives.
const GREETS_WITHIN: Duration = Duration::from_secs(2);

/// Becomes `ssh`, whose life hangs on that of this process: when the pipe to it ends, however that comes, it is
/// terminated, and its folder removed. A line that comes before the end says that this has been seen to.
const TIED: &str = r#"folder=$1; shift; exec 3<&0 </dev/null
(read -r _ <&3 || { kill $$; rm -rf -- "$folder"; }) & exec "$@" 3<&-"#;

/// A connection to the far side that sessions and forwarded sockets share.
pub(super) struct Master {
    process: Mutex<Process>,
    lost: AtomicBool,
    lifeline: File,
    folder: Folder,
    seats: Arc<Semaphore>,
    /// How many of them the server was not seen to refuse.
    granted: AtomicUsize,
    /// The socket of this machine behind which that of the engine is.
    forwarded: OnceCell<PathBuf>,
}

/// A place for a session on a master.
pub(super) struct Seat {
    master: Arc<Master>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Seat {
    /// The socket by which the session shares its master.
    pub(super) fn control(&self) -> PathBuf {
        self.master.folder.control()
    }
}

impl Lease for Seat {
    fn refused(&mut self, by: RefusedBy) {
        match (by, self.permit.take()) {
            (RefusedBy::Master, _) => self.master.lose(),
            // The place is given up for good.
            (RefusedBy::Server, Some(permit)) => {
                permit.forget();
                self.master.granted.fetch_sub(1, Ordering::Relaxed);
            }
            (RefusedBy::Server, None) => {}
        }
    }
}

impl Master {
    /// Logs in, and waits until others can share the connection, by so many sessions.
    pub(super) async fn start(line: &Line, seats: usize) -> io::Result<Arc<Self>> {
        let folder = Folder::create()?;
        let log = File::create(folder.log())?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", TIED, "sh"]).arg(&folder.0).arg(line.program()).args(line.master(&folder.control())?);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        apart(&mut command);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let process = Mutex::new(Process::new(child));
        let lifeline = stdin.ok_or_else(|| io::Error::other("a process without its pipes"))?.into_owned_fd()?.into();
        let granted = AtomicUsize::new(seats.max(1));
        let (seats, forwarded) = (Arc::new(Semaphore::new(seats.max(1))), OnceCell::new());
        let master =
            Arc::new(Master { process, lost: AtomicBool::new(false), lifeline, folder, seats, granted, forwarded });
        let mut pause = Duration::from_millis(2);
        while !master.folder.control().exists() {
            if let Some(status) = master.ended() {
                return Err(master.failure(status));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(20));
        }
        Ok(master)
    }

    /// Whether it can be used, as far as is known.
    pub(super) fn lives(&self) -> bool {
        !self.lost.load(Ordering::Relaxed) && self.ended().is_none()
    }

    /// Says that it can't be used any more: it may take a moment until its process has ended.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// How it has ended, once it has.
    fn ended(&self) -> Option<ExitStatus> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.ended().ok().flatten()
    }

    /// A place for one more session, if there is any.
    pub(super) fn seat(self: &Arc<Self>) -> Option<Seat> {
        let permit = self.seats.clone().try_acquire_owned().ok()?;
        Some(Seat { master: self.clone(), permit: Some(permit) })
    }

    /// How many sessions the server was not seen to refuse.
    pub(super) fn granted(&self) -> usize {
        self.granted.load(Ordering::Relaxed)
    }

    /// A place beside those that are counted, for a question that is answered at once.
    pub(super) fn spare_seat(self: &Arc<Self>) -> Seat {
        Seat { master: self.clone(), permit: None }
    }

    /// Connects to the socket `remote` of the far side.
    pub(super) async fn connect(self: &Arc<Self>, line: &Line, remote: &str) -> io::Result<Link> {
        let local = self.forwarded.get_or_try_init(|| self.forward(line, remote)).await?;
        let io = Unix::new(local.clone()).dial().await?;
        Ok(Link::new(io, self.clone()))
    }

    async fn forward(&self, line: &Line, remote: &str) -> io::Result<PathBuf> {
        let local = self.folder.forwarded();
        let mut command = Command::new(line.program());
        command.args(line.forward(&self.folder.control(), &local, remote)?);
        let mut bytes = Vec::new();
        let mut session = Session::start(command, ())?;
        session.read_to_end(&mut bytes).await?;
        Ok(local)
    }

    /// What the master has said last.
    pub(super) fn said(&self) -> String {
        let mut said = Said::default();
        if let Ok(bytes) = self.folder.end_of_log() {
            said.add(&bytes);
        }
        said.text()
    }

    /// Whether it lives and keeps its connection: then it greets whoever comes to share it.
    pub(super) async fn greets(&self) -> bool {
        let greeting = async { UnixStream::connect(self.folder.control()).await?.read_u8().await };
        matches!(tokio::time::timeout(GREETS_WITHIN, greeting).await, Ok(Ok(_)))
    }

    fn failure(&self, status: ExitStatus) -> io::Error {
        let said = self.said();
        match status.code() {
            // A shell's way to say that there is no such program.
            Some(127) => io::Error::new(io::ErrorKind::NotFound, said),
            _ if said.is_empty() => io::Error::other(format!("ssh ended without a word ({status})")),
            _ => io::Error::other(said),
        }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        // The process is killed right after this; by then its number may be that of another.
        let _ = (&self.lifeline).write_all(b"\n");
    }
}

/// A folder of this user alone, which is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let mut parents = vec![std::env::temp_dir(), PathBuf::from("/tmp")];
        parents.retain(|parent| control_in(&parent.join(name(u64::MAX))).as_os_str().len() <= LONGEST_CONTROL);
        let mut outcome = Err(io::Error::other("there is no folder for temporary files with a short path"));
        for parent in parents {
            for _ in 0..8 {
                // Every state of this kind has keys of its own, made of what the system has of chance.
                let path = parent.join(name(RandomState::new().hash_one(std::process::id())));
                match DirBuilder::new().mode(0o700).create(&path) {
                    Ok(()) => return Ok(Folder(path)),
                    Err(error) => outcome = Err(error),
                }
            }
        }
        outcome
    }

    fn control(&self) -> PathBuf {
        control_in(&self.0)
    }

    fn forwarded(&self) -> PathBuf {
        self.0.join("engine")
    }

    fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    fn end_of_log(&self) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.log())?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
        let mut bytes = Vec::new();
        file.take(4096).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn name(number: u64) -> String {
    format!("longshore-ssh-{number:x}")
}

fn control_in(folder: &Path) -> PathBuf {
    folder.join("m")
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing can be done about a folder that stays behind.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn folders_are_private_short_and_removed() {
        let (one, other) = (Folder::create().unwrap(), Folder::create().unwrap());
        assert_ne!(one.0, other.0);
        assert_eq!(fs::metadata(&one.0).unwrap().mode() & 0o777, 0o700);
        assert!(one.control().as_os_str().len() <= LONGEST_CONTROL);
        fs::write(one.log(), vec![b'x'; 10_000]).unwrap();
        assert_eq!(one.end_of_log().unwrap().len(), 4096);
        let path = one.0.clone();
        drop(one);
        assert!(!path.exists());
    }
}
