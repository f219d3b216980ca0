//! Guards of what is there.

use super::registry::Entry;
use super::thing::{Mark, Thing};
use super::{Guard, Hold, PATIENCE};
use crate::api::container::{Container, Created};
use crate::api::image::Image;
use crate::api::network::{CreatedNetwork, Network};
use crate::api::volume::Volume;
use crate::docker::Docker;
use crate::error::Result;
use crate::flow::Run;

impl Run {
    /// Removes the container when the guard is dropped. Nothing waits for its end any more; [`warnings`](Run::warnings)
    /// are to be asked for before.
    ///
    /// A run that is cancelled before it gets here leaves its container behind; one by [`Owner::run`](super::Owner::run)
    /// does not.
    pub fn guard(self) -> Guard<Container> {
        guard_container(self.into_container())
    }
}

impl Created {
    /// Removes the container when the guard is dropped.
    ///
    /// A creation that is cancelled before it gets here may leave its container behind; one by
    /// [`Owner::create`](super::Owner::create) does not.
    pub fn guard(self) -> Guard<Container> {
        guard_container(self.container)
    }
}

impl CreatedNetwork {
    /// Removes the network when the guard is dropped.
    ///
    /// A creation that is cancelled before it gets here may leave its network behind; one by
    /// [`Owner::create_network`](super::Owner::create_network) does not.
    pub fn guard(self) -> Guard<Network> {
        guard_network(self.network)
    }
}

impl Container {
    /// Removes this container when the guard is dropped, and never another one that has got its name meanwhile: the guard
    /// is by the id, which the engine is asked for.
    ///
    /// What has just been run or created is guarded without asking: [`Run::guard`], [`Created::guard`].
    ///
    /// # Errors
    /// As [`inspect`](Container::inspect).
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing is guarded.
    pub async fn guard(&self) -> Result<Guard<Container>> {
        let id = self.inspect().await?.id.clone();
        Ok(guard_container(self.docker.container(id)))
    }
}

impl Network {
    /// Removes this network when the guard is dropped, and never another one that has got its name meanwhile: the guard is
    /// by the id, which the engine is asked for.
    ///
    /// # Errors
    /// As [`inspect`](Network::inspect).
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing is guarded.
    pub async fn guard(&self) -> Result<Guard<Network>> {
        let id = self.inspect().await?.id.clone();
        Ok(guard_network(self.docker.network(id)))
    }
}

impl Volume {
    /// Removes this volume, with all that is in it, when the guard is dropped; but not another one that has got its name
    /// meanwhile, which the time of its creation tells.
    ///
    /// An engine gives a volume that is there already to whoever [creates](crate::Volumes::create) it, so this may guard
    /// one that somebody else has filled; [`Owner::create_volume`](super::Owner::create_volume) never does.
    ///
    /// # Errors
    /// As [`inspect`](Volume::inspect).
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing is guarded.
    pub async fn guard(&self) -> Result<Guard<Volume>> {
        let now = self.inspect().await?;
        let mark = Mark::Created(now.created_at.as_str().to_owned());
        let hold = hold(&self.docker, Thing::Volume { name: now.name.clone(), mark });
        Ok(Guard::new(self.docker.volume(now.name.as_str()), hold))
    }
}

impl Image {
    /// Removes the image when the guard is dropped: takes this name off it, if it still leads to the same image, and
    /// removes the image with its last name.
    ///
    /// Where the handle holds an id, the names go that the image has now; if it has got others by then, it stays. An image
    /// that a container uses stays in any case.
    ///
    /// # Errors
    /// As [`inspect`](Image::inspect).
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing is guarded.
    pub async fn guard(&self) -> Result<Guard<Image>> {
        let now = self.inspect().await?;
        let by_id = is_id(&self.name, &now.id);
        let names = if by_id { now.repo_tags.clone() } else { vec![self.name.clone()] };
        let hold = hold(&self.docker, Thing::Image { id: now.id.clone(), names, by_id });
        Ok(Guard::new(self.clone(), hold))
    }
}

/// The fewest digits of an id that are not taken for a name.
const SHORTEST_ID: usize = 12;

/// Whether what an image is called is its id, or the beginning of that.
fn is_id(name: &str, id: &str) -> bool {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    match name.strip_prefix("sha256:") {
        Some(name) => digits.starts_with(name),
        None => name.len() >= SHORTEST_ID && digits.starts_with(name),
    }
}

fn guard_container(container: Container) -> Guard<Container> {
    let hold = hold(&container.docker, Thing::Container(container.id.clone()));
    Guard::new(container, hold)
}

fn guard_network(network: Network) -> Guard<Network> {
    let hold = hold(&network.docker, Thing::Network(network.id.clone()));
    Guard::new(network, hold)
}

fn hold(docker: &Docker, thing: Thing) -> Hold {
    Hold::new(Entry::new(docker, thing, PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_names() {
        let id = "sha256:0123456789abcdef";
        for name in ["sha256:0123456789abcdef", "sha256:012", "0123456789ab", "0123456789abcdef"] {
            assert!(is_id(name, id), "{name}");
        }
        for name in ["0123", "0123456789ac", "web", "web@sha256:0123456789abcdef", "sha256:1"] {
            assert!(!is_id(name, id), "{name}");
        }
    }
}
