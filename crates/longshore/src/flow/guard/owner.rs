use std::future::Future;
use std::path::Path;
use std::time::Duration;

use longshore_models::SortedMap;

use super::make::Making;
use super::process::Process;
use super::strays::{self, Kind};
use super::thing::{Mark, TOKEN, Thing};
use super::{Guard, PATIENCE};
use crate::api::container::{CommitOptions, Container, Created, Spec};
use crate::api::exec::Finished;
use crate::api::image::Image;
use crate::api::network::{CreatedNetwork, Network, NetworkSpec};
use crate::api::volume::{CreatedVolume, Volume, VolumeSpec};
use crate::docker::Docker;
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::flow::random_word;
use crate::flow::run::run_attached;

/// The label with the name of an owner.
pub(super) const OWNER: &str = "longshore.owner";

/// The label that tells which process of the owner has created a thing.
pub(super) const PROCESS: &str = "longshore.process";

/// The same for images. They pass their labels on to the containers and images that are made of them, so theirs are others,
/// and the name is one of them.
pub(super) const IMAGE_OWNER: &str = "longshore.image.owner";
pub(super) const IMAGE_PROCESS: &str = "longshore.image.process";
pub(super) const IMAGE_NAME: &str = "longshore.image.name";

/// Creates things that are guarded from before their creation on, and finds those again that a killed process has left.
/// See [`Docker::owner`].
#[derive(Clone, Debug)]
pub struct Owner {
    pub(super) docker: Docker,
    pub(super) name: String,
    pub(super) patience: Duration,
}

impl Docker {
    /// Creates things in the name of an owner, such as `my-ci`, that may run as several processes at once: each removes
    /// what it has created, and [`Owner::reap`] what those have left that were killed. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::{NetworkSpec, Spec};
    ///
    /// let owner = docker.owner("my-ci");
    /// for failure in owner.reap().await?.failures {
    ///     eprintln!("{failure}");
    /// }
    /// let network = owner.create_network(&NetworkSpec::new("backend")).await?;
    /// let db = owner.run(Spec::image("postgres:17").network("backend")).await?;
    /// # drop((network, db));
    /// # Ok(())
    /// # }
    /// ```
    pub fn owner(&self, name: impl Into<String>) -> Owner {
        Owner { docker: self.clone(), name: name.into(), patience: PATIENCE }
    }
}

/// # What a creation promises
/// The request is made by the thread that removes what is guarded, over a connection of its own. So when the future of a
/// creation is dropped, the creation is not cut in two: the drop waits for its end, and for the removal of what it has
/// made, [10 seconds](Owner::within) in all at most; what takes longer goes on while the process lives. When the engine's
/// answer is lost, what it may have created is looked for, and removed.
///
/// Everything has three labels: `longshore.owner`, `longshore.process` and `longshore.guard`, the last of which no other
/// thing has. They replace labels of these names in the spec.
impl Owner {
    /// Lets each removal take so long, instead of 10 seconds; a drop waits no longer than that.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates a container, without starting it; see [`Containers::create`](crate::Containers::create). What the engine
    /// warns of is passed on as a warning of `tracing`.
    ///
    /// # Errors
    /// As [`Containers::create`](crate::Containers::create); [`Unavailable`](ErrorKind::Unavailable) when all that is
    /// guarded is being [removed](super::remove_all).
    ///
    /// # Cancel safety
    /// When the future is dropped, no container is left.
    pub async fn create(&self, spec: &Spec) -> Result<Guard<Container>> {
        let (token, mut spec) = (random_word(), spec.clone());
        spec.config.labels.extend(self.labels(&token));
        let operation = Operation::on("create container from", &spec.config.image);
        let docker = self.docker.detached();
        let create = async move {
            let Created { container, warnings } = docker.containers().create(&spec).await?;
            for warning in warnings {
                tracing::warn!(container = container.id, warning, "the engine warns of the spec");
            }
            Ok((Thing::Container(container.id.clone()), container.id))
        };
        let (hold, id) = self.making(operation, create, self.strays(Kind::Container, token)).make().await?;
        Ok(Guard::new(self.docker.container(id), hold))
    }

