//! Programs that tests run beside the engines, each in a folder of its own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::live::xtask;
use crate::process::{Process, remove_stale};

/// What the folders are called, before the id of the process that made them.
const FOLDERS: &str = "longshore-program-";

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A program that runs until it is dropped, or until this process ends, however that is.
#[derive(Debug)]
pub(crate) struct Program {
    process: Process,
    folder: PathBuf,
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
        remove_stale(FOLDERS);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("{FOLDERS}{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        let started = prepare(&folder).and_then(|arguments| {
            let log = fs::File::create(folder.join("log"))?;
            Process::run(Command::new(path).args(arguments), log)
        });
        match started {
            Ok(process) => Ok(Program { process, folder }),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// What the program has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends the program and removes its folder. It is fine if it has ended by itself.
    pub(crate) fn end(&self) {
        self.process.end();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// The path of a program that tests need.
pub(crate) fn find(name: &str) -> Result<PathBuf, String> {
    let variable = format!("LONGSHORE_TEST_{}", name.to_ascii_uppercase());
    if let Some(program) = std::env::var_os(&variable).filter(|program| !program.is_empty()) {
        return Ok(program.into());
    }
    let path = xtask(&["engine", "program", name], Stdio::piped())
        .map_err(|error| format!("THERE IS NO {name} TO TEST WITH: {error}; name the program by {variable}"))?;
    Ok(path.trim().into())
}
