//! What engines tell of networks.

use std::ops::Deref;

use crate::decode::Decode;
use crate::{ConfigReference, Ipam, NetworkStatus, Scope, SortedMap, Timestamp};

/// Tells the settings of a network: an entry of the list.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkSummary {
    /// Id.
    pub id: String,
    /// Name; several networks of an old engine may have the same.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// How far it reaches.
    pub scope: Scope,
    /// Name of its driver, such as `bridge`.
    pub driver: String,
    /// Whether it has IPv4 addresses; `None` below API 1.48, where every network has.
    #[serde(rename = "EnableIPv4")]
    pub enable_ipv4: Option<bool>,
    /// Whether it has IPv6 addresses.
    #[serde(rename = "EnableIPv6")]
    pub enable_ipv6: bool,
    /// Its addresses.
    #[serde(rename = "IPAM")]
    pub ipam: Ipam,
    /// Whether its containers reach each other only.
    pub internal: bool,
    /// Whether containers that belong to no service can be connected to a network of the swarm.
    pub attachable: bool,
    /// Whether the swarm publishes ports over it.
    pub ingress: bool,
    /// The network whose settings it has, if it has those of another.
    pub config_from: ConfigReference,
    /// Whether it is only settings for other networks.
    pub config_only: bool,
    /// What was set for its driver.
    pub options: SortedMap<String, String>,
    /// Labels.
    pub labels: SortedMap<String, String>,
    /// The nodes that share an overlay network; empty for others.
    pub peers: Vec<PeerInfo>,
}

/// Tells everything about a network; its settings by `Deref`.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkInspect {
    /// Its settings.
    #[serde(flatten)]
    pub summary: NetworkSummary,
    /// The running containers connected to it, by their id. Endpoints of a swarm's load balancer may be among them.
    pub containers: SortedMap<String, EndpointResource>,
    /// The services connected to a network of the swarm, by name; only when asked for.
    pub services: SortedMap<String, ServiceInfo>,
    /// How much of it is in use; `None` below API 1.52.
    pub status: Option<NetworkStatus>,
}

impl Deref for NetworkInspect {
    type Target = NetworkSummary;

    fn deref(&self) -> &NetworkSummary {
        &self.summary
    }
}

/// Names a node that shares an overlay network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Id of the node.
    #[serde(rename = "Name")]
    pub name: String,
    /// IP address of the node.
    #[serde(rename = "IP")]
    pub ip: String,
}

/// Tells how a container is connected, seen from the network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EndpointResource {
    /// Name of the container.
    pub name: String,
    /// Id of the endpoint; Podman has none.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// MAC address.
    pub mac_address: String,
    /// IPv4 address with the length of its prefix, such as `172.19.0.2/16`; empty if it has none.
    #[serde(rename = "IPv4Address")]
    pub ipv4_address: String,
    /// IPv6 address with the length of its prefix; empty if it has none.
    #[serde(rename = "IPv6Address")]
    pub ipv6_address: String,
}

/// Tells how a service is connected to a network of the swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceInfo {
    /// Address under which the service as a whole is reached.
    #[serde(rename = "VIP")]
    pub vip: String,
    /// Ports of the service, as the engine writes them.
    pub ports: Vec<String>,
    /// Number of the load balancer on this node.
    #[serde(rename = "LocalLBIndex")]
    pub local_lb_index: i64,
    /// Tasks of the service.
    pub tasks: Vec<NetworkTaskInfo>,
}

/// Tells how a task of a service is connected to a network of the swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkTaskInfo {
    /// Name of the task.
    pub name: String,
    /// Id of its endpoint.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// IP address of its endpoint.
    #[serde(rename = "EndpointIP")]
    pub endpoint_ip: String,
    /// What else is known, such as the address of its node.
    pub info: SortedMap<String, String>,
}
