//! One measurement, as a client is told to make it.

use std::path::PathBuf;
use std::process::ExitCode;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Deserialize;
use serde::de::IntoDeserializer;

use crate::meter::Sample;
use crate::work::{Client, LINE, Work};
use crate::{Error, Result};

/// How many pings come before those that are timed: they open the connection.
pub const WARM_UP: usize = 50;

/// How many lines each follower reads once all of them are there.
pub const FOLLOWED_LINES: usize = 15;

/// How many streams are opened at a time, so that the queue of the listening socket never overflows.
pub const OPENED_AT_A_TIME: usize = 32;

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

/// How many bytes of log lines a client has found, by source.
#[derive(Debug, Default)]
pub struct Found {
    /// Bytes of stdout.
    pub stdout: usize,
    /// Bytes of anything else.
    pub others: usize,
}

impl Found {
    /// Fails unless it was so many lines of stdout: a client that loses output is not fast.
    pub fn check(&self, lines: usize) -> Result<()> {
        match self {
            Found { stdout, others: 0 } if *stdout == lines * LINE => Ok(()),
            found => Err(format!("expected {} bytes of stdout, got {found:?}", lines * LINE).into()),
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
