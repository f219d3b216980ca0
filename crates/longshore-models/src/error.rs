//! What engines answer when something went wrong.

use crate::decode::Decode;

/// The body of an answer that tells of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct ErrorResponse {
    /// What went wrong, in the engine's words.
    pub message: String,
    /// The innermost cause (Podman).
    pub cause: String,
    /// HTTP status once more (Podman); 0 if not told.
    pub response: u16,
}

/// Names what a request has made: the answer of exec create and commit, and of creations in a swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct IdResponse {
    /// Id of what was made.
    #[serde(rename = "Id", alias = "ID")]
    pub id: String,
}
