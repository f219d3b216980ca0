//! Programs that run beside the tests, and end with them.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

/// A program that runs until it is dropped, or until this process ends, however that is.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
    keeper: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Process {
    /// Runs a program, which writes to `log`.
    pub(crate) fn run(program: &Command, log: File) -> io::Result<Process> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program.get_program()).args(program.get_args());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let (alive, ended) = channel::<()>();
        let (started, starting) = channel();
        // What waits to be told of its parent's death is told of the death of the thread that made it.
        let thread = std::thread::Builder::new().name("program".to_owned()).spawn(move || match command.spawn() {
            Ok(mut child) => {
                // Whoever waits for these is there until they have come.
                let _ = started.send(Ok(child.id()));
                let _ = ended.recv();
                let _ = child.kill();
                let _ = child.wait();
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        })?;
        let id = starting.recv().map_err(io::Error::other)??;
        Ok(Process { id, keeper: Mutex::new(Some((alive, thread))) })
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Ends it. It is fine if it has ended by itself.
    pub(crate) fn end(&self) {
        if let Some((alive, keeper)) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(alive);
            let _ = keeper.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Removes folders of temporary files that killed processes have left: those named `prefix`, the id of the process, and
/// whatever follows a `-`.
pub(crate) fn remove_stale(prefix: &str) {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(prefix)?.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Somebody else's may not be removable, and need not be.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_dead_processes_are_removed() {
        let folder = |process: &str| std::env::temp_dir().join(format!("longshore-stale-{process}-test"));
        let (dead, alive) = (folder("999999999"), folder("1"));
        for folder in [&dead, &alive] {
            fs::create_dir_all(folder).unwrap();
        }
        remove_stale("longshore-stale-");
        assert!(!dead.exists() && alive.exists());
        fs::remove_dir(&alive).unwrap();
    }

    #[test]
    fn a_process_ends_when_nobody_holds_it() {
        let log = std::env::temp_dir().join(format!("longshore-process-{}", std::process::id()));
        let mut sleeper = Command::new("sleep");
        let process = Process::run(sleeper.arg("1000"), File::create(&log).unwrap()).unwrap();
        let entry = Path::new("/proc").join(process.id().to_string());
        assert!(entry.exists());
        drop(process);
        assert!(!entry.exists());
        fs::remove_file(&log).unwrap();
    }
}
