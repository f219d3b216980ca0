//! What engines tell of volumes.

use serde_json::Value;

use crate::decode::Decode;
use crate::{ClusterVolume, Scope, SortedMap, Timestamp};

/// Tells everything about a volume.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeInspect {
    /// Name, by which it is known.
    pub name: String,
    /// Name of its driver, such as `local`.
    pub driver: String,
    /// Path of its files on the host; empty for a volume of the swarm.
    pub mountpoint: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// What its driver tells of it; the usual one tells nothing.
    pub status: SortedMap<String, Value>,
    /// Labels.
    pub labels: SortedMap<String, String>,
    /// How far it reaches.
    pub scope: Scope,
    /// What makes it a volume of the swarm, API 1.42+; `None` for others.
    pub cluster_volume: Option<ClusterVolume>,
    /// What was set for its driver.
    pub options: SortedMap<String, String>,
    /// How much of it is in use; only where disk usage is asked for.
    pub usage_data: Option<VolumeUsage>,
}

/// Tells how much of a volume is in use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeUsage {
    /// Bytes of its files; -1 if its driver can't tell.
    pub size: i64,
    /// Number of containers that use it; -1 if that is not known.
    pub ref_count: i64,
}

/// Lists volumes.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeList {
    /// The volumes.
    pub volumes: Vec<VolumeInspect>,
    /// Why volumes may be missing, such as a driver that does not answer.
    pub warnings: Vec<String>,
}
