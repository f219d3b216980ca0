use std::collections::BTreeMap;
use std::path::Path;

use longshore_models::SortedMap;

use super::owner::{IMAGE_NAME, IMAGE_OWNER, IMAGE_PROCESS, OWNER, Owner, PROCESS};
use super::process::Process;
use super::registry::Entry;
use super::removal::{self, Removed};
use super::thing::{Mark, TOKEN, Thing};
use crate::api::container::ListOptions;
use crate::api::image::ImageListOptions;
use crate::api::network::NetworkListOptions;
use crate::api::volume::VolumeListOptions;
use crate::error::Result;

type Labels = SortedMap<String, String>;

impl Owner {
    /// Removes what processes of this owner have left on the engine that were killed, or have ended in another way without
    /// removing it.
    ///
    /// Only what an [`Owner`] of this name has created is removed, and only if it is certain that the process which did
    /// has ended. Each thing's label tells the process: the machine and its run, the process's number and time of start.
    /// It has ended if it was on this machine, in this run of it, and there is no such process now; or if the machine was
    /// started again since. Then the machine's id and host name must be the same, and neither process in a container: do
    /// not let clones of a machine that share both share an engine.
    ///
    /// Of a process on another machine, or in a container that this one is not in, nothing can be told: what it has left
    /// stays. The same is true where `/proc` does not show all processes, and on systems other than Linux.
    ///
    /// An image is reaped by the name that its [labels](Owner::image_labels) say, while it has that. What is made of it
    /// inherits the labels, so an image that somebody else has made of it and given the same name is not told from it. A
    /// container whose image is gone, so that it can't be told whether its labels are its own, stays.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let removed = docker.owner("my-ci").reap().await?;
    /// println!("{} things were left behind", removed.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the lists, such as [`Connect`](crate::ErrorKind::Connect). What can't be removed is in
    /// [`failures`](Removed::failures).
    ///
    /// # Cancel safety
    /// When the future is dropped, some things may have been removed.
    pub async fn reap(&self) -> Result<Removed> {
        let mut reaper = Reaper { owner: self, own: Process::own(Path::new("/")), found: Vec::new() };
        reaper.find_containers().await?;
        reaper.find_networks().await?;
        reaper.find_volumes().await?;
        reaper.find_images().await?;
        let mut removed = Removed::default();
        for thing in reaper.found {
            let entry = Entry::new(&self.docker, thing, self.patience);
            let outcome = removal::remove(&entry).await.into_result();
            removed.note(&entry.thing, outcome);
        }
        Ok(removed)
    }
}

struct Reaper<'a> {
    owner: &'a Owner,
    /// The process that asks.
    own: Process,
    found: Vec<Thing>,
}

impl Reaper<'_> {
    async fn find_containers(&mut self) -> Result<()> {
        let options = ListOptions::default().all().filter("label", OWNER);
        let mut of_images = BTreeMap::<String, Option<String>>::new();
        for container in self.owner.docker.containers().list_with(&options).await? {
            let Some(token) = self.orphaned(&container.labels) else { continue };
            if !of_images.contains_key(&container.image_id) {
                let token = self.token_of_image(&container.image_id).await?;
                of_images.insert(container.image_id.clone(), token);
            }
            // A container inherits the labels of its image, and an image those of the container that it was made of.
            if of_images[&container.image_id].as_ref().is_some_and(|inherited| inherited != token) {
                self.found.push(Thing::Container(container.id));
            }
        }
        Ok(())
    }

    /// The token among an image's labels, empty if there is none; `None` if there is no such image.
    async fn token_of_image(&self, id: &str) -> Result<Option<String>> {
        match self.owner.docker.image(id).inspect().await {
            Ok(image) => {
                let token = image.config.as_ref().and_then(|config| config.labels.get(TOKEN));
                Ok(Some(token.cloned().unwrap_or_default()))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn find_networks(&mut self) -> Result<()> {
        let options = NetworkListOptions::default().filter("label", OWNER);
        for network in self.owner.docker.networks().list_with(&options).await? {
            if self.orphaned(&network.labels).is_some() {
                self.found.push(Thing::Network(network.id));
            }
        }
        Ok(())
    }

    async fn find_volumes(&mut self) -> Result<()> {
        let options = VolumeListOptions::default().filter("label", OWNER);
        for volume in self.owner.docker.volumes().list_with(&options).await?.volumes {
            if let Some(token) = self.orphaned(&volume.labels) {
                let mark = Mark::Token(token.clone());
                self.found.push(Thing::Volume { name: volume.name, mark });
            }
        }
        Ok(())
    }

    async fn find_images(&mut self) -> Result<()> {
        let options = ImageListOptions::default().filter("label", IMAGE_OWNER);
        for image in self.owner.docker.images().list_with(&options).await? {
            let is_orphaned = self.is_orphaned(&image.labels, IMAGE_OWNER, IMAGE_PROCESS);
            if let Some(name) = image.labels.get(IMAGE_NAME).filter(|_| is_orphaned) {
                self.found.push(Thing::Image { id: image.id, names: vec![name.clone()], by_id: false });
            }
        }
        Ok(())
    }

    /// The token of what the owner has created by a process that is gone.
    fn orphaned<'a>(&self, labels: &'a Labels) -> Option<&'a String> {
        labels.get(TOKEN).filter(|token| !token.is_empty() && self.is_orphaned(labels, OWNER, PROCESS))
    }

    fn is_orphaned(&self, labels: &Labels, owner: &str, process: &str) -> bool {
        let is_owned = labels.get(owner).is_some_and(|name| *name == self.owner.name);
        let process = labels.get(process).and_then(|process| process.parse::<Process>().ok());
        is_owned && process.is_some_and(|process| self.own.knows_gone(&process, Path::new("/")))
    }
}
