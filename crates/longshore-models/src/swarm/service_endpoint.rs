//! Where a service can be reached.

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::port::Problem;
use crate::{HostIp, HostPort, ParsePortError, Port, Protocol, Publish, is_default};

/// Says where a service can be reached, and how its name is resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EndpointSpec {
    /// What the name of the service leads to in its networks.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: EndpointMode,
    /// Ports that are published.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<EndpointPortConfig>,
}

/// Says what the name of a service leads to in its networks. The empty word is [`VirtualIp`](Self::VirtualIp).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EndpointMode {
    /// An address of the service itself, which spreads connections over the tasks.
    #[default]
    VirtualIp,
    /// The addresses of the tasks, one after another; ports can be published on the nodes of the tasks only.
    DnsRoundRobin,
    /// A word this version does not know.
    Other(String),
}

words!(EndpointMode { VirtualIp = "vip", DnsRoundRobin = "dnsrr" });

/// Publishes a port of a service.
///
/// ```
/// use longshore_models::{EndpointPortConfig, Port};
///
/// let web = EndpointPortConfig::new(80).published(8080);
/// let dns = EndpointPortConfig::new(Port::udp(53)).published(53).host();
/// assert_eq!(EndpointPortConfig::parse("8080:80")?, [web]);
/// assert_eq!(serde_json::to_value(&dns).unwrap()["PublishMode"], "host");
/// # Ok::<(), longshore_models::ParsePortError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EndpointPortConfig {
    /// Name; nothing depends on it.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Transport protocol.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: Protocol,
    /// Port in the container.
    #[serde(skip_serializing_if = "is_default")]
    pub target_port: u16,
    /// Port on the nodes; 0 lets the swarm pick one.
    #[serde(skip_serializing_if = "is_default")]
    pub published_port: u16,
    /// On which nodes.
    #[serde(skip_serializing_if = "is_default")]
    pub publish_mode: PublishMode,
}

impl EndpointPortConfig {
    /// Publishes a port on a port of the swarm's choice, on all nodes.
    pub fn new(target: impl Into<Port>) -> Self {
        let Port { number, protocol } = target.into();
        Self { protocol, target_port: number, ..Self::default() }
    }

    /// Reads the syntax of [`Publish`]: `8080:80`, `53:53/udp`, `8000-8002:80-82`, `80`.
    ///
    /// # Errors
    /// Names the text and what is wrong with it. A service can't be published on one address of its nodes, nor one of
    /// its ports on any of a range.
    pub fn parse(text: &str) -> Result<Vec<Self>, ParsePortError> {
        let of_service = |(port, binding): (Port, crate::PortBinding)| {
            let published = match (binding.host_ip, binding.host_port) {
                (HostIp::Unspecified, HostPort::Number(number)) => number,
                (HostIp::Unspecified, HostPort::Ephemeral) => 0,
                (HostIp::Unspecified, _) => return Err(ParsePortError::new(text, Problem::ServiceRange)),
                _ => return Err(ParsePortError::new(text, Problem::ServiceIp)),
            };
            Ok(Self::new(port).published(published))
        };
        Publish::parse(text)?.bindings().map(of_service).collect()
    }

    /// Publishes it on this port of the nodes; 0 lets the swarm pick one.
    #[must_use]
    pub fn published(mut self, port: u16) -> Self {
        self.published_port = port;
        self
    }

    /// Publishes it only on the nodes where a task runs, past the load balancing of the swarm.
    #[must_use]
    pub fn host(mut self) -> Self {
        self.publish_mode = PublishMode::Host;
        self
    }
}

/// Says on which nodes a port is published. The empty word is [`Ingress`](Self::Ingress).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PublishMode {
    /// On all nodes, each of which leads to any task.
    #[default]
    Ingress,
    /// On the nodes where a task runs, each of which leads to that task.
    Host,
    /// A word this version does not know.
    Other(String),
}

words!(PublishMode { Ingress = "ingress", Host = "host" });

/// Tells where a service can be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceEndpoint {
    /// What was asked for.
    pub spec: EndpointSpec,
    /// Ports that are published, with those that the swarm picked.
    pub ports: Vec<EndpointPortConfig>,
    /// Addresses of the service itself.
    #[serde(rename = "VirtualIPs")]
    pub virtual_ips: Vec<VirtualIp>,
}

/// Tells the address of a service in one of its networks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VirtualIp {
    /// Id of the network.
    #[serde(rename = "NetworkID")]
    pub network_id: String,
    /// Address with the length of its prefix, such as `10.0.0.5/24`.
    pub addr: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_for_containers() {
        let parse = |text| EndpointPortConfig::parse(text).unwrap();
        assert_eq!(parse("80"), [EndpointPortConfig::new(80)]);
        assert_eq!(parse("5353:53/udp"), [EndpointPortConfig::new(Port::udp(53)).published(5353)]);
        assert_eq!(parse("8000-8001:80-81"), [80, 81].map(|port| EndpointPortConfig::new(port).published(7920 + port)));
    }

    #[test]
    fn what_a_service_can_not_do_is_said() {
        let error = |text| EndpointPortConfig::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("127.0.0.1:8080:80"),
            "invalid port `127.0.0.1:8080:80`: a service can't be published on one host address"
        );
        assert_eq!(
            error("8000-8010:80"),
            "invalid port `8000-8010:80`: a service can't be published on any of a range of host ports"
        );
        assert!(error("8080:http").contains("the container port"));
    }
}
