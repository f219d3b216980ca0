//! Swarms: [`Swarm`] for the swarm that an engine takes part in; [`Nodes`], [`Secrets`] and [`Configs`] for what it has,
//! [`Services`] and [`Tasks`] for what it does.

mod config;
mod lock;
mod membership;
mod node;
pub(crate) mod object;
mod secret;
mod service;
mod task;
mod update;

use longshore_models::{Raw, SwarmInspect};
use longshore_wire::path::Path;

pub use config::{Config, ConfigListOptions, Configs};
pub use membership::{SwarmInitOptions, SwarmJoinOptions, SwarmLeaveOptions};
pub use node::{Node, NodeListOptions, NodeRemoveOptions, Nodes};
pub use secret::{Secret, SecretListOptions, Secrets};
pub use service::{
    CreatedService, RegistryAuthFrom, Service, ServiceCreateOptions, ServiceInspectOptions, ServiceListOptions,
    ServiceSpec, ServiceUpdateOptions, Services,
};
pub use task::{Task, TaskListOptions, Tasks};
pub use update::SwarmUpdateOptions;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// The swarm that an engine takes part in, or may. Making a handle does no I/O; see [`Docker::swarm`].
///
/// All calls but [`init`](Swarm::init), [`join`](Swarm::join), [`leave`](Swarm::leave) and [`unlock`](Swarm::unlock) need
/// an engine that is a manager of the swarm; from any other they fail with [`Conflict`](crate::ErrorKind::Conflict).
/// Podman has no swarms: there they fail with [`Unsupported`](crate::ErrorKind::Unsupported).
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let swarm = docker.swarm();
/// swarm.init().await?;
/// let token = swarm.inspect().await?.join_tokens.worker.clone();
/// println!("docker swarm join --token {}", token.expose());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Swarm {
    pub(crate) docker: Docker,
}

impl Docker {
    /// The swarm that the engine takes part in, or may. Nothing is sent.
    #[doc(alias = "DockerSwarm")]
    pub fn swarm(&self) -> Swarm {
        Swarm { docker: self.clone() }
    }
}

impl Swarm {
    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Tells everything about the swarm, the tokens to join it among that.
    ///
    /// `GET /swarm`, API 1.24+. What the types don't have is in the JSON that the answer keeps; that has the tokens too.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<SwarmInspect>> {
        self.docker.send(inspect("inspect swarm")).await?.raw().await
    }
}

fn inspect(operation: &'static str) -> Request {
    Request::new(Method::Get, Path::new("swarm"), Operation::new(operation))
}

/// A request about one object of a swarm: `/{collection}/{id}/{action}`, or without an action `/{collection}/{id}`.
fn request(
    method: Method,
    operation: &'static str,
    collection: &'static str,
    id: &str,
    action: &'static str,
) -> Result<Request> {
    let operation = Operation::on(operation, id);
    let path = Path::new(collection).segment(id).map_err(|source| operation.bad_name(source))?;
    let path = if action.is_empty() { path } else { path.literal(action) };
    Ok(Request::new(method, path, operation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(inspect("inspect swarm"))), "GET /swarm");
    }

    #[test]
    fn names_are_encoded_and_empty_ones_are_refused() {
        let inspect = |id| request(Method::Get, "inspect node", "nodes", id, "");
        assert_eq!(text(inspect("a/b?c%d e")), "GET /nodes/a%2Fb%3Fc%25d%20e");
        for bad in ["", ".", "..", "a//b"] {
            let error = inspect(bad).unwrap_err();
            assert_eq!((error.kind(), error.target()), (crate::ErrorKind::Invalid, Some(bad)));
        }
    }
}
