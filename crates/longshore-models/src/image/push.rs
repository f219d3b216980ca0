//! Pushing images.

use crate::decode::Decode;

/// Names what a push has put into the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImagePushed {
    /// The tag.
    pub tag: String,
    /// Digest of the manifest, such as `sha256:…`: the name of this very image in the registry.
    pub digest: String,
    /// Bytes of the manifest; the layers don't count. Podman 4 tells those of the manifest before compression.
    pub size: u64,
}
