use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bench::Result;
use bench::work::Client;

/// The clients in Python, and what they need.
const PACKAGES: [&str; 2] = ["aiodocker==0.27.0", "docker==7.2.0"];

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clients/python");

/// An environment with the clients in Python.
pub(crate) struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// Makes the environment beside the programs of the benchmarks, unless it is there.
    pub(crate) fn prepare() -> Result<Self> {
        let programs = std::env::current_exe()?;
        let target = programs.parent().and_then(Path::parent).ok_or("this program lies in no folder")?;
        let folder = target.join("bench-python");
        let interpreter = folder.join("bin/python");
        if !succeeds(&Command::new(&interpreter).args(["-c", "import aiodocker, docker"]).output()) {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
            run(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
        }
        Ok(Python { interpreter })
    }

    /// What runs a client.
    pub(crate) fn command(&self, client: Client) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.interpreter);
        command.arg(Path::new(SCRIPTS).join(client.program())).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// What is installed, as people read it.
    pub(crate) fn versions(&self) -> Result<String> {
        let version = run(Command::new(&self.interpreter).arg("--version"))?;
        Ok(format!("{} of {}", PACKAGES.join(" and "), version.trim()))
    }
}

fn succeeds(outcome: &std::io::Result<Output>) -> bool {
    outcome.as_ref().is_ok_and(|output| output.status.success())
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed without a word");
            Err(format!("{:?}: {}", command.get_program(), last.trim()).into())
        }
    }
}
