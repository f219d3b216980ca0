//! OCI descriptors: what content is, how long, and which digest it has.

use crate::SortedMap;
use crate::decode::Decode;

/// Describes content in an image store or registry.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Descriptor {
    /// Media type of the content.
    pub media_type: String,
    /// Digest of the content, such as `sha256:…`.
    pub digest: String,
    /// Length in bytes.
    pub size: i64,
    /// Where else it can be had, API 1.48+.
    pub urls: Vec<String>,
    /// Notes on it, API 1.48+.
    pub annotations: SortedMap<String, String>,
    /// The content itself in base64, if it is small; empty if it is not told. API 1.48+.
    pub data: String,
    /// What the image runs on, API 1.48+.
    pub platform: Option<Platform>,
    /// Media type of the artifact, API 1.48+.
    pub artifact_type: String,
}

/// Says what an image runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct Platform {
    /// CPU architecture, such as `amd64`.
    pub architecture: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Version of the operating system (Windows).
    #[serde(rename = "os.version")]
    pub os_version: String,
    /// Features the operating system must have (Windows).
    #[serde(rename = "os.features")]
    pub os_features: Vec<String>,
    /// Variant of the CPU, such as `v7`.
    pub variant: String,
}
