//! How an image came to be.

use crate::Timestamp;
use crate::decode::Decode;

/// Tells of one step that made an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageHistoryItem {
    /// Id of the image that the step made; `<missing>` if it is not here.
    pub id: String,
    /// When it was made, to the second; [zero](Timestamp::is_zero) if the image does not say.
    pub created: Timestamp,
    /// Instruction of the Dockerfile, or command, that made it.
    pub created_by: String,
    /// References of the image that the step made; usually only the last step has any.
    pub tags: Vec<String>,
    /// Bytes that the step added.
    pub size: u64,
    /// Note of who made it.
    pub comment: String,
}