    /// Runs a container: pulls its image if the engine does not have it, creates it and starts it.
    ///
    /// # Errors
    /// As [`Containers::run`](crate::Containers::run) and [`create`](Owner::create). A container that can't be started is
    /// removed.
    ///
    /// # Cancel safety
    /// When the future is dropped, no container is left. An image that was pulled stays.
    pub async fn run(&self, spec: Spec) -> Result<Guard<Container>> {
        let operation = Operation::on("run container from", &spec.config.image);
        let failed = |error: Error| error.within(operation.clone());
        let container = self.create_pulling(&spec).await.map_err(failed)?;
        match container.start().await {
            Ok(_) => Ok(container),
            Err(error) => Err(failed(given_up(container, error).await)),
        }
    }

    /// Runs a container to its end and removes it: what it wrote, at most 256 MiB, and its exit status.
    ///
    /// # Errors
    /// As [`Containers::output`](crate::Containers::output) and [`create`](Owner::create).
    ///
    /// # Cancel safety
    /// When the future is dropped, no container is left, running or not. An image that was pulled stays.
    pub async fn output(&self, spec: Spec) -> Result<Finished> {
        let operation = Operation::on("run container from", &spec.config.image);
        let failed = |error: Error| error.within(operation.clone());
        let mut spec = spec;
        // The engine would remove it while its output is still being read.
        spec.host_config.auto_remove = false;
        let container = self.create_pulling(&spec).await.map_err(failed)?;
        match run_attached(&container).await {
            Ok(finished) => container.remove().await.map(|()| finished).map_err(failed),
            Err(error) => Err(failed(given_up(container, error).await)),
        }
    }

    async fn create_pulling(&self, spec: &Spec) -> Result<Guard<Container>> {
        let containers = self.docker.containers();
        match self.create(spec).await {
            Err(error) if error.is_not_found() && containers.lacks_image_of(spec).await => {
                containers.pull_image_of(spec).await?;
                self.create(spec).await
            }
            outcome => outcome,
        }
    }

    /// Creates a network; see [`Networks::create`](crate::Networks::create). What the engine warns of is passed on as a
    /// warning of `tracing`.
    ///
    /// # Errors
    /// As [`Networks::create`](crate::Networks::create) and [`create`](Owner::create).
    ///
    /// # Cancel safety
    /// When the future is dropped, no network is left.
    pub async fn create_network(&self, spec: &NetworkSpec) -> Result<Guard<Network>> {
        let (token, mut spec) = (random_word(), spec.clone());
        spec.config.labels.extend(self.labels(&token));
        let operation = Operation::on("create network", &spec.config.name);
        let docker = self.docker.detached();
        let create = async move {
            let CreatedNetwork { network, warning } = docker.networks().create(&spec).await?;
            if !warning.is_empty() {
                tracing::warn!(network = network.id, warning, "the engine warns of the spec");
            }
            Ok((Thing::Network(network.id.clone()), network.id))
        };
        let (hold, id) = self.making(operation, create, self.strays(Kind::Network, token)).make().await?;
        Ok(Guard::new(self.docker.network(id), hold))
    }

    /// Creates a volume; see [`Volumes::create`](crate::Volumes::create). One that has the name already is not taken for
    /// it, and left alone.
    ///
    /// # Errors
    /// As [`Volumes::create`](crate::Volumes::create) and [`create`](Owner::create); [`Conflict`](ErrorKind::Conflict)
    /// when there is a volume of that name.
    ///
    /// # Cancel safety
    /// When the future is dropped, no volume is left.
    pub async fn create_volume(&self, spec: &VolumeSpec) -> Result<Guard<Volume>> {
        let (token, mut spec) = (random_word(), spec.clone());
        spec.config.labels.extend(self.labels(&token));
        let operation = Operation::on("create volume", &spec.config.name);
        let (docker, own, taken) = (self.docker.detached(), token.clone(), operation.clone());
        let create = async move {
            let CreatedVolume { volume, inspect, .. } = docker.volumes().create(&spec).await?;
            if inspect.labels.get(TOKEN) != Some(&own) {
                return Err(taken.error(ErrorKind::Conflict, "there is a volume of this name already"));
            }
            Ok((Thing::Volume { name: volume.name.clone(), mark: Mark::Token(own) }, volume.name))
        };
        let (hold, name) = self.making(operation, create, self.strays(Kind::Volume, token)).make().await?;
        Ok(Guard::new(self.docker.volume(name), hold))
    }

