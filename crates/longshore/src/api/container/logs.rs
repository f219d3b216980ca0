use std::time::SystemTime;

use longshore_wire::version::ApiVersion;

use super::{Container, request};
use crate::api::{Call, Instant, since_epoch};
use crate::error::Result;
use crate::http::{Method, Request};
use crate::stream::{OutputFraming, OutputStream};

/// A call for a container's logs; await it for the [`OutputStream`]. See [`Container::logs`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct Logs {
    container: Container,
    stdout: bool,
    stderr: bool,
    follow: bool,
    timestamps: bool,
    details: bool,
    since: Option<Instant>,
    until: Option<Instant>,
    tail: Option<u64>,
}

impl Container {
    /// The container's logs: by default all that it has written to stdout and stderr so far.
    ///
    /// `GET /containers/{id}/logs`, API 1.24+. The engine keeps logs only with some log drivers. What is written comes
    /// once its line has ended, and Docker's usual driver replaces bytes that are not UTF-8 by U+FFFD;
    /// [`attach`](Container::attach) gives everything at once and as it is.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut lines = docker.container("web").logs().follow().tail(100).await?.lines();
    /// while let Some(line) = lines.next().await {
    ///     let line = line?;
    ///     println!("{} {line}", line.source);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Unsupported`](crate::ErrorKind::Unsupported) or
    /// [`Server`](crate::ErrorKind::Server) when the log driver can't be read.
    ///
    /// # Cancel safety
    /// Dropping the call closes its connection.
    #[doc(alias = "log")]
    pub fn logs(&self) -> Logs {
        Logs {
            container: self.clone(),
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

    /// What is known of how output is framed before it comes: below API 1.42 answers don't tell, so the container is
    /// asked whether it has a terminal.
    pub(crate) async fn framing_told_before(&self) -> Result<Option<OutputFraming>> {
        match self.docker.api_version().await? < ApiVersion::new(1, 42) {
            true => self.framing_of_terminal().await.map(Some),
            false => Ok(None),
        }
    }

    /// How the container's output is framed: as was told `before`, or by the head of the answer, or else by the
    /// container.
    pub(crate) async fn framing(
        &self,
        before: Option<OutputFraming>,
        told: Option<OutputFraming>,
    ) -> Result<OutputFraming> {
        match before.or(told) {
            Some(framing) => Ok(framing),
            None => self.framing_of_terminal().await,
        }
    }

    async fn framing_of_terminal(&self) -> Result<OutputFraming> {
        match self.inspect().await?.config.tty {
            true => Ok(OutputFraming::Terminal),
            false => Ok(OutputFraming::Multiplexed),
        }
    }
}

impl Logs {
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

    /// Goes on with what is written from now on, until the container ends.
    pub fn follow(mut self) -> Self {
        self.follow = true;
        self
    }

    /// Begins every line with its time, in RFC 3339 with nanoseconds (Podman 4: with whole seconds), and a space.
    pub fn timestamps(mut self) -> Self {
        self.timestamps = true;
        self
    }

    /// Begins every line with the labels and variables that the log driver was told to keep; nothing on Podman.
    pub fn details(mut self) -> Self {
        self.details = true;
        self
    }

    /// Leaves out what was written before `time`, to the nanosecond (Podman 4: to the second).
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = Some(since_epoch(time));
        self
    }

    /// Leaves out what was written after `time`, to the nanosecond (Podman 4: to the second).
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = Some(since_epoch(time));
        self
    }

    /// Begins with the last so many lines, counted over stdout and stderr together even where one of them is left out.
    pub fn tail(mut self, lines: u64) -> Self {
        self.tail = Some(lines);
        self
    }

    async fn open(self) -> Result<OutputStream> {
        let request = self.request()?;
        let container = self.container;
        let before = container.framing_told_before().await?;
        let response = container.docker.send(request).await?;
        let framing = container.framing(before, OutputFraming::told_by(response.head())).await?;
        Ok(OutputStream::from_body(response.into_body(), framing))
    }

    fn request(&self) -> Result<Request> {
        let mut request = request(Method::Get, "read logs of container", &self.container.id, "logs")?;
        if self.follow {
            // Some engines answer with the first line, whenever that comes.
            request = request.unbounded();
        }
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
        Ok(request)
    }
}

impl IntoFuture for Logs {
    type Output = Result<OutputStream>;
    type IntoFuture = Call<OutputStream>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

#[cfg(test)]
mod tests {
    use crate::Docker;
    use crate::api::golden::text;
    use std::time::{Duration, UNIX_EPOCH};

    #[tokio::test]
    async fn requests_are_as_the_engine_expects_them() {
        let logs = || Docker::connect_to("unix:///nowhere").unwrap().container("web").logs();
        assert_eq!(text(logs().request()), "GET /containers/web/logs?stdout=1&stderr=1");
        let logs = logs().stderr_only().follow().timestamps().details().tail(5);
        let logs = logs.since(UNIX_EPOCH + Duration::new(1_700_000_000, 1)).until(UNIX_EPOCH + Duration::from_secs(9));
        assert_eq!(
            text(logs.request()),
            "GET /containers/web/logs?stdout=0&stderr=1&follow=1&timestamps=1&details=1&tail=5\
             &since=1700000000.000000001&until=9.000000000"
        );
        assert!(text(logs.stdout_only().request()).contains("stdout=1&stderr=0"));
    }
}
