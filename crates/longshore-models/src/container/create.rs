//! Creating a container.

use serde::Serialize;

use crate::decode::Decode;
use crate::{ContainerConfig, HostConfig, NetworkingConfig, is_default};

/// Asks for a new container. What is not set is not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CreateBody {
    /// What it runs; at the top level on the wire.
    #[serde(flatten)]
    pub config: ContainerConfig,
    /// How it runs on this host.
    #[serde(skip_serializing_if = "is_default")]
    pub host_config: HostConfig,
    /// Networks it is connected to.
    #[serde(skip_serializing_if = "is_default")]
    pub networking_config: NetworkingConfig,
}

/// Tells of a container that was created.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerCreated {
    /// Id, 64 hexadecimal digits.
    pub id: String,
    /// What the engine could not do as asked.
    pub warnings: Vec<String>,
}
