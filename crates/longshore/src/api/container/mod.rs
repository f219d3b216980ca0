//! Containers: [`Containers`] for all of them, [`Container`] for one.

mod archive;
mod attach;
mod checkpoint;
mod commit;
mod create;
mod inspect;
mod lifecycle;
mod list;
mod logs;
mod prune;
mod spec;
mod stats;
mod update;
mod wait;
#[cfg(feature = "websocket")]
mod websocket;

use longshore_wire::path::Path;

pub use archive::{Archive, PathStat, UploadOptions};
pub use attach::{Attach, Attached};
pub use checkpoint::{CheckpointListOptions, CheckpointOptions, CheckpointRemoveOptions};
pub use commit::CommitOptions;
pub use create::Created;
pub use inspect::{InspectOptions, TopOptions};
pub use lifecycle::{KillOptions, RemoveOptions, RestartOptions, StartOptions, StopOptions, Transition};
pub use list::ListOptions;
pub use prune::PruneOptions;
pub use spec::{CommandLine, Spec};
pub use stats::Stats;
pub use update::UpdateOptions;
pub use wait::{ExitStatus, Until, Wait};
#[cfg(feature = "websocket")]
pub use websocket::AttachWebSocket;

pub use super::logs::Logs;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// All containers of an engine; see [`Docker::containers`].
#[derive(Clone, Debug)]
pub struct Containers {
    pub(crate) docker: Docker,
}

/// One container, by its name or id. Making a handle does no I/O; see [`Docker::container`].
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let web = docker.container("web");
/// web.start().await?;
/// println!("{}", web.inspect().await?.state.status);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Container {
    pub(crate) docker: Docker,
    pub(crate) id: String,
}

impl Docker {
    /// All containers of the engine.
    #[doc(alias = "DockerContainers")]
    pub fn containers(&self) -> Containers {
        Containers { docker: self.clone() }
    }

    /// The container with this name or id, or a unique beginning of an id. Nothing is sent.
    ///
    /// The slash that the engine writes before names does no harm.
    pub fn container(&self, id: impl Into<String>) -> Container {
        let id = id.into();
        let id = id.strip_prefix('/').map(str::to_owned).unwrap_or(id);
        Container { docker: self.clone(), id }
    }
}

impl Container {
    /// The name or id that this handle was made with; the full id if the engine told it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// A request about one container: `/containers/{id}/{action}`, or without an action `/containers/{id}`.
pub(crate) fn request(method: Method, name: &'static str, id: &str, action: &'static str) -> Result<Request> {
    let operation = Operation::on(name, id);
    let path = Path::new("containers").segment(id).map_err(|source| operation.bad_name(source))?;
    let path = if action.is_empty() { path } else { path.literal(action) };
    Ok(Request::new(method, path, operation))
}
