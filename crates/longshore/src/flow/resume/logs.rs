use std::future::poll_fn;
use std::time::Duration;

use super::backoff::Limits;
use super::lines::ResumingLines;
use crate::api::container::{Container, Logs};
use crate::error::Result;

/// The longest line unless another limit is set, in bytes.
const LONGEST: usize = 1024 * 1024;

/// A call for logs that go on where their connection was lost; see [`Logs::resuming`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless its lines are awaited"]
pub struct ResumeLogs {
    pub(super) logs: Logs,
    pub(super) limits: Limits,
    pub(super) limit: usize,
}

impl Logs<Container> {
    /// Goes on where the connection was lost: cut, reset, closed by an idle proxy, or gone with an engine that starts
    /// again.
    ///
    /// The engine is asked for the logs from the time of the last line on, and what has come already is left out: by its
    /// time, place and text, so that no line is lost and none comes twice, even where many have the same time. A line
    /// that was cut comes once, as a whole. Where the stream went on is told as
    /// [`Resuming::Resumed`](crate::Resuming::Resumed).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::{Missed, Resuming};
    ///
    /// let mut lines = docker.container("web").logs().follow().tail(100).resuming().lines().await?;
    /// while let Some(line) = lines.next().await {
    ///     match line? {
    ///         Resuming::Item(line) => println!("{}: {line}", line.source),
    ///         Resuming::Resumed(resumed) if resumed.missed == Missed::Unknown => eprintln!("{resumed}"),
    ///         Resuming::Resumed(_) => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The engine can't give back what it does not have any more. Then [`Missed::Unknown`](crate::Missed::Unknown) tells
    /// that the last line was not found again: where log files were rotated or emptied meanwhile, or where, at the edge of a
    /// [`tail`](Logs::tail), equal lines can't be told apart since the engine tells whole seconds.
    ///
    /// Followed logs end when the container has ended and its last line has come. If it runs again, as its restart policy
    /// may want, they go on. The pieces of a line that the engine has split are put together; with
    /// [`timestamps`](Logs::timestamps) a line has one time, that of its beginning.
    ///
    /// Podman 4 says between two runs that the container has ended, and itself leaves out lines of followed logs where many
    /// are written quickly. A connection has to carry all lines of one time before it brings new ones: for Podman those of
    /// a second.
    pub fn resuming(self) -> ResumeLogs {
        ResumeLogs { logs: self, limits: Limits::default(), limit: LONGEST }
    }
}

impl ResumeLogs {
    /// Gives up after so many attempts that brought nothing, instead of 20.
    pub fn attempts(mut self, most: u32) -> Self {
        self.limits.attempts = most;
        self
    }

    /// Gives up when the engine can't be had for so long, instead of five minutes.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limits.within = limit;
        self
    }

    /// Pauses for so long between attempts: first, and at most, instead of 100 ms and 10 s. Each pause is twice the one
    /// before, less up to half by chance. Before the first attempt there is none.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.limits.first_pause, self.limits.longest_pause) = (first, longest);
        self
    }

    /// Connects anew when nothing has come for so long, since a connection may be dead without anybody telling. This is no
    /// interruption unless it fails.
    ///
    /// Unless it is set, TCP itself notices a peer that is gone; what stands between may not be.
    pub fn idle(mut self, limit: Duration) -> Self {
        self.limits.idle = Some(limit);
        self
    }

    /// Accepts lines of at most `limit` bytes, instead of 1 MiB.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Begins to read, and gives the lines. What can't be begun is not tried again.
    ///
    /// # Errors
    /// As [`Container::logs`].
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection.
    pub async fn lines(self) -> Result<ResumingLines> {
        let mut lines = ResumingLines::new(self);
        poll_fn(|context| lines.poll_begun(context)).await?;
        Ok(lines)
    }
}
