//! Replacing a container whose spec has changed, without ever being without one.

mod aside;
mod compare;
mod predict;

use longshore_models::{ContainerInspect, Raw, SystemInfo};
use longshore_wire::path::Path;
use serde_json::Value;

use self::aside::Names;
use crate::api::container::{Container, Containers, RemoveOptions, Spec};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// What [`Containers::create_or_replace`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was no container of that name; there is now.
    Created,
    /// The container is as the spec says and has been left alone.
    Unchanged,
    /// The container was not as the spec says; a new one has taken its place.
    Replaced,
}

impl Containers {
    /// Makes sure that there is a container of this name which is as `spec` says, and tells what that took. The name in
    /// the spec, if it has one, does not count.
    ///
    /// A container that was created or replaced has not been started, whatever the old one did; starting one that runs
    /// already does no harm, so the call to make next is [`start`](Container::start):
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> Result<(), Box<dyn std::error::Error>> {
    /// use longshore::{Change, Mount, RestartPolicy, Spec};
    ///
    /// let spec = Spec::image("nginx:1.27")
    ///     .publish("127.0.0.1:8080:80")?
    ///     .mount(Mount::volume("data", "/var/lib"))
    ///     .restart(RestartPolicy::unless_stopped());
    /// let (web, change) = docker.containers().create_or_replace("web", &spec).await?;
    /// if change == Change::Replaced {
    ///     println!("web is a new container now");
    /// }
    /// web.start().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # What counts as a change
    /// All that the engine tells of a container is compared with what it would make of the spec: a setting that was
    /// added, changed or taken away is a change, also one that somebody else made; a default of the engine or of the
    /// image is none. The image counts by its id, so a tag that was moved to another image is a change. The image is
    /// not pulled if the engine has one of that name.
    ///
    /// For most containers on Docker, the comparison only reads. Where the engine has defaults of its own, as Podman
    /// does, the new container is created to see what becomes of the spec, and removed if it is the same as the old one.
    /// Some settings an engine does not tell, and a change of these alone goes unnoticed: on Podman 4 for instance
    /// `Sysctls`, `Annotations`, or that a host port was given which is now to be picked by the engine.
    ///
    /// # How it is replaced
    /// 1. The new container is created, as `web.longshore-new-…`; the image is pulled if the engine does not have it.
    ///    When that fails, the old one has not been touched.
    /// 2. The old one is renamed to `web.longshore-old-…`, and the new one to `web`.
    /// 3. The old one is stopped, with the grace that it was created with. When any of this fails, or somebody removes
    ///    the new one meanwhile, the old one gets its name back and is started again if it ran.
    /// 4. The old one is removed, without its anonymous volumes.
    ///
    /// When the process ends in between, the next call for the same name sees to what is left: an old container whose
    /// place has not been taken gets its name back before anything else is done, and what is of no use is removed. So
    /// calls for the same name must not overlap.
    ///
    /// # Errors
    /// As [`create`](Containers::create), [`Images::pull`](crate::Images::pull), [`stop`](Container::stop) and
    /// [`rename`](Container::rename). The old container is there, under its name, unless the engine can't be reached to
    /// give it back: then the message tells the name that it has. An old container that can't be removed is no
    /// error; the next call tries again.
    ///
    /// # Cancel safety
    /// When the future is dropped, the old container exists, maybe under its other name, or the new one has taken its
    /// place; the next call for the same name sees to the rest.
    pub async fn create_or_replace(&self, name: &str, spec: &Spec) -> Result<(Container, Change)> {
        let operation = Operation::on("create or replace container", name);
        let body = spec.to_json(&operation)?;
        let name = name.strip_prefix('/').unwrap_or(name);
        let replacement = Replacement { containers: self, spec, body, names: Names::new(name) };
        replacement.run().await.map_err(|error| error.within(operation))
    }
}

struct Replacement<'a> {
    containers: &'a Containers,
    spec: &'a Spec,
    /// The spec as the engine gets it.
    body: Value,
    names: Names<'a>,
}

type Inspect = Raw<ContainerInspect>;

