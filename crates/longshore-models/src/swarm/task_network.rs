//! Networks of a swarm, as its tasks tell them.

use crate::decode::Decode;
use crate::{ConfigReference, Driver, ObjectVersion, SortedMap, Timestamp};

/// Tells how a task is connected to a network.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkAttachment {
    /// The network.
    pub network: SwarmNetwork,
    /// Addresses of the task in it with the length of their prefix, such as `10.0.0.5/24`.
    pub addresses: Vec<String>,
}

/// Tells of a network as the swarm sees it.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmNetwork {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Which state of the network this is.
    pub version: ObjectVersion,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it changed the last time.
    pub updated_at: Timestamp,
    /// What it is to be.
    pub spec: SwarmNetworkSpec,
    /// The driver, with the options that it works with.
    pub driver_state: Driver,
    /// Its addresses; `None` until there are some.
    #[serde(rename = "IPAMOptions")]
    pub ipam: Option<SwarmIpam>,
}

/// Tells what a network of a swarm is to be.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmNetworkSpec {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: SortedMap<String, String>,
    /// The driver that was asked for.
    #[serde(rename = "DriverConfiguration")]
    pub driver: Option<Driver>,
    /// Whether it has IPv6 addresses.
    #[serde(rename = "IPv6Enabled")]
    pub ipv6: bool,
    /// Whether it leads nowhere else.
    pub internal: bool,
    /// Whether containers outside of services may be connected to it.
    pub attachable: bool,
    /// Whether it carries what comes to published ports.
    pub ingress: bool,
    /// The addresses that were asked for; `None` for any.
    #[serde(rename = "IPAMOptions")]
    pub ipam: Option<SwarmIpam>,
    /// The network of the node that it takes its settings from, if it does.
    pub config_from: Option<ConfigReference>,
    /// How far it reaches, such as `swarm` or `local`.
    pub scope: String,
}

/// Tells the addresses of a network of a swarm.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmIpam {
    /// The driver that hands them out.
    pub driver: Driver,
    /// The ranges that they are of.
    pub configs: Vec<SwarmSubnet>,
}

/// Tells a range of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmSubnet {
    /// The whole range, such as `10.0.1.0/24`.
    pub subnet: String,
    /// The part of it that addresses are handed out of; empty for the whole.
    pub range: String,
    /// Address of the gateway.
    pub gateway: String,
}
