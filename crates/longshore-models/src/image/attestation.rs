//! What is attested about an image.

use serde_json::Value;

use crate::Descriptor;
use crate::decode::Decode;

/// Gives one statement about an image, such as where it was built from or what it contains.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AttestationStatement {
    /// Where the statement is in the image store.
    pub descriptor: Descriptor,
    /// URI of the kind of statement, such as `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// The in-toto statement itself; `null` unless asked for.
    pub statement: Value,
}
