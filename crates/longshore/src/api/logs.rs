//! Logs: the call for them, whatever they are of, and how they are framed.

use std::future::Future;
use std::time::SystemTime;

use longshore_wire::version::ApiVersion;

use super::container::Container;
use super::{Instant, answered_at, since_epoch};
use crate::docker::Docker;
use crate::error::Result;
use crate::http::Request;
use crate::stream::{OutputFraming, OutputStream};

/// A call for logs; await it for the [`OutputStream`]. See [`Container::logs`], and for a swarm
/// [`Service::logs`](crate::Service::logs) and [`Task::logs`](crate::Task::logs).
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct Logs<Of = Container> {
    pub(crate) of: Of,
    stdout: bool,
    stderr: bool,
    pub(crate) follow: bool,
    pub(crate) timestamps: bool,
    details: bool,
    pub(crate) since: Option<Instant>,
    pub(crate) until: Option<Instant>,
    pub(crate) tail: Option<u64>,
}

impl<Of> Logs<Of> {
    pub(super) fn new(of: Of) -> Self {
        Logs {
            of,
            stdout: true,
            stderr: true,
            follow: false,
            timestamps: false,
            details: false,
            since: None,
            until: None,
            tail: None,
        }
    }

    /// Leaves out what was written to stderr.
    pub fn stdout_only(mut self) -> Self {
        (self.stdout, self.stderr) = (true, false);
        self
    }

    /// Leaves out what was written to stdout.
    pub fn stderr_only(mut self) -> Self {
        (self.stdout, self.stderr) = (false, true);
        self
    }

    /// Goes on with what is written from now on, until the container or the task ends; for a service, until it is
    /// removed.
    pub fn follow(mut self) -> Self {
        self.follow = true;
        self
    }

    /// Begins every line with its time, in RFC 3339 with nanoseconds (Podman 4: with whole seconds), and a space.
    pub fn timestamps(mut self) -> Self {
        self.timestamps = true;
        self
    }

    /// Begins every line with the labels and variables that the log driver was told to keep, and in a swarm with the ids
    /// of node, service and task; nothing on Podman.
    pub fn details(mut self) -> Self {
        self.details = true;
        self
    }

    /// Leaves out what was written before `time`, to the nanosecond (Podman 4: to the second).
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = Some(since_epoch(time));
        self
    }

    /// Begins with the last so many lines, counted over stdout and stderr together even where one of them is left out;
    /// of a service, with so many lines of each task.
    pub fn tail(mut self, lines: u64) -> Self {
        self.tail = Some(lines);
        self
    }

    /// Says in the request what is asked for.
    pub(super) fn asked_in(&self, request: Request) -> Request {
        let mut request = match self.follow {
            // Some engines answer with the first line, whenever that comes.
            true => request.unbounded(),
            false => request,
        };
        request
            .query
            .bool("stdout", self.stdout)
            .bool("stderr", self.stderr)
            .flag("follow", self.follow)
            .flag("timestamps", self.timestamps)
            .flag("details", self.details)
            .optional("tail", self.tail);
        for (key, time) in [("since", self.since), ("until", self.until)] {
            if let Some((seconds, nanoseconds)) = time {
                request.query.seconds(key, seconds, nanoseconds);
            }
        }
        request
    }
}

impl Logs<Container> {
    /// Leaves out what was written after `time`, to the nanosecond (Podman 4: to the second).
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = Some(since_epoch(time));
        self
    }
}

/// Sends a request for logs. `has_terminal` asks the engine whether what writes them has a terminal.
pub(super) async fn open<F>(docker: &Docker, request: Request, has_terminal: impl Fn() -> F) -> Result<OutputStream>
where
    F: Future<Output = Result<bool>>,
{
    Ok(open_at(docker, request, has_terminal).await?.0)
}

/// The same, and the second in which the engine answered, by its own clock.
pub(super) async fn open_at<F>(
    docker: &Docker,
    request: Request,
    has_terminal: impl Fn() -> F,
) -> Result<(OutputStream, Option<i64>)>
where
    F: Future<Output = Result<bool>>,
{
    let before = framing_told_before(docker, &has_terminal).await?;
    let response = docker.send(request).await?;
    let framing = framing(docker, before, OutputFraming::told_by(response.head()), has_terminal).await?;
    let answered = answered_at(response.head());
    Ok((OutputStream::from_body(response.into_body(), framing), answered))
}

/// What is known of how output is framed before it comes: below API 1.42 answers don't tell, so the engine is asked
/// whether there is a terminal.
pub(super) async fn framing_told_before<F>(
    docker: &Docker,
    has_terminal: impl Fn() -> F,
) -> Result<Option<OutputFraming>>
where
    F: Future<Output = Result<bool>>,
{
    match answers_tell(docker).await? {
        true => Ok(None),
        false => Ok(Some(of_terminal(has_terminal().await?))),
    }
}

/// How output is framed: as was told `before`, or by the head of the answer, or else by whether there is a terminal.
///
/// The head does not count where an older engine has come to answer than the one that was there `before`.
pub(super) async fn framing<F>(
    docker: &Docker,
    before: Option<OutputFraming>,
    told: Option<OutputFraming>,
    has_terminal: impl Fn() -> F,
) -> Result<OutputFraming>
where
    F: Future<Output = Result<bool>>,
{
    match before {
        Some(framing) => Ok(framing),
        None => match told {
            Some(framing) if answers_tell(docker).await? => Ok(framing),
            _ => Ok(of_terminal(has_terminal().await?)),
        },
    }
}

/// Whether the heads of answers tell how output is framed.
pub(super) async fn answers_tell(docker: &Docker) -> Result<bool> {
    Ok(docker.api_version().await? >= ApiVersion::new(1, 42))
}

fn of_terminal(has_terminal: bool) -> OutputFraming {
    match has_terminal {
        true => OutputFraming::Terminal,
        false => OutputFraming::Multiplexed,
    }
}
