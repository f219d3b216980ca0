use std::time::Duration;

use longshore_wire::version::ApiVersion;

use super::{Container, request};
use crate::api::whole_seconds;
use crate::error::Result;
use crate::http::{Method, Request, Response};

/// Whether a call changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The container changed its state.
    Changed,
    /// It was in the wanted state already.
    Unchanged,
}

impl Transition {
    async fn of(response: Response) -> Result<Self> {
        let unchanged = response.status() == 304;
        response.finish().await?;
        Ok(if unchanged { Transition::Unchanged } else { Transition::Changed })
    }
}

/// How to start a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StartOptions {
    /// The keys that detach from the container, such as `ctrl-p,ctrl-q`.
    pub detach_keys: Option<String>,
    /// The checkpoint to go on from; needs an engine with experimental features.
    pub checkpoint: Option<String>,
    /// The folder on the engine's machine in which the checkpoint is.
    pub checkpoint_dir: Option<String>,
}

impl StartOptions {
    /// Sets the keys that detach from the container, such as `ctrl-p,ctrl-q`.
    #[must_use]
    pub fn detach_keys(mut self, keys: impl Into<String>) -> Self {
        self.detach_keys = Some(keys.into());
        self
    }

    /// Goes on from a checkpoint.
    #[must_use]
    pub fn checkpoint(mut self, name: impl Into<String>) -> Self {
        self.checkpoint = Some(name.into());
        self
    }

    /// Looks for the checkpoint in this folder on the engine's machine.
    #[must_use]
    pub fn checkpoint_dir(mut self, folder: impl Into<String>) -> Self {
        self.checkpoint_dir = Some(folder.into());
        self
    }
}

/// How to stop a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StopOptions {
    /// How long the container may take before it is killed; the container's own setting unless set, mostly 10 s.
    pub grace: Option<Duration>,
    /// The signal that asks it to stop, such as `SIGINT`; API 1.42+.
    pub signal: Option<String>,
}

impl StopOptions {
    /// Kills the container once this has passed, in whole seconds rounded up.
    #[must_use]
    #[doc(alias = "t")]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Asks with this signal, by name or number.
    #[must_use]
    pub fn signal(mut self, signal: impl Into<String>) -> Self {
        self.signal = Some(signal.into());
        self
    }
}

/// How to restart a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RestartOptions {
    /// How long the container may take to stop before it is killed; the container's own setting unless set.
    pub grace: Option<Duration>,
    /// The signal that asks it to stop, such as `SIGINT`; API 1.42+.
    pub signal: Option<String>,
}

impl RestartOptions {
    /// Kills the container once this has passed, in whole seconds rounded up.
    #[must_use]
    #[doc(alias = "t")]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Asks it to stop with this signal, by name or number.
    #[must_use]
    pub fn signal(mut self, signal: impl Into<String>) -> Self {
        self.signal = Some(signal.into());
        self
    }
}

/// How to kill a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KillOptions {
    /// The signal; `SIGKILL` unless set.
    pub signal: Option<String>,
}

impl KillOptions {
    /// Sends this signal, by name or number.
    #[must_use]
    pub fn signal(mut self, signal: impl Into<String>) -> Self {
        self.signal = Some(signal.into());
        self
    }
}

/// How to remove a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RemoveOptions {
    /// Whether a running container is killed first.
    pub force: bool,
    /// Whether its anonymous volumes go with it.
    pub volumes: bool,
    /// Whether the name is that of a link between containers, and the link is to be removed.
    pub link: bool,
}

impl RemoveOptions {
    /// Kills the container first if it is running.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Removes the container's anonymous volumes too.
    #[must_use]
    #[doc(alias = "v")]
    pub fn volumes(mut self) -> Self {
        self.volumes = true;
        self
    }

    /// Removes the link of this name, not a container.
    #[must_use]
    pub fn link(mut self) -> Self {
        self.link = true;
        self
    }
}

impl Container {
    /// Starts the container.
    ///
    /// `POST /containers/{id}/start`, API 1.24+. To learn how a container ends that may end at once, arm
    /// [`wait`](Container::wait) before.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Invalid`](crate::ErrorKind::Invalid),
    /// [`NotFound`](crate::ErrorKind::NotFound) or [`Server`](crate::ErrorKind::Server) when the engine can't run it,
    /// for instance since its command does not exist.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the engine may start the container all the same.
    pub async fn start(&self) -> Result<Transition> {
        self.start_with(&StartOptions::default()).await
    }

