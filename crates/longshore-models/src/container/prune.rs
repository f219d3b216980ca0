//! Removing all containers that have ended.

use crate::decode::Decode;

/// Tells what a prune has removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainersPruned {
    /// Ids of the containers.
    pub containers_deleted: Vec<String>,
    /// Bytes that became free.
    pub space_reclaimed: u64,
}
