//! The request and the answer of network creation.

use serde::Serialize;

use crate::decode::Decode;
use crate::{Ipam, Scope, SortedMap, is_default};

/// Asks for a network.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkCreate {
    /// Name of the network.
    pub name: String,
    /// Refuses a name that is taken; engines do so unasked from Docker 25 on.
    #[serde(skip_serializing_if = "is_default")]
    pub check_duplicate: bool,
    /// Name of the driver; empty for `bridge`.
    #[serde(skip_serializing_if = "is_default")]
    pub driver: String,
    /// How far the network reaches; as its driver has it unless set.
    #[serde(skip_serializing_if = "is_default")]
    pub scope: Scope,
    /// Lets its containers reach each other only.
    #[serde(skip_serializing_if = "is_default")]
    pub internal: bool,
    /// Lets containers that belong to no service connect to a network of the swarm.
    #[serde(skip_serializing_if = "is_default")]
    pub attachable: bool,
    /// Makes it the network over which a swarm publishes ports.
    #[serde(skip_serializing_if = "is_default")]
    pub ingress: bool,
    /// Makes it a set of settings for other networks, to which nothing can be connected.
    #[serde(skip_serializing_if = "is_default")]
    pub config_only: bool,
    /// The network whose settings it has.
    #[serde(skip_serializing_if = "is_default")]
    pub config_from: ConfigReference,
    /// Its addresses; of the engine's choice unless set.
    #[serde(rename = "IPAM", skip_serializing_if = "is_default")]
    pub ipam: Ipam,
    /// Whether it has IPv4 addresses; it has unless set. API 1.48+.
    #[serde(rename = "EnableIPv4", skip_serializing_if = "is_default")]
    pub enable_ipv4: Option<bool>,
    /// Whether it has IPv6 addresses; as the engine is configured unless set.
    #[serde(rename = "EnableIPv6", skip_serializing_if = "is_default")]
    pub enable_ipv6: Option<bool>,
    /// What its driver understands.
    #[serde(skip_serializing_if = "is_default")]
    pub options: SortedMap<String, String>,
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
}

/// Names the network whose settings another has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ConfigReference {
    /// Name of a network that is only settings, not its id; empty if there is none.
    pub network: String,
}

impl ConfigReference {
    /// Names the network.
    pub fn new(network: impl Into<String>) -> Self {
        Self { network: network.into() }
    }
}

/// Tells which network was created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkCreated {
    /// Id of the network.
    pub id: String,
    /// What the engine has to say about it; mostly empty.
    pub warning: String,
}
