//! Checkpoints: containers frozen to disk.

use serde::Serialize;

use crate::decode::Decode;
use crate::is_default;

/// Asks to freeze a container to disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckpointCreate {
    /// Name of the checkpoint.
    #[serde(rename = "CheckpointID")]
    pub id: String,
    /// Folder on the engine's machine to keep it in; the engine's own if empty.
    #[serde(rename = "CheckpointDir", skip_serializing_if = "is_default")]
    pub dir: String,
    /// Ends the container once it is on disk.
    #[serde(rename = "Exit", skip_serializing_if = "is_default")]
    pub exit: bool,
}

/// Names a checkpoint of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CheckpointSummary {
    /// Name.
    pub name: String,
}
