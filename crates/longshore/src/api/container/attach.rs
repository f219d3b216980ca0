use std::ops::{Deref, DerefMut};

use longshore_wire::query::Query;

use super::{Container, request};
use crate::api::{Call, Size};
use crate::error::Result;
use crate::http::{Method, Request};
use crate::stream::{OutputFraming, OutputStream, Session, Stdin};

/// A call to attach to a container; await it for the [`Attached`]. See [`Container::attach`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct Attach {
    container: Container,
    wanted: Wanted,
}

impl Container {
    /// Attaches to the container's main process: by default to what it writes to stdout and stderr from now on.
    ///
    /// `POST /containers/{id}/attach`, API 1.24+. Attach before the start to miss nothing. The container must have been
    /// made with its standard input open for [`stdin`](Attach::stdin) to do anything; when that input ends, the engine
    /// ends the output as well, unless the container was made with
    /// [`stdin_once`](crate::Spec::stdin_once) and has no terminal. Podman ends the input of the container with every
    /// session, whether it was made for one or for several.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let sorter = docker.containers().create(&longshore::Spec::image("alpine").cmd("sort").stdin_once()).await?;
    /// let mut session = sorter.attach().stdin().await?;
    /// sorter.start().await?;
    /// session.write_all(b"b\na\n").await?;
    /// session.close_stdin().await?;
    /// let output = session.into_output().collect().await?;
    /// assert!(output.stdout == "a\nb\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is paused or
    /// restarting, on Podman also when it was not started yet and its command does not exist.
    ///
    /// # Cancel safety
    /// Dropping the call or what it gives closes the connection; the container runs on.
    pub fn attach(&self) -> Attach {
        Attach { container: self.clone(), wanted: Wanted::default() }
    }

    /// Tells the container's terminal how large it is.
    ///
    /// `POST /containers/{id}/resize`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) or
    /// [`Server`](crate::ErrorKind::Server), by engine, when the container is not running.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the size may be set all the same.
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.docker.send(resize(&self.id, size)?).await?.finish().await
    }
}

impl Attach {
    /// Attaches to standard input too.
    pub fn stdin(mut self) -> Self {
        self.wanted.stdin = true;
        self
    }

    /// Leaves out stderr.
    pub fn stdout_only(mut self) -> Self {
        (self.wanted.stdout, self.wanted.stderr) = (true, false);
        self
    }

    /// Leaves out stdout.
    pub fn stderr_only(mut self) -> Self {
        (self.wanted.stdout, self.wanted.stderr) = (false, true);
        self
    }

    /// Leaves out stdout and stderr. Podman closes such a connection to a terminal at once.
    pub fn without_output(mut self) -> Self {
        (self.wanted.stdout, self.wanted.stderr) = (false, false);
        self
    }

    /// Begins with what has been written so far, as the log driver kept it.
    ///
    /// Podman 4 garbles the frames of these logs, so that the stream ends with an error:
    /// read [`logs`](Container::logs) there.
    pub fn logs(mut self) -> Self {
        self.wanted.logs = true;
        self
    }

    /// Gives what has been written so far and ends there, instead of going on; see [`logs`](Attach::logs) for Podman.
    pub fn logs_only(mut self) -> Self {
        (self.wanted.logs, self.wanted.stream) = (true, false);
        self
    }

    /// Sets the keys that, sent to a terminal, end the attachment, such as `ctrl-p,ctrl-q`. Podman recognises them only
    /// when each is sent by itself.
    pub fn detach_keys(mut self, keys: impl Into<String>) -> Self {
        self.wanted.detach_keys = Some(keys.into());
        self
    }

    async fn open(self) -> Result<Attached> {
        let request = self.request()?;
        let container = self.container;
        let before = container.framing_told_before().await?;
        let response = container.docker.send(request).await?;
        let (operation, head, upgraded) = response.into_upgraded()?;
        // Without a change of protocol, the engine says `raw-stream` even of output in frames.
        let told = OutputFraming::told_by(&head)
            .filter(|framing| head.status == 101 || *framing == OutputFraming::Multiplexed);
        let framing = container.framing(before, told).await?;
        Ok(Attached { session: Session::new(upgraded, framing, operation), container })
    }

    fn request(&self) -> Result<Request> {
        let mut request = request(Method::Post, "attach to container", &self.container.id, "attach")?.upgrade("tcp");
        self.wanted.encode(&mut request.query);
        Ok(request)
    }
}

impl IntoFuture for Attach {
    type Output = Result<Attached>;
    type IntoFuture = Call<Attached>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

/// A [`Session`] with a container's main process.
#[derive(Debug)]
pub struct Attached {
    container: Container,
    session: Session,
}

impl Attached {
    /// Tells the container's terminal how large it is; see [`Container::resize`].
    ///
    /// # Errors
    /// As [`Container::resize`].
    ///
    /// # Cancel safety
    /// As [`Container::resize`].
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.container.resize(size).await
    }

    /// Takes input and output apart, to be used by different tasks. The connection is closed once both are dropped.
    pub fn split(self) -> (Stdin, OutputStream) {
        self.session.split()
    }

    /// Keeps only the output. The input stays as it is: end it before with
    /// [`close_stdin`](Session::close_stdin) if the process waits for that.
    pub fn into_output(self) -> OutputStream {
        self.session.into_output()
    }
}

impl Deref for Attached {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Attached {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

/// What an attachment is to carry, however it is made.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) stdin: bool,
    pub(super) stdout: bool,
    pub(super) stderr: bool,
    pub(super) logs: bool,
    pub(super) stream: bool,
    pub(super) detach_keys: Option<String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted { stdin: false, stdout: true, stderr: true, logs: false, stream: true, detach_keys: None }
    }
}

impl Wanted {
    pub(super) fn encode(&self, query: &mut Query) {
        query
            .bool("stream", self.stream)
            .bool("stdin", self.stdin)
            .bool("stdout", self.stdout)
            .bool("stderr", self.stderr)
            .flag("logs", self.logs)
            .optional("detachKeys", self.detach_keys.as_ref());
    }
}

fn resize(id: &str, size: Size) -> Result<Request> {
    let mut request = request(Method::Post, "resize terminal of container", id, "resize")?;
    request.query.push("h", size.rows).push("w", size.columns);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Docker;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let attach = || Docker::connect_to("unix:///nowhere").unwrap().container("web").attach();
        let request = attach().request().unwrap();
        assert_eq!(request.upgrade.as_deref(), Some("tcp"));
        assert_eq!(text(Ok(request)), "POST /containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1");
        assert_eq!(
            text(attach().stdin().stderr_only().logs().detach_keys("ctrl-z").request()),
            "POST /containers/web/attach?stream=1&stdin=1&stdout=0&stderr=1&logs=1&detachKeys=ctrl-z"
        );
        assert_eq!(
            text(attach().stdout_only().logs_only().request()),
            "POST /containers/web/attach?stream=0&stdin=0&stdout=1&stderr=0&logs=1"
        );
        assert_eq!(
            text(attach().stdin().without_output().request()),
            "POST /containers/web/attach?stream=1&stdin=1&stdout=0&stderr=0"
        );
        assert_eq!(text(resize("web", Size { rows: 40, columns: 120 })), "POST /containers/web/resize?h=40&w=120");
    }
}
