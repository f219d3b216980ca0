//! How a container ended.

use crate::decode::Decode;

/// Tells how a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WaitResponse {
    /// Exit code; above 128 usually 128 and the number of the signal that killed it.
    pub status_code: i64,
    /// Why the engine could not wait to the end, such as a removal that failed; `None` if all went well.
    pub error: Option<WaitError>,
}

/// Tells why the engine could not wait to the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WaitError {
    /// The engine's words.
    pub message: String,
}
