use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use longshore_models::WaitResponse;
use longshore_wire::version::ApiVersion;

use super::{Container, request};
use crate::error::{ErrorKind, Result};
use crate::http::{Method, Request};
use crate::stream::JsonStream;

/// What to wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// The container is not running: at once if it isn't now. The code of one that never ran is 0, on Podman -1.
    #[default]
    NotRunning,
    /// The container ends the next time.
    NextExit,
    /// The container is removed. Podman 4 has forgotten by then how it ended, and always tells the code 0.
    Removed,
}

impl Until {
    /// The API's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Until::NotRunning => "not-running",
            Until::NextExit => "next-exit",
            Until::Removed => "removed",
        }
    }
}

/// How a process ended. A code other than 0 is a result, not an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExitStatus {
    code: i64,
}

impl ExitStatus {
    /// A status with this code.
    pub fn new(code: i64) -> Self {
        ExitStatus { code }
    }

    /// Whether the code is 0.
    pub fn success(self) -> bool {
        self.code == 0
    }

    /// The code; 128 and the number of a signal where one ended the process.
    pub fn code(self) -> i64 {
        self.code
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit code {}", self.code)
    }
}

/// A wait that the engine has registered: a future of the [`ExitStatus`].
///
/// # Errors
/// [`Truncated`](ErrorKind::Truncated) when the connection ends first, [`InStream`](ErrorKind::InStream) when the
/// engine could not wait to the end, [`Timeout`](ErrorKind::Timeout) at a deadline.
///
/// # Cancel safety
/// It may be polled on after something else was awaited. Dropping it ends the wait, not the container.
#[derive(Debug)]
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Wait {
    answers: JsonStream<WaitResponse>,
}

impl Future for Wait {
    type Output = Result<ExitStatus>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        use futures_core::Stream;
        let answer = ready!(Pin::new(&mut self.answers).poll_next(context));
        let operation = self.answers.operation();
        let Some(answer) = answer else {
            let message = "the engine ended the wait without saying how the container ended";
            return Poll::Ready(Err(operation.error(ErrorKind::Truncated, message)));
        };
        Poll::Ready(answer.and_then(|WaitResponse { status_code, error, .. }| match error {
            Some(error) if !error.message.is_empty() => Err(operation.error(ErrorKind::InStream, error.message)),
            _ => Ok(ExitStatus::new(status_code)),
        }))
    }
}

impl Container {
    /// Waits for the container to end. It is armed when this returns; await the [`Wait`] for the exit status.
    ///
    /// `POST /containers/{id}/wait`, API 1.24+; conditions, API 1.30+. To miss nothing of a container that ends at
    /// once, arm the wait before the start:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::Until;
    ///
    /// let job = docker.container("job");
    /// let exit = job.wait(Until::NextExit).await?;
    /// job.start().await?;
    /// println!("{}", exit.await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It waits as long as the container runs; set [`Deadlines::total`](crate::Deadlines::total) for less.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait.
    pub async fn wait(&self, until: Until) -> Result<Wait> {
        let response = self.docker.send(wait(&self.id, &until)?).await?;
        Ok(Wait { answers: JsonStream::new(response) })
    }
}

fn wait(id: &str, until: &Until) -> Result<Request> {
    let mut request = request(Method::Post, "wait for container", id, "wait")?.unbounded();
    request.query.push("condition", until.as_str());
    if *until != Until::NotRunning {
        request.needs("the condition of a wait", ApiVersion::new(1, 30));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(wait("job", &Until::NotRunning)), "POST /containers/job/wait?condition=not-running");
        assert_eq!(text(wait("job", &Until::NextExit)), "POST /containers/job/wait?condition=next-exit");
        assert_eq!(text(wait("job", &Until::Removed)), "POST /containers/job/wait?condition=removed");
    }
}
