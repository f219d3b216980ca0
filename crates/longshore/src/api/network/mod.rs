//! Networks: [`Networks`] for all of them, [`Network`] for one.

mod connect;
mod create;
mod inspect;
mod list;
mod prune;
mod remove;
mod spec;

use longshore_wire::path::Path;

pub use connect::DisconnectOptions;
pub use create::CreatedNetwork;
pub use inspect::NetworkInspectOptions;
pub use list::NetworkListOptions;
pub use prune::NetworkPruneOptions;
pub use spec::NetworkSpec;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// All networks of an engine; see [`Docker::networks`].
#[derive(Clone, Debug)]
pub struct Networks {
    pub(crate) docker: Docker,
}

/// One network, by its name or id. Making a handle does no I/O; see [`Docker::network`].
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// use longshore::{EndpointSettings, NetworkSpec};
///
/// let backend = docker.networks().create(&NetworkSpec::new("backend").internal()).await?;
/// backend.connect_with("postgres-1", &EndpointSettings::default().alias("db")).await?;
/// for container in backend.inspect().await?.containers.values() {
///     println!("{} {}", container.name, container.ipv4_address);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    pub(crate) docker: Docker,
    pub(crate) id: String,
}

impl Docker {
    /// All networks of the engine.
    #[doc(alias = "DockerNetworks")]
    pub fn networks(&self) -> Networks {
        Networks { docker: self.clone() }
    }

    /// The network with this name or id, or a unique beginning of an id. Nothing is sent.
    pub fn network(&self, id: impl Into<String>) -> Network {
        Network { docker: self.clone(), id: id.into() }
    }
}

impl Network {
    /// The name or id that this handle was made with; the full id if the engine told it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// A request about one network: `/networks/{id}/{action}`, or without an action `/networks/{id}`.
fn request(method: Method, name: &'static str, id: &str, action: &'static str) -> Result<Request> {
    let operation = Operation::on(name, id);
    let path = Path::new("networks").segment(id).map_err(|source| operation.bad_name(source))?;
    let path = if action.is_empty() { path } else { path.literal(action) };
    Ok(Request::new(method, path, operation))
}
