//! Tasks: [`Tasks`] for all of a swarm, [`Task`] for one.

use std::fmt::Display;

use longshore_models::{Raw, TaskInspect};
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;

use crate::api::Call;
use crate::api::logs::{self, Logs};
use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};
use crate::stream::OutputStream;

/// All tasks of a swarm; see [`Docker::tasks`].
#[derive(Clone, Debug)]
pub struct Tasks {
    pub(crate) docker: Docker,
}

/// One task, by its id. Making a handle does no I/O; see [`Docker::task`].
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let task = docker.task("0kzzo1i0y4jz6027t0k7aezc7").inspect().await?;
/// println!("{} {}", task.status.state, task.status.err);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Task {
    pub(crate) docker: Docker,
    pub(crate) id: String,
}

impl Docker {
    /// All tasks of the swarm that the engine manages.
    #[doc(alias = "DockerTasks")]
    pub fn tasks(&self) -> Tasks {
        Tasks { docker: self.clone() }
    }

    /// The task with this id, or a unique beginning of it. Nothing is sent.
    pub fn task(&self, id: impl Into<String>) -> Task {
        Task { docker: self.clone(), id: id.into() }
    }
}

/// Which tasks to list.
///
/// ```
/// use longshore::TaskListOptions;
///
/// let current = TaskListOptions::default().filter("service", "web").filter("desired-state", "running");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TaskListOptions {
    /// What the tasks must match.
    pub filters: Filters,
}

impl TaskListOptions {
    /// Lists only tasks that match, such as `("service", "web")`, `("node", "worker-1")`, `("label", "a=b")`,
    /// `("desired-state", "running")`, `("name", "web.1")`, `("id", "0kzz")`; and with `("runtime", "plugin")` those of
    /// plugins, which are left out otherwise.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed. Names and
    /// ids match by their beginning; services and nodes are named, or told by their ids. The labels are those of the
    /// service.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Tasks {
    /// Lists the tasks of the swarm, those that have ended among them, as long as the swarm remembers them.
    ///
    /// `GET /tasks`, API 1.24+.
    ///
    /// ```no_run
    /// # use longshore::TaskListOptions;
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for task in docker.tasks().list_with(&TaskListOptions::default().filter("service", "web")).await? {
    ///     println!("{} {} {}", task.slot, task.status.state, task.status.err);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine manages no swarm.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<TaskInspect>> {
        self.list_with(&TaskListOptions::default()).await
    }

    /// Lists tasks, as `options` say; see [`list`](Tasks::list).
    ///
    /// # Errors
    /// As [`list`](Tasks::list); [`NotFound`](crate::ErrorKind::NotFound) for a filter by a service or node that is not
    /// there, [`Invalid`](crate::ErrorKind::Invalid) for one that the engine does not know,
    /// [`Server`](crate::ErrorKind::Server) for a state that it does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Tasks::list).
    pub async fn list_with(&self, options: &TaskListOptions) -> Result<Vec<TaskInspect>> {
        self.docker.send(list(options)).await?.list().await
    }
}

impl Task {
    /// The id that this handle was made with.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Tells everything about the task.
    ///
    /// `GET /tasks/{id}`, API 1.24+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), also once the swarm has forgotten it;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine manages no swarm.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<TaskInspect>> {
        self.docker.send(request("inspect task", &self.id, "")?).await?.raw().await
    }

    /// The logs of the task: by default all that its container has written to stdout and stderr so far.
    ///
    /// `GET /tasks/{id}/logs`, API 1.29+; see [`Service::logs`](crate::Service::logs).
    ///
    /// # Errors
    /// As [`Service::logs`](crate::Service::logs).
    ///
    /// # Cancel safety
    /// Dropping the call closes its connection.
    #[doc(alias = "log")]
    pub fn logs(&self) -> Logs<Task> {
        Logs::new(self.clone())
    }

    async fn has_terminal(&self) -> Result<bool> {
        Ok(self.inspect().await?.spec.container_spec.tty)
    }
}

impl Logs<Task> {
    async fn open(self) -> Result<OutputStream> {
        logs::open(&self.of.docker, self.request()?, || self.of.has_terminal()).await
    }

    fn request(&self) -> Result<Request> {
        Ok(self.asked_in(request("read logs of task", &self.of.id, "logs")?))
    }
}

impl IntoFuture for Logs<Task> {
    type Output = Result<OutputStream>;
    type IntoFuture = Call<OutputStream>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

fn list(options: &TaskListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("tasks"), Operation::new("list tasks"));
    request.query.filters(&options.filters);
    request
}

/// A request about one task: `/tasks/{id}/{action}`, or without an action `/tasks/{id}`.
fn request(operation: &'static str, id: &str, action: &'static str) -> Result<Request> {
    let operation = Operation::on(operation, id);
    let path = Path::new("tasks").segment(id).map_err(|source| operation.bad_name(source))?;
    let path = if action.is_empty() { path } else { path.literal(action) };
    Ok(Request::new(Method::Get, path, operation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(list(&TaskListOptions::default()))), "GET /tasks");
        assert_eq!(
            text(Ok(list(&TaskListOptions::default().filter("service", "web")))),
            "GET /tasks?filters=%7B%22service%22%3A%5B%22web%22%5D%7D"
        );
        assert_eq!(text(request("inspect task", "0kzz", "")), "GET /tasks/0kzz");
        assert_eq!(request("inspect task", "", "").unwrap_err().kind(), crate::ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn logs_are_asked_for_as_those_of_a_service() {
        let logs = Docker::connect_to("unix:///nowhere").unwrap().task("0kzz").logs();
        let logs = logs.follow().timestamps().details().tail(5).since(UNIX_EPOCH + Duration::new(1_700_000_000, 1));
        assert_eq!(
            text(logs.request()),
            "GET /tasks/0kzz/logs?stdout=1&stderr=1&follow=1&timestamps=1&details=1&tail=5\
             &since=1700000000.000000001"
        );
    }
}
