//! Programs that run beside the tests, and end with them.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Runs a program, which writes to `log`, until this process ends, however that is.
pub(crate) fn run(program: &Command, log: File) -> io::Result<Pid> {
    // What waits to be told of its parent's death is told of the death of the thread that made it.
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.get_program()).args(program.get_args());
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let name = program.get_program().to_string_lossy().into_owned();
    std::thread::Builder::new().name(name).spawn(move || {
        let child = command.spawn();
        let (process, child) = match child {
            Ok(child) => (Ok(child.id()), Some(child)),
            Err(error) => (Err(error), None),
        };
        // Whoever waits for it is there until it has come.
        let _ = sender.send(process);
        child.map(|mut child| child.wait())
    })?;
    let process = receiver.recv().map_err(io::Error::other)??;
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.ok_or_else(|| io::Error::other("a process without an id"))
}

/// Ends it.
pub(crate) fn end(process: Pid, signal: Signal) {
    // One that has ended by itself is as good.
    let _ = kill_process(process, signal);
}
