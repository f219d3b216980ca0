//! The requests that create and change volumes, and the answer of a prune.

use serde::Serialize;

use crate::decode::Decode;
use crate::{ClusterVolumeSpec, SortedMap, is_default};

/// Asks for a volume.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeCreate {
    /// Name of the volume; of the engine's choice unless set.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Name of the driver; empty for `local`.
    #[serde(skip_serializing_if = "is_default")]
    pub driver: String,
    /// What the driver understands.
    #[serde(skip_serializing_if = "is_default")]
    pub driver_opts: SortedMap<String, String>,
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// Makes it a volume of the swarm, API 1.42+.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_volume_spec: Option<ClusterVolumeSpec>,
}

/// Asks to change a volume of the swarm.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeUpdate {
    /// What the volume is to be.
    pub spec: ClusterVolumeSpec,
}

/// Tells what a prune of volumes removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumesPruned {
    /// Names of the removed volumes.
    pub volumes_deleted: Vec<String>,
    /// Bytes that became free.
    pub space_reclaimed: u64,
}
