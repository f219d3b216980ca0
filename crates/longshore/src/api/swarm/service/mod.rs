//! Services: [`Services`] for all of a swarm, [`Service`] for one.

mod create;
mod inspect;
mod list;
mod logs;
mod remove;
mod spec;
mod update;

use longshore_wire::path::Path;

pub use create::{CreatedService, ServiceCreateOptions};
pub use inspect::ServiceInspectOptions;
pub use list::ServiceListOptions;
pub use spec::ServiceSpec;
pub use update::{RegistryAuthFrom, ServiceUpdateOptions};

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// All services of a swarm; see [`Docker::services`].
#[derive(Clone, Debug)]
pub struct Services {
    pub(crate) docker: Docker,
}

/// One service, by its name or id. Making a handle does no I/O; see [`Docker::service`].
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let web = docker.service("web");
/// web.scale(3).await?;
/// web.update(|spec| spec.with_image("nginx:1.28").env("LANG", "C.UTF-8")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) docker: Docker,
    pub(crate) id: String,
}

impl Docker {
    /// All services of the swarm that the engine manages.
    #[doc(alias = "DockerServices")]
    pub fn services(&self) -> Services {
        Services { docker: self.clone() }
    }

    /// The service with this name or id, or a unique beginning of an id. Nothing is sent.
    pub fn service(&self, id: impl Into<String>) -> Service {
        Service { docker: self.clone(), id: id.into() }
    }
}

impl Service {
    /// The name or id that this handle was made with; the id after a creation.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// A request about one service: `/services/{id}/{action}`, or without an action `/services/{id}`.
fn request(method: Method, operation: &Operation, id: &str, action: &'static str) -> Result<Request> {
    let path = Path::new("services").segment(id).map_err(|source| operation.bad_name(source))?;
    let path = if action.is_empty() { path } else { path.literal(action) };
    Ok(Request::new(method, path, operation.clone()))
}
