//! Everything an engine knows of one image.

use crate::decode::Decode;
use crate::{ContainerConfig, Descriptor, DriverData, Identity, ImageManifestSummary, Timestamp};

/// Tells everything of one image.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageInspect {
    /// Id, such as `sha256:…`.
    pub id: String,
    /// References.
    pub repo_tags: Vec<String>,
    /// References by digest.
    pub repo_digests: Vec<String>,
    /// When it was created; [zero](Timestamp::is_zero) if the image does not say.
    pub created: Timestamp,
    /// What containers made from it run.
    pub config: Option<ContainerConfig>,
    /// CPU architecture, such as `amd64`.
    pub architecture: String,
    /// Variant of the CPU, such as `v7`.
    pub variant: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Version of the operating system (Windows).
    pub os_version: String,
    /// Bytes of all its layers.
    pub size: i64,
    /// The same as `size`, until API 1.43.
    pub virtual_size: i64,
    /// Layers.
    #[serde(rename = "RootFS")]
    pub root_fs: ImageRootFs,
    /// Notes of the engine.
    pub metadata: ImageMetadata,
    /// Note of who made it.
    pub comment: String,
    /// Who made it.
    pub author: String,
    /// What its reference points to, API 1.48+; `None` if the image store has no such thing.
    pub descriptor: Option<Descriptor>,
    /// What it consists of, API 1.48+; empty unless asked for.
    pub manifests: Vec<ImageManifestSummary>,
    /// Where it comes from, as far as the engine has verified it, API 1.53+; `None` if it is not told.
    pub identity: Option<Identity>,
    /// What the storage driver knows of it; `None` with a snapshotter.
    pub graph_driver: Option<DriverData>,
    /// Id of the image it was built upon here, until API 1.51.
    pub parent: String,
    /// Version of the engine that built it, until API 1.51.
    pub docker_version: String,
    /// Id of the container it was committed from, until API 1.44.
    pub container: String,
    /// Configuration of the container it was committed from, until API 1.44.
    pub container_config: Option<ContainerConfig>,
}

/// Names the layers of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageRootFs {
    /// How it is put together: `layers`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Digests of the unpacked layers, lowest first.
    pub layers: Vec<String>,
}

/// What the engine notes about an image that is not part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageMetadata {
    /// When it was last tagged here; [zero](Timestamp::is_zero) if never.
    pub last_tag_time: Timestamp,
}
