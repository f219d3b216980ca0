use std::fmt;

use crate::api::container::{ListOptions, RemoveOptions};
use crate::api::volume::VolumeRemoveOptions;
use crate::docker::Docker;
use crate::error::Result;

/// The label that every thing has of its own, by which it is told from others of its name.
pub(super) const TOKEN: &str = "longshore.guard";

/// What is to be removed, known so that nothing else is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    /// A container, by its id.
    Container(String),
    /// A network, by its id.
    Network(String),
    /// A volume. It has no id.
    Volume { name: String, mark: Mark },
    /// An image, and the names that are taken off it as long as they lead to it.
    Image { id: String, names: Vec<String>, by_id: bool },
}

/// What tells a volume from a later one of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The label that it was created with.
    Token(String),
    /// When it was created, in the engine's words.
    Created(String),
}

impl Thing {
    /// What has the lower rank is removed first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Thing::Container(_) => 0,
            Thing::Network(_) => 1,
            Thing::Volume { .. } => 2,
            Thing::Image { .. } => 3,
        }
    }

    /// The id or name.
    pub(super) fn name(&self) -> &str {
        match self {
            Thing::Container(id) | Thing::Network(id) => id,
            Thing::Volume { name, .. } => name,
            Thing::Image { id, names, .. } => names.first().unwrap_or(id),
        }
    }

    /// Tries once to remove it. It is fine if it is gone.
    pub(super) async fn remove(&self, docker: &Docker) -> Result<()> {
        let outcome = match self {
            Thing::Container(id) => docker.container(id).remove_with(&RemoveOptions::default().force().volumes()).await,
            Thing::Network(id) => docker.network(id).remove().await,
            Thing::Volume { name, mark } => remove_volume(docker, name, mark).await,
            Thing::Image { id, names, by_id } => remove_image(docker, id, names, *by_id).await,
        };
        match outcome {
            Err(error) if error.is_not_found() => Ok(()),
            outcome => outcome,
        }
    }

    /// The ids of the containers that use it, as far as the engine tells.
    pub(super) async fn users(&self, docker: &Docker) -> Vec<String> {
        let (key, value) = match self {
            Thing::Container(_) => return Vec::new(),
            Thing::Network(id) => ("network", id),
            Thing::Volume { name, .. } => ("volume", name),
            Thing::Image { id, .. } => ("ancestor", id),
        };
        let options = ListOptions::default().all().filter(key, value);
        let containers = docker.containers().list_with(&options).await.unwrap_or_default();
        containers.into_iter().map(|container| container.id).collect()
    }
}

async fn remove_volume(docker: &Docker, name: &str, mark: &Mark) -> Result<()> {
    let volume = docker.volume(name);
    let now = volume.inspect().await?;
    let is_same = match mark {
        Mark::Token(token) => now.labels.get(TOKEN) == Some(token),
        Mark::Created(created) => now.created_at.as_str() == created,
    };
    if !is_same {
        tracing::warn!(name, "another volume has the name of a guarded one now; it stays");
        return Ok(());
    }
    volume.remove_with(&VolumeRemoveOptions::default().force()).await
}

/// Takes the names off, without force: with it, Podman removes the containers that use the image.
async fn remove_image(docker: &Docker, id: &str, names: &[String], by_id: bool) -> Result<()> {
    for name in names {
        let image = docker.image(name);
        match image.inspect().await {
            Ok(now) if bare(&now.id) == bare(id) => match image.remove().await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            },
            Ok(_) => tracing::warn!(name, "another image has the name of a guarded one now; it stays"),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    if !by_id {
        return Ok(());
    }
    let image = docker.image(id);
    let left = image.inspect().await?;
    if !left.repo_tags.is_empty() {
        tracing::warn!(id, names = ?left.repo_tags, "a guarded image has got other names; it stays");
        return Ok(());
    }
    image.remove().await.map(drop)
}

/// An id as it is without the name of its digest, which engines leave out here and there.
fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Thing::Container(_) => "container",
            Thing::Network(_) => "network",
            Thing::Volume { .. } => "volume",
            Thing::Image { .. } => "image",
        };
        write!(formatter, "{kind} `{}`", self.name())
    }
}
