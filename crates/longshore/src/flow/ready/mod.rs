//! Waiting until a container is ready, whatever that means for it.

pub mod condition;
mod probe;
mod watch;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::Call;
use crate::api::container::Container;
use crate::error::{ErrorKind, Operation, Result};
use condition::Condition;
use watch::Watch;

/// A call that waits for a container; await it, or [`arm`](WaitUntil::arm) it first. See [`Container::wait_until`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct WaitUntil {
    container: Container,
    condition: Condition,
    limit: Option<Duration>,
}

impl Container {
    /// Waits until the container is as `condition` says: running, healthy, listening on a port, having written a line, and
    /// whatever can be made of these.
    ///
    /// It listens to the engine's events and reads the logs, and asks again only for ports. To miss nothing of what a
    /// container does at once, arm the wait before the start:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use std::time::Duration;
    /// use longshore::condition::{healthy, log_line, port};
    ///
    /// let web = docker.container("web");
    /// let ready = web.wait_until(healthy().or(port(80))).within(Duration::from_secs(30)).arm().await?;
    /// web.start().await?;
    /// ready.await?;
    ///
    /// // One that runs already; lines that it has written since its start count.
    /// docker.container("database").wait_until(log_line("ready to accept")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It waits as long as [`within`](WaitUntil::within) says, else until the client's deadline for the whole call, else
    /// without an end.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where there is no such container;
    /// [`Timeout`](crate::ErrorKind::Timeout) when the time is over; [`Conflict`](crate::ErrorKind::Conflict) when the
    /// container ends, or is removed, so that the condition can't be met any more. Both tell the state that was seen last
    /// and the last lines of the logs. Whatever else [`Docker::events`](crate::Docker::events), [`Container::inspect`] and
    /// [`Container::logs`] can fail with.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait.
    pub fn wait_until(&self, condition: Condition) -> WaitUntil {
        WaitUntil { container: self.clone(), condition, limit: self.docker.deadlines().total }
    }
}

impl WaitUntil {
    /// Waits so long at most, counted from when the wait is armed.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Begins to watch the container. What it does after this is not missed; await the [`Ready`] for the condition.
    ///
    /// # Errors
    /// As [`Container::wait_until`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait.
    pub async fn arm(self) -> Result<Ready> {
        let end = self.limit.map(|limit| Instant::now() + limit);
        let beginning = Watch::begin(self.container.clone(), self.condition, end);
        let watch = match end {
            Some(end) => tokio::time::timeout_at(end, beginning).await.map_err(|_| {
                let message = "the time is over before the engine told of it";
                Operation::on("wait for container", self.container.id()).error(ErrorKind::Timeout, message)
            })?,
            None => beginning.await,
        }?;
        Ok(Ready { met: Box::pin(watch.until_met()) })
    }
}

impl IntoFuture for WaitUntil {
    type Output = Result<()>;
    type IntoFuture = Call<()>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.arm().await?.await })
    }
}

/// A wait that has begun: a future that is ready when its condition is met. See [`Container::wait_until`].
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Ready {
    met: Call<()>,
}

impl Future for Ready {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.met.as_mut().poll(context)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ready").finish_non_exhaustive()
    }
}