impl Replacement<'_> {
    async fn run(&self) -> Result<(Container, Change)> {
        let Some(existing) = self.recover().await? else {
            return Ok((self.create(self.names.own()).await?, Change::Created));
        };
        let container = self.handle(&existing.id);
        if self.is_as_predicted(&existing).await? {
            return Ok((container, Change::Unchanged));
        }
        let new = self.create(&self.names.new_name()).await?;
        match self.tell_apart(&new, &existing).await {
            Ok(true) => self.replace(&existing, &new).await.map(|()| (new, Change::Replaced)),
            Ok(false) => {
                self.discard(&new).await;
                Ok((container, Change::Unchanged))
            }
            Err(error) => {
                self.discard(&new).await;
                Err(error)
            }
        }
    }

    async fn create(&self, name: &str) -> Result<Container> {
        let created = self.containers.create_pulling(&self.spec.clone().name(name)).await?;
        for warning in &created.warnings {
            tracing::warn!(container = name, warning, "the engine warns of the spec");
        }
        Ok(created.container)
    }

    /// Whether the container is what Docker is known to make of the spec. Only reads.
    async fn is_as_predicted(&self, existing: &Inspect) -> Result<bool> {
        let docker = &self.containers.docker;
        let image = self.body["Image"].as_str().unwrap_or_default();
        let image = match docker.image(image).inspect().await {
            Ok(image) => image,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => return Ok(false),
            Err(error) => return Err(error),
        };
        let for_platform = predict::is_for_platform(self.spec.platform.as_deref(), image.value(), existing.value());
        if image.id != existing.image_id || !for_platform {
            return Ok(false);
        }
        let info = Request::new(Method::Get, Path::new("info"), Operation::new("tell of the engine"));
        let info: Raw<SystemInfo> = docker.send(info).await?.raw().await?;
        let predicted = predict::predict(&self.body, image.value(), info.value());
        let difference = compare::difference(&self.body, &predicted, existing.value());
        tracing::debug!(
            container = self.names.own(),
            difference,
            "compared with what Docker is known to make of the spec"
        );
        Ok(difference.is_none())
    }

    /// Whether the new container differs from the existing one.
    async fn tell_apart(&self, new: &Container, existing: &Inspect) -> Result<bool> {
        let new = new.inspect().await?;
        let difference = compare::difference(&self.body, new.value(), existing.value());
        tracing::debug!(container = self.names.own(), difference, "compared with what the engine made of the spec");
        Ok(difference.is_some())
    }

    /// Puts the new container in the place of the old one; if that fails, the old one is put back.
    async fn replace(&self, existing: &Inspect, new: &Container) -> Result<()> {
        let old = self.handle(&existing.id);
        let aside = self.names.old_name();
        let swap = async {
            old.rename(&aside).await?;
            new.rename(self.names.own()).await?;
            stop(&old, existing).await?;
            // Stopping takes a while, in which somebody may have pruned the new one, which does not run.
            new.inspect().await
        };
        if let Err(error) = swap.await {
            self.discard(new).await;
            let restored = self.restore(existing).await;
            return Err(restored.err().map(|trouble| self.astray(&error, &aside, &trouble)).unwrap_or(error));
        }
        self.remove(&old, &RemoveOptions::default().force()).await;
        Ok(())
    }

    /// Gives the old container its name back if it has another, and lets it run again if it ran. Which name it has is
    /// asked, since a rename whose answer did not arrive may have been done.
    async fn restore(&self, existing: &Inspect) -> Result<()> {
        let old = self.handle(&existing.id);
        let now = old.inspect().await?;
        if now.name() != self.names.own() {
            old.rename(self.names.own()).await?;
        }
        if existing.state.running && !now.state.running {
            old.start().await?;
        }
        Ok(())
    }

    /// The error for an old container that could not be given its name back.
    fn astray(&self, error: &Error, aside: &str, trouble: &Error) -> Error {
        let message =
            format!("{error}; the old container may be found as `{aside}`, since restoring it failed: {trouble}");
        Operation::on("replace container", self.names.own()).error_from(error.kind(), message, error.clone())
    }

    /// Removes a container that was never started, with the anonymous volumes made for it.
    async fn discard(&self, container: &Container) {
        self.remove(container, &RemoveOptions::default().force().volumes()).await;
    }

    /// Removes a container that is of no more use. What can't be removed now is left to the next call.
    async fn remove(&self, container: &Container, options: &RemoveOptions) {
        match container.remove_with(options).await {
            // The engine may be removing it by itself.
            Err(error) if !error.is_not_found() && !error.is_conflict() => {
                tracing::warn!(container = container.id(), %error, "a container that was replaced can't be removed");
            }
            _ => {}
        }
    }

    fn handle(&self, id: &str) -> Container {
        self.containers.docker.container(id)
    }
}

async fn stop(container: &Container, inspect: &Inspect) -> Result<()> {
    if inspect.state.paused {
        container.unpause().await?;
    }
    if inspect.state.running || inspect.state.paused {
        container.stop().await?;
    }
    Ok(())
}