    /// Starts the container, as `options` say; see [`start`](Container::start).
    ///
    /// # Errors
    /// As [`start`](Container::start).
    ///
    /// # Cancel safety
    /// As [`start`](Container::start).
    pub async fn start_with(&self, options: &StartOptions) -> Result<Transition> {
        Transition::of(self.docker.send(start(&self.id, options)?).await?).await
    }

    /// Asks the container to stop, and kills it if it takes too long. Tells whether it was running.
    ///
    /// `POST /containers/{id}/stop`, API 1.24+. Waits as long as the engine does, whatever the deadline for heads is.
    /// Podman 4 grants no time to a container that was created over this API without a
    /// [`stop_timeout`](crate::Spec::stop_timeout): it kills it at once, unless a
    /// [`grace`](StopOptions::grace) is given here.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the engine goes on stopping the container.
    pub async fn stop(&self) -> Result<Transition> {
        self.stop_with(&StopOptions::default()).await
    }

    /// Asks the container to stop, as `options` say; see [`stop`](Container::stop).
    ///
    /// # Errors
    /// As [`stop`](Container::stop), and [`Unsupported`](crate::ErrorKind::Unsupported) for a signal below API 1.42.
    ///
    /// # Cancel safety
    /// As [`stop`](Container::stop).
    pub async fn stop_with(&self, options: &StopOptions) -> Result<Transition> {
        Transition::of(self.docker.send(stop(&self.id, options)?).await?).await
    }

    /// Stops the container if it is running, and starts it.
    ///
    /// `POST /containers/{id}/restart`, API 1.24+.
    ///
    /// # Errors
    /// As [`start`](Container::start).
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the engine goes on restarting the container.
    pub async fn restart(&self) -> Result<()> {
        self.restart_with(&RestartOptions::default()).await
    }

    /// Stops and starts the container, as `options` say; see [`restart`](Container::restart).
    ///
    /// # Errors
    /// As [`restart`](Container::restart), and [`Unsupported`](crate::ErrorKind::Unsupported) for a signal below
    /// API 1.42.
    ///
    /// # Cancel safety
    /// As [`restart`](Container::restart).
    pub async fn restart_with(&self, options: &RestartOptions) -> Result<()> {
        self.docker.send(restart(&self.id, options)?).await?.finish().await
    }

    /// Kills the container, with `SIGKILL`.
    ///
    /// `POST /containers/{id}/kill`, API 1.24+. It returns when the signal was sent, not when the container has ended.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is not running.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the signal may be sent all the same.
    pub async fn kill(&self) -> Result<()> {
        self.kill_with(&KillOptions::default()).await
    }

    /// Sends the container a signal; see [`kill`](Container::kill).
    ///
    /// # Errors
    /// As [`kill`](Container::kill), and [`Invalid`](crate::ErrorKind::Invalid) or
    /// [`Server`](crate::ErrorKind::Server) for a signal that does not exist.
    ///
    /// # Cancel safety
    /// As [`kill`](Container::kill).
    pub async fn kill_with(&self, options: &KillOptions) -> Result<()> {
        self.docker.send(kill(&self.id, options)?).await?.finish().await
    }

    /// Freezes all processes of the container.
    ///
    /// `POST /containers/{id}/pause`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is not running or is
    /// paused already.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may be paused all the same.
    pub async fn pause(&self) -> Result<()> {
        self.docker.send(pause(&self.id)?).await?.finish().await
    }

    /// Lets the processes of a paused container go on.
    ///
    /// `POST /containers/{id}/unpause`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) or
    /// [`Server`](crate::ErrorKind::Server) when it is not paused, by engine.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may go on all the same.
    pub async fn unpause(&self) -> Result<()> {
        self.docker.send(unpause(&self.id)?).await?.finish().await
    }

    /// Gives the container another name.
    ///
    /// `POST /containers/{id}/rename`, API 1.24+. A handle made with the old name no longer finds it; one made with
    /// the id does.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when the name is taken.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may have the new name all the same.
    pub async fn rename(&self, name: &str) -> Result<()> {
        self.docker.send(rename(&self.id, name)?).await?.finish().await
    }

    /// Removes the container, which must not be running.
    ///
    /// `DELETE /containers/{id}`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is running or being
    /// removed already.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.remove_with(&RemoveOptions::default()).await
    }

    /// Removes the container, as `options` say; see [`remove`](Container::remove).
    ///
    /// # Errors
    /// As [`remove`](Container::remove).
    ///
    /// # Cancel safety
    /// As [`remove`](Container::remove).
    pub async fn remove_with(&self, options: &RemoveOptions) -> Result<()> {
        self.docker.send(remove(&self.id, options)?).await?.finish().await
    }
}

