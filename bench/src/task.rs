//! One measurement, as a client is told to make it.

use std::path::PathBuf;
use std::process::ExitCode;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use recordings::LINE;
use serde::Deserialize;
use serde::de::IntoDeserializer;

use crate::meter::Sample;
use crate::work::{Client, PIECE, Work};
use crate::{Error, Result};

/// How many pings come before those that are timed: they open the connection.
pub const WARM_UP: usize = 50;

/// How many lines each follower reads once all of them are there.
pub const FOLLOWED_LINES: usize = 15;

/// How many streams are opened at a time, so that the queue of the listening socket never overflows.
pub const OPENED_AT_A_TIME: usize = 32;

/// The image of what is made on a real engine.
pub const IMAGE: &str = "busybox:latest";

/// The label of what is made on a real engine; its value is the run's own.
pub const LABEL: &str = "longshore.bench";

/// The large file of an archive, in the root of a container.
pub const LARGE_FILE: &str = "large";

/// What to do, where and how often.
#[derive(Clone, Debug)]
pub struct Task {
    /// The work.
    pub work: Work,
    /// The client, or which of several that one program plays.
    pub client: Client,
    /// The socket of the engine, real or replayed.
    pub socket: PathBuf,
    /// How many times.
    pub amount: usize,
    /// The container whose logs are read.
    pub container: String,
}

impl Task {
    /// The arguments by which a client is told.
    pub fn arguments(&self) -> Result<[String; 5]> {
        let socket = self.socket.to_str().ok_or("the path of the socket is not UTF-8")?;
        let Task { work, client, amount, container, .. } = self;
        Ok([work.name(), client.name(), socket.to_owned(), amount.to_string(), container.clone()])
    }

    /// The command whose output is read: so many MiB of zeros.
    pub fn output_command(&self) -> Vec<String> {
        let megabytes = self.amount;
        ["sh", "-c", &format!("dd if=/dev/zero bs=1M count={megabytes} 2>/dev/null")].map(str::to_owned).to_vec()
    }

    /// The command that reads its input to the end.
    pub fn input_command() -> Vec<String> {
        ["sh", "-c", "cat >/dev/null"].map(str::to_owned).to_vec()
    }

    /// How many pieces are sent for so many MiB.
    pub fn pieces(&self) -> usize {
        self.amount * 1024 * 1024 / PIECE
    }

    /// Fails unless so many MiB have come, and what an archive has around them.
    pub fn check_bytes(&self, found: usize) -> Result<()> {
        let expected = self.work.bytes_on_wire(self.amount);
        match found >= expected && found <= expected + 64 * 1024 {
            true => Ok(()),
            false => Err(format!("expected {expected} bytes, got {found}").into()),
        }
    }

    fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().ok_or("a client is told: work, client, socket, amount, container");
        Ok(Task {
            work: named(&next()?)?,
            client: named(&next()?)?,
            socket: next()?.into(),
            amount: next()?.parse()?,
            container: next()?,
        })
    }

    /// Says that the client is not made for this.
    pub fn refuse(&self) -> Error {
        format!("{} does not do {}", self.client.name(), self.work.name()).into()
    }
}

fn named<'a, T: Deserialize<'a>>(name: &'a str) -> Result<T> {
    let parsed = T::deserialize(name.into_deserializer());
    parsed.map_err(|error: serde::de::value::Error| error.into())
}

/// The main function of a client: does what it is told, and prints the sample.
pub fn run(measure: impl FnOnce(&Task) -> Result<Sample>) -> ExitCode {
    let outcome = raise_limit_of_files()
        .and_then(|()| Task::parse(std::env::args().skip(1)))
        .and_then(|task| measure(&task))
        .and_then(|sample| Ok(serde_json::to_string(&sample)?));
    match outcome {
        Ok(sample) => {
            println!("{sample}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime of every client that needs one: with a single thread, so that CPU time is not spent on handing over.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Allows this process as many open files as the system lets it.
pub fn raise_limit_of_files() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

/// What stands before a large file of so many MiB in an archive.
pub fn tar_head(megabytes: usize) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_path(LARGE_FILE)?;
    header.set_size(megabytes as u64 * 1024 * 1024);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

/// How many bytes of output a client has found, by source.
#[derive(Debug, Default)]
pub struct Found {
    /// Bytes of stdout.
    pub stdout: usize,
    /// Bytes of anything else.
    pub others: usize,
}

impl Found {
    /// Fails unless it was all of a work's output, on the stream that it was written to: a client that loses output is
    /// not fast.
    pub fn check(&self, task: &Task) -> Result<()> {
        let length = match task.work {
            Work::ReplayLogs | Work::LiveLogs => task.amount * LINE,
            work => work.bytes_on_wire(task.amount),
        };
        let expected = if task.work == Work::ReplayTty { (0, length) } else { (length, 0) };
        match (self.stdout, self.others) == expected {
            true => Ok(()),
            false => Err(format!("expected {expected:?} bytes of stdout and others, got {self:?}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn a_client_understands_what_it_is_told() {
        for &work in Work::value_variants() {
            for &client in work.clients() {
                let task = Task { work, client, socket: "/s".into(), amount: 7, container: String::new() };
                let parsed = Task::parse(task.arguments().unwrap()).unwrap();
                assert_eq!((parsed.work, parsed.client, parsed.amount), (work, client, 7));
            }
        }
        assert!(Task::parse(["replay-logs".to_owned()]).is_err());
        assert!(Task::parse(["x", "bollard", "/s", "1", ""].map(str::to_owned)).is_err());
    }
}
