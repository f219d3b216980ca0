use std::ops::Deref;

use longshore_models::NetworkCreated;
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use super::{Network, NetworkSpec, Networks};
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// A network that has just been created: its handle, and what the engine had to say about its spec.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedNetwork {
    /// The network, by its id.
    pub network: Network,
    /// What the engine warns of; mostly empty.
    pub warning: String,
}

impl Deref for CreatedNetwork {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.network
    }
}

impl Networks {
    /// Creates a network.
    ///
    /// `POST /networks/create`, API 1.24+. Engines look for a driver that they don't have for some 15 seconds.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::{NetworkSpec, Spec};
    ///
    /// docker.networks().create(&NetworkSpec::new("backend")).await?;
    /// let spec = Spec::image("postgres:17").name("db").network("backend");
    /// docker.containers().run(spec).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the name or the range of addresses is taken;
    /// [`NotFound`](ErrorKind::NotFound) (Podman 4: [`Invalid`](ErrorKind::Invalid)) for an unknown driver;
    /// [`Forbidden`](ErrorKind::Forbidden) (Podman 4: [`Server`](ErrorKind::Server)) for a name that the engine keeps to
    /// itself, such as `bridge`, and for a network of the swarm on an engine that rules none (Docker 20.10: `Server`);
    /// [`Invalid`](ErrorKind::Invalid) or `Server`, by engine, for settings that contradict each other;
    /// [`Unsupported`](ErrorKind::Unsupported) for a network without IPv4 below API 1.48.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the network may be created all the same.
    pub async fn create(&self, spec: &NetworkSpec) -> Result<CreatedNetwork> {
        let created: NetworkCreated = self.docker.send(create(spec)?).await?.json().await?;
        Ok(CreatedNetwork { network: self.docker.network(created.id), warning: created.warning })
    }
}

fn create(spec: &NetworkSpec) -> Result<Request> {
    let operation = Operation::on("create network", &spec.config.name);
    if spec.config.name.is_empty() {
        // Engines take that for a name that is taken, or make one up.
        return Err(operation.error(ErrorKind::Invalid, "a network needs a name"));
    }
    let body = spec.to_json(&operation)?;
    let mut request = Request::new(Method::Post, Path::new("networks/create"), operation).unbounded().json(&body)?;
    if spec.config.enable_ipv4 == Some(false) {
        request.needs("a network without IPv4", ApiVersion::new(1, 48));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(create(&NetworkSpec::new("backend"))),
            "POST /networks/create\nContent-Type: application/json\n\n{\"CheckDuplicate\":true,\"Name\":\"backend\"}"
        );
        let request = create(&NetworkSpec::new("backend").without_ipv4()).unwrap();
        assert_eq!(request.needs, [("a network without IPv4", ApiVersion::new(1, 48))]);
    }

    #[test]
    fn a_network_needs_a_name() {
        assert_eq!(create(&NetworkSpec::new("")).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