/// Since when an engine heeds the signal of a stop or restart; older ones read over it.
const SIGNAL: ApiVersion = ApiVersion::new(1, 42);

fn start(id: &str, options: &StartOptions) -> Result<Request> {
    let mut request = request(Method::Post, "start container", id, "start")?.unbounded();
    request
        .query
        .optional("detachKeys", options.detach_keys.as_ref())
        .optional("checkpoint", options.checkpoint.as_ref())
        .optional("checkpoint-dir", options.checkpoint_dir.as_ref());
    Ok(request)
}

fn stop(id: &str, options: &StopOptions) -> Result<Request> {
    let mut request = request(Method::Post, "stop container", id, "stop")?.unbounded();
    request.query.optional("t", options.grace.map(whole_seconds)).optional("signal", options.signal.as_ref());
    if options.signal.is_some() {
        request.needs("the signal of a stop", SIGNAL);
    }
    Ok(request)
}

fn restart(id: &str, options: &RestartOptions) -> Result<Request> {
    let mut request = request(Method::Post, "restart container", id, "restart")?.unbounded();
    request.query.optional("t", options.grace.map(whole_seconds)).optional("signal", options.signal.as_ref());
    if options.signal.is_some() {
        request.needs("the signal of a restart", SIGNAL);
    }
    Ok(request)
}

fn kill(id: &str, options: &KillOptions) -> Result<Request> {
    let mut request = request(Method::Post, "kill container", id, "kill")?;
    request.query.optional("signal", options.signal.as_ref());
    Ok(request)
}

fn pause(id: &str) -> Result<Request> {
    request(Method::Post, "pause container", id, "pause")
}

fn unpause(id: &str) -> Result<Request> {
    request(Method::Post, "unpause container", id, "unpause")
}

fn rename(id: &str, name: &str) -> Result<Request> {
    let mut request = request(Method::Post, "rename container", id, "rename")?;
    request.query.push("name", name);
    Ok(request)
}

fn remove(id: &str, options: &RemoveOptions) -> Result<Request> {
    let mut request = request(Method::Delete, "remove container", id, "")?.unbounded();
    request.query.flag("force", options.force).flag("v", options.volumes).flag("link", options.link);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(start("web", &StartOptions::default())), "POST /containers/web/start");
        let options = StartOptions::default().detach_keys("ctrl-p,q").checkpoint("c1").checkpoint_dir("/a b");
        assert_eq!(
            text(start("web", &options)),
            "POST /containers/web/start?detachKeys=ctrl-p%2Cq&checkpoint=c1&checkpoint-dir=%2Fa%20b"
        );
        assert_eq!(text(stop("web", &StopOptions::default())), "POST /containers/web/stop");
        let options = StopOptions::default().grace(Duration::from_millis(1500)).signal("SIGINT");
        assert_eq!(text(stop("web", &options)), "POST /containers/web/stop?t=2&signal=SIGINT");
        let options = RestartOptions::default().grace(Duration::ZERO).signal("2");
        assert_eq!(text(restart("web", &options)), "POST /containers/web/restart?t=0&signal=2");
        assert_eq!(text(kill("web", &KillOptions::default())), "POST /containers/web/kill");
        let options = KillOptions::default().signal("SIGHUP");
        assert_eq!(text(kill("web", &options)), "POST /containers/web/kill?signal=SIGHUP");
        assert_eq!(text(pause("web")), "POST /containers/web/pause");
        assert_eq!(text(unpause("web")), "POST /containers/web/unpause");
        assert_eq!(text(rename("web", "a b")), "POST /containers/web/rename?name=a%20b");
        assert_eq!(text(remove("web", &RemoveOptions::default())), "DELETE /containers/web");
        let options = RemoveOptions::default().force().volumes().link();
        assert_eq!(text(remove("web", &options)), "DELETE /containers/web?force=1&v=1&link=1");
    }

    #[test]
    fn names_are_encoded_and_empty_ones_are_refused() {
        assert_eq!(text(pause("a/b?c%d e")), "POST /containers/a%2Fb%3Fc%25d%20e/pause");
        for bad in ["", ".", ".."] {
            let error = pause(bad).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid);
            assert_eq!(error.operation(), "pause container");
        }
    }

    #[test]
    fn a_signal_needs_an_engine_that_heeds_it() {
        assert_eq!(stop("web", &StopOptions::default()).unwrap().needs, []);
        let needs = stop("web", &StopOptions::default().signal("SIGINT")).unwrap().needs;
        assert_eq!(needs, [("the signal of a stop", ApiVersion::new(1, 42))]);
    }
}
