//! The requests that connect containers to networks, and the answer of a prune.

use serde::Serialize;

use crate::decode::Decode;
use crate::{EndpointSettings, is_default};

/// Asks to connect a container to a network.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkConnect {
    /// Name or id of the container.
    pub container: String,
    /// Its names and addresses on the network.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoint_config: EndpointSettings,
}

/// Asks to disconnect a container from a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkDisconnect {
    /// Name or id of the container.
    pub container: String,
    /// Goes on although the container is gone or its network can't be taken down.
    #[serde(skip_serializing_if = "is_default")]
    pub force: bool,
}

/// Tells what a prune of networks removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworksPruned {
    /// Names of the removed networks.
    pub networks_deleted: Vec<String>,
}