    /// Makes an image of a container's files; see [`Container::commit_with`]. With a name it can be
    /// [reaped](Owner::reap), too.
    ///
    /// # Errors
    /// As [`Container::commit_with`] and [`create`](Owner::create).
    ///
    /// # Cancel safety
    /// When the future is dropped, no image is left, unless the engine's answer was lost.
    pub async fn commit(&self, container: &Container, options: &CommitOptions) -> Result<Guard<Image>> {
        let operation = Operation::on("commit container", container.id());
        let mut options = options.clone();
        let name = options.repository.as_ref().map(|repository| {
            let tag = options.tag.as_deref().unwrap_or("latest");
            format!("{repository}:{tag}")
        });
        if let Some(name) = &name {
            let labels = self.image_labels(name);
            options.changes.extend(labels.iter().map(|(key, value)| format!("LABEL {key}={}", quoted(value))));
        }
        let container = self.docker.detached().container(container.id());
        let create = async move {
            let id = container.commit_with(&options).await?.name;
            let by_id = name.is_none();
            let called = name.clone().unwrap_or_else(|| id.clone());
            Ok((Thing::Image { id, names: name.into_iter().collect(), by_id }, called))
        };
        let (hold, name) = self.making(operation, create, async {}).make().await?;
        Ok(Guard::new(self.docker.image(name), hold))
    }

    /// The labels by which an image of this name is [reaped](Owner::reap), for what makes images and takes labels. An
    /// image can't be labelled later.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker, context: longshore::Payload) -> longshore::Result<()> {
    /// use longshore::image::BuildOptions;
    ///
    /// let owner = docker.owner("my-ci");
    /// let mut options = BuildOptions::default().tag("my-ci/web:1");
    /// options.labels.extend(owner.image_labels("my-ci/web:1"));
    /// docker.images().build_with(context, &options).await?.finish().await?;
    /// let web = docker.image("my-ci/web:1").guard().await?;
    /// # drop(web);
    /// # Ok(())
    /// # }
    /// ```
    pub fn image_labels(&self, name: &str) -> SortedMap<String, String> {
        let process = Process::own(Path::new("/")).to_string();
        let labels = [(IMAGE_OWNER, self.name.clone()), (IMAGE_PROCESS, process), (IMAGE_NAME, name.to_owned())];
        labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn labels(&self, token: &str) -> SortedMap<String, String> {
        let process = Process::own(Path::new("/")).to_string();
        let labels = [(OWNER, self.name.clone()), (PROCESS, process), (TOKEN, token.to_owned())];
        labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn making<C, S>(&self, operation: Operation, create: C, remove_strays: S) -> Making<C, S> {
        Making { docker: self.docker.clone(), patience: self.patience, operation, create, remove_strays }
    }

    fn strays(&self, kind: Kind, token: String) -> impl Future<Output = ()> + Send + 'static {
        strays::remove(self.docker.clone(), kind, token, self.patience)
    }
}

/// Removes a container of which an error has made nothing; the error tells its id where that fails.
async fn given_up(container: Guard<Container>, error: Error) -> Error {
    let id = container.id().to_owned();
    match container.remove().await {
        Ok(()) => error,
        Err(trouble) => error.with_container(&id).with_note(&trouble.to_string()),
    }
}

/// A value as an instruction of a Dockerfile has it.
fn quoted(value: &str) -> String {
    let escaped = value.chars().flat_map(|character| {
        let is_special = matches!(character, '"' | '\\' | '$');
        is_special.then_some('\\').into_iter().chain([character])
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_instructions() {
        assert_eq!(quoted("ci/web:1"), "\"ci/web:1\"");
        assert_eq!(quoted(r#"a "b" $c \d"#), r#""a \"b\" \$c \\d""#);
    }
}
