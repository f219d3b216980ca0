//! Volumes: [`Volumes`] for all of them, [`Volume`] for one.

mod create;
mod inspect;
mod list;
mod prune;
mod remove;
mod spec;
mod update;

use longshore_wire::path::Path;

pub use create::CreatedVolume;
pub use list::VolumeListOptions;
pub use prune::VolumePruneOptions;
pub use remove::VolumeRemoveOptions;
pub use spec::VolumeSpec;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// All volumes of an engine; see [`Docker::volumes`].
#[derive(Clone, Debug)]
pub struct Volumes {
    pub(crate) docker: Docker,
}

/// One volume, by its name. Making a handle does no I/O; see [`Docker::volume`].
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let data = docker.volume("data");
/// println!("{}", data.inspect().await?.mountpoint);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Volume {
    pub(crate) docker: Docker,
    pub(crate) name: String,
}

impl Docker {
    /// All volumes of the engine.
    #[doc(alias = "DockerVolumes")]
    pub fn volumes(&self) -> Volumes {
        Volumes { docker: self.clone() }
    }

    /// The volume with this name, or, for one of a swarm, this id. Nothing is sent.
    pub fn volume(&self, name: impl Into<String>) -> Volume {
        Volume { docker: self.clone(), name: name.into() }
    }
}

impl Volume {
    /// The name that this handle was made with; the one that the engine gave it after a creation.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// A request about one volume: `/volumes/{name}`.
fn request(method: Method, operation: &'static str, name: &str) -> Result<Request> {
    let operation = Operation::on(operation, name);
    let path = Path::new("volumes").segment(name).map_err(|source| operation.bad_name(source))?;
    Ok(Request::new(method, path, operation))
}
