//! Removing images.

use crate::decode::Decode;

/// Tells of one thing that removing an image did: exactly one of the fields is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageDeleted {
    /// The reference that was taken off.
    pub untagged: Option<String>,
    /// The id of the image or layer that was deleted.
    pub deleted: Option<String>,
}

/// Tells what a prune has removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImagesPruned {
    /// What was removed.
    pub images_deleted: Vec<ImageDeleted>,
    /// Bytes that became free.
    pub space_reclaimed: u64,
}
