//! Processes in running containers: [`NewExec`] to start one, [`Exec`] for one that exists.

mod new;
mod session;

use std::time::Duration;

use longshore_models::{ConsoleSize, ExecInspect, ExecStart, Raw};
use longshore_wire::path::Path;
use tokio::time::Instant;

pub use new::{Finished, NewExec};
pub use session::ExecSession;

use crate::api::Size;
use crate::api::container::ExitStatus;
use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};
use crate::stream::{OutputFraming, Session};

/// A process that was started, or is to be, in a running container. See [`Docker::exec`].
#[derive(Clone, Debug)]
pub struct Exec {
    docker: Docker,
    id: String,
    /// Whether it has a terminal, if that is known.
    tty: Option<bool>,
}

impl Docker {
    /// The exec with this id, as [`Exec::id`] told it. Nothing is sent.
    pub fn exec(&self, id: impl Into<String>) -> Exec {
        Exec { docker: self.clone(), id: id.into(), tty: None }
    }
}

impl Exec {
    /// The id of the exec.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Tells the state of the process, and its exit code once it has ended.
    ///
    /// `GET /exec/{id}/json`, API 1.24+. Engines forget an exec some minutes after it has ended.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Reads only.
    #[doc(alias = "show")]
    pub async fn inspect(&self) -> Result<Raw<ExecInspect>> {
        self.docker.send(request(Method::Get, "inspect exec", &self.id, "json")?).await?.raw().await
    }

    /// Starts a process that was created, and stays connected to it.
    ///
    /// `POST /exec/{id}/start`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when its container is not
    /// running, on Podman also when it was started already. Docker tells that on the stdout of the session.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the process may run all the same.
    pub async fn start(&self) -> Result<ExecSession> {
        self.clone().open(None).await
    }

    async fn open(self, size: Option<ConsoleSize>) -> Result<ExecSession> {
        let tty = match self.tty {
            Some(tty) => tty,
            None => self.inspect().await?.process_config.tty,
        };
        let response = self.docker.send(start(&self.id, tty, size)?.upgrade("tcp")).await?;
        let (operation, _, upgraded) = response.into_upgraded()?;
        let framing = if tty { OutputFraming::Terminal } else { OutputFraming::Multiplexed };
        Ok(ExecSession { exec: self, session: Session::new(upgraded, framing, operation) })
    }

    /// Starts a process that was created, and leaves it to itself.
    ///
    /// `POST /exec/{id}/start`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it was started already
    /// or its container is not running.
    ///
    /// # Cancel safety
    /// As [`start`](Exec::start).
    pub async fn start_detached(&self) -> Result<()> {
        self.docker.send(start_detached(&self.id)?).await?.finish().await
    }

    /// Tells the process's terminal how large it is.
    ///
    /// `POST /exec/{id}/resize`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict),
    /// [`Invalid`](crate::ErrorKind::Invalid) or [`Server`](crate::ErrorKind::Server), by engine, when it is not running
    /// or has no terminal.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the size may be set all the same.
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.docker.send(resize(&self.id, size)?).await?.finish().await
    }

    /// Waits for the process to end.
    ///
    /// The engine has no call for this, so it is asked again and again: after 2 ms at first, every half second later.
    /// Podman 4 takes note of the end of a process that nobody is connected to only five minutes later.
    ///
    /// # Errors
    /// As [`inspect`](Exec::inspect), and [`Timeout`](crate::ErrorKind::Timeout) when
    /// [`Deadlines::total`](crate::Deadlines::total) passes.
    ///
    /// # Cancel safety
    /// Reads only.
    pub async fn wait(&self) -> Result<ExitStatus> {
        let end = self.docker.deadlines().total.map(|total| Instant::now() + total);
        self.wait_until(end).await?.ok_or_else(|| Operation::on("wait for exec", &self.id).late())
    }

    /// Waits for the process to end, until a moment at most.
    async fn wait_until(&self, end: Option<Instant>) -> Result<Option<ExitStatus>> {
        let mut pause = Duration::from_millis(2);
        loop {
            let state = self.inspect().await?;
            if let (false, Some(code)) = (state.running, state.exit_code) {
                return Ok(Some(ExitStatus::new(code)));
            }
            let next = Instant::now() + pause;
            if end.is_some_and(|end| end < next) {
                return Ok(None);
            }
            tokio::time::sleep_until(next).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    /// Waits for the end of the process whose output has ended.
    ///
    /// A connection that somebody between here and the engine has closed looks like one that the engine has closed.
    async fn wait_after_output(&self) -> Result<ExitStatus> {
        let total = self.docker.deadlines().total.filter(|total| *total < AFTER_OUTPUT);
        let end = Instant::now() + total.unwrap_or(AFTER_OUTPUT);
        self.wait_until(Some(end)).await?.ok_or_else(|| {
            let operation = Operation::on("read output of exec", &self.id);
            let message = "the output has ended, but the command runs on: it has closed its output, or something has \
                cut the connection";
            match total {
                Some(_) => operation.late(),
                None => operation.error(ErrorKind::Truncated, message),
            }
        })
    }
}

/// How long a process or a container may run on after its output has ended, before that output counts as cut.
pub(crate) const AFTER_OUTPUT: Duration = Duration::from_secs(10);

/// A request about one exec: `/exec/{id}/{action}`.
fn request(method: Method, name: &'static str, id: &str, action: &'static str) -> Result<Request> {
    let operation = Operation::on(name, id);
    let path = Path::new("exec").segment(id).map_err(|source| operation.bad_name(source))?;
    Ok(Request::new(method, path.literal(action), operation))
}

fn start(id: &str, tty: bool, size: Option<ConsoleSize>) -> Result<Request> {
    let mut body = ExecStart::default();
    (body.tty, body.console_size) = (tty, size);
    request(Method::Post, "start exec", id, "start")?.unbounded().json(&body)
}

fn start_detached(id: &str) -> Result<Request> {
    let mut body = ExecStart::default();
    body.detach = true;
    request(Method::Post, "start exec", id, "start")?.unbounded().json(&body)
}

fn resize(id: &str, size: Size) -> Result<Request> {
    let mut request = request(Method::Post, "resize terminal of exec", id, "resize")?;
    request.query.push("h", size.rows).push("w", size.columns);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    const JSON: &str = "\nContent-Type: application/json\n\n";

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(start("e1", true, None)),
            format!("POST /exec/e1/start{JSON}{{\"Detach\":false,\"Tty\":true}}")
        );
        assert_eq!(text(start_detached("e1")), format!("POST /exec/e1/start{JSON}{{\"Detach\":true,\"Tty\":false}}"));
        assert_eq!(text(request(Method::Get, "inspect exec", "e/1", "json")), "GET /exec/e%2F1/json");
        assert_eq!(text(resize("e1", Size { rows: 1, columns: 2 })), "POST /exec/e1/resize?h=1&w=2");
    }
}
