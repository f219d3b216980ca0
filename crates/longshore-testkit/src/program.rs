//! Programs that tests run beside the engines, each in a folder of its own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::live::xtask;

/// What the folders are called, before the id of the process that made them.
const FOLDERS: &str = "longshore-program-";

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A program that runs until it is dropped, or until this process ends, however that is.
#[derive(Debug)]
pub(crate) struct Program {
    folder: PathBuf,
    keeper: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Program {
    /// Starts a program. `prepare` writes into its folder what it needs, and gives its arguments.
    ///
    /// The program is what `LONGSHORE_TEST_<NAME>` names, else what `cargo xtask engine program` installs.
    pub(crate) async fn start(
        name: &'static str,
        prepare: impl FnOnce(&Path) -> io::Result<Vec<OsString>>,
    ) -> io::Result<Program> {
        let finding = tokio::task::spawn_blocking(|| find(name)).await.map_err(io::Error::other)?;
        let path = finding.map_err(io::Error::other)?;
        remove_stale();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("{FOLDERS}{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        let program = Program { folder, keeper: Mutex::new(None) };
        let arguments = prepare(&program.folder)?;
        let keeper = run(&path, &arguments, &program.folder)?;
        *program.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        Ok(program)
    }

    /// What the program has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(log(&self.folder)).unwrap_or_default()
    }

    /// Ends the program and removes its folder. It is fine if it has ended by itself.
    pub(crate) fn end(&self) {
        if let Some((alive, keeper)) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(alive);
            let _ = keeper.join();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

pub(crate) fn find(name: &str) -> Result<PathBuf, String> {
    let variable = format!("LONGSHORE_TEST_{}", name.to_ascii_uppercase());
    if let Some(program) = std::env::var_os(&variable).filter(|program| !program.is_empty()) {
        return Ok(program.into());
    }
    let path = xtask(&["engine", "program", name], Stdio::piped())
        .map_err(|error| format!("THERE IS NO {name} TO TEST WITH: {error}; name the program by {variable}"))?;
    Ok(path.trim().into())
}

/// Runs a program until the sender is dropped.
fn run(path: &Path, arguments: &[OsString], folder: &Path) -> io::Result<(Sender<()>, JoinHandle<()>)> {
    let output = fs::File::create(log(folder))?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(path).args(arguments);
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let (alive, ended) = channel::<()>();
    let (started, starting) = channel();
    // What waits to be told of its parent's death is told of the death of the thread that made it.
    let thread = std::thread::Builder::new().name("program".to_owned()).spawn(move || match command.spawn() {
        Ok(mut child) => {
            // Whoever waits for these is there until they have come.
            let _ = started.send(Ok(()));
            let _ = ended.recv();
            let _ = child.kill();
            let _ = child.wait();
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    })?;
    starting.recv().map_err(io::Error::other)??;
    Ok((alive, thread))
}

/// Removes the folders that killed processes have left.
fn remove_stale() {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDERS)?.split('-').next());
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
        let folder = |process: &str| std::env::temp_dir().join(format!("{FOLDERS}{process}-test"));
        let (dead, alive) = (folder("999999999"), folder("1"));
        for folder in [&dead, &alive] {
            fs::create_dir_all(folder).unwrap();
        }
        remove_stale();
        assert!(!dead.exists() && alive.exists());
        fs::remove_dir(&alive).unwrap();
    }

    #[test]
    fn a_program_ends_when_nobody_holds_it() {
        let folder = std::env::temp_dir().join(format!("{FOLDERS}{}-ends", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let script = ["-c".into(), "echo $$; exec sleep 1000".into()];
        let keeper = run(Path::new("/bin/sh"), &script, &folder).unwrap();
        let program = Program { folder: folder.clone(), keeper: Mutex::new(Some(keeper)) };
        let process = std::iter::repeat_with(|| program.log()).find(|log| log.ends_with('\n')).unwrap();
        let process = Path::new("/proc").join(process.trim());
        assert!(process.exists());
        drop(program);
        assert!(!process.exists() && !folder.exists());
    }
}
