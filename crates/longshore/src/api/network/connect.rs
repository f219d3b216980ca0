use longshore_models::{EndpointSettings, NetworkConnect, NetworkDisconnect};
use longshore_wire::version::ApiVersion;

use super::{Network, request};
use crate::error::{ErrorKind, Result};
use crate::http::{Method, Request};

/// How to disconnect a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DisconnectOptions {
    /// Whether it is disconnected although it is gone, or what connects it can't be taken down.
    pub force: bool,
}

impl DisconnectOptions {
    /// Disconnects it although it is gone, or what connects it can't be taken down.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl Network {
    /// Connects a container, running or not, named or by its id.
    ///
    /// `POST /networks/{id}/connect`, API 1.24+. In networks that were created, other containers reach it by its name.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for the network or the container; [`Conflict`](ErrorKind::Conflict) when it is
    /// connected already; [`Forbidden`](ErrorKind::Forbidden) where the network or the container's own settings forbid
    /// it.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may be connected all the same.
    pub async fn connect(&self, container: &str) -> Result<()> {
        self.connect_with(container, &EndpointSettings::default()).await
    }

    /// Connects a container with further names, addresses and more; see [`connect`](Network::connect).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::EndpointSettings;
    ///
    /// let settings = EndpointSettings::default().alias("db").ipv4_address("172.20.0.33");
    /// docker.network("backend").connect_with("postgres-1", &settings).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`connect`](Network::connect), and [`Invalid`](ErrorKind::Invalid) or [`Server`](ErrorKind::Server), by engine,
    /// for an address that the network does not have or that is taken; [`Unsupported`](ErrorKind::Unsupported) for a
    /// MAC address below API 1.54, or a priority of the gateway below API 1.48, which engines would read over.
    ///
    /// # Cancel safety
    /// As [`connect`](Network::connect).
    pub async fn connect_with(&self, container: &str, settings: &EndpointSettings) -> Result<()> {
        self.docker.send(connect(&self.id, container, settings)?).await?.finish().await
    }

    /// Disconnects a container, running or not, named or by its id.
    ///
    /// `POST /networks/{id}/disconnect`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for the network or the container; [`Conflict`](ErrorKind::Conflict) when it is
    /// not connected; [`Forbidden`](ErrorKind::Forbidden) where the network does not let it go.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may be disconnected all the same.
    pub async fn disconnect(&self, container: &str) -> Result<()> {
        self.disconnect_with(container, &DisconnectOptions::default()).await
    }

    /// Disconnects a container, as `options` say; see [`disconnect`](Network::disconnect).
    ///
    /// # Errors
    /// As [`disconnect`](Network::disconnect).
    ///
    /// # Cancel safety
    /// As [`disconnect`](Network::disconnect).
    pub async fn disconnect_with(&self, container: &str, options: &DisconnectOptions) -> Result<()> {
        self.docker.send(disconnect(&self.id, container, options)?).await?.finish().await
    }
}

fn connect(id: &str, container: &str, settings: &EndpointSettings) -> Result<Request> {
    let request = of_container("connect container to network", id, container, "connect")?;
    let mut body = NetworkConnect::default();
    body.container = container.to_owned();
    body.endpoint_config = settings.clone();
    let mut request = request.json(&body)?;
    if !settings.mac_address.is_empty() {
        request.needs("the MAC address of a container to connect", ApiVersion::new(1, 54));
    }
    if settings.gw_priority != 0 {
        request.needs("the priority of a gateway", ApiVersion::new(1, 48));
    }
    Ok(request)
}

fn disconnect(id: &str, container: &str, options: &DisconnectOptions) -> Result<Request> {
    let request = of_container("disconnect container from network", id, container, "disconnect")?;
    let mut body = NetworkDisconnect::default();
    body.container = container.to_owned();
    body.force = options.force;
    request.json(&body)
}

fn of_container(name: &'static str, id: &str, container: &str, action: &'static str) -> Result<Request> {
    let request = request(Method::Post, name, id, action)?.unbounded();
    match container.is_empty() {
        true => Err(request.operation.error(ErrorKind::Invalid, "the name of the container is empty")),
        false => Ok(request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(connect("backend", "web", &EndpointSettings::default())),
            "POST /networks/backend/connect\nContent-Type: application/json\n\n{\"Container\":\"web\"}"
        );
        let settings = EndpointSettings::default().alias("www").ipv4_address("10.0.0.7");
        assert_eq!(
            text(connect("backend", "web", &settings)),
            "POST /networks/backend/connect\nContent-Type: application/json\n\n{\"Container\":\"web\",\
             \"EndpointConfig\":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.7\"},\"Aliases\":[\"www\"]}}"
        );
        let head = "POST /networks/backend/disconnect\nContent-Type: application/json\n\n";
        let default = DisconnectOptions::default();
        assert_eq!(text(disconnect("backend", "web", &default)), format!("{head}{{\"Container\":\"web\"}}"));
        assert_eq!(
            text(disconnect("backend", "web", &default.force())),
            format!("{head}{{\"Container\":\"web\",\"Force\":true}}")
        );
    }

    #[test]
    fn what_engines_would_read_over_needs_a_newer_one() {
        let settings = EndpointSettings::default().mac_address("02:42:ac:12:05:02").gw_priority(-1);
        let needs = [
            ("the MAC address of a container to connect", ApiVersion::new(1, 54)),
            ("the priority of a gateway", ApiVersion::new(1, 48)),
        ];
        assert_eq!(connect("backend", "web", &settings).unwrap().needs, needs);
    }

    #[test]
    fn a_container_needs_a_name() {
        let outcomes = [
            connect("backend", "", &EndpointSettings::default()),
            disconnect("backend", "", &DisconnectOptions::default()),
        ];
        for outcome in outcomes {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
