//! One line of the container list.

use crate::decode::Decode;
use crate::{
    ContainerState, Descriptor, EndpointSettings, HealthSummary, MountPoint, PublishedPort, SortedMap, Timestamp,
};

/// Tells of one container in the list.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerSummary {
    /// Id, 64 hexadecimal digits.
    pub id: String,
    /// Names with a leading slash; more than one with legacy links. [`name`](Self::name) is the container's own.
    pub names: Vec<String>,
    /// Reference of the image as it was given at creation, or its id once the reference is gone.
    pub image: String,
    /// Id of the image.
    #[serde(rename = "ImageID")]
    pub image_id: String,
    /// Manifest of the image for this platform, API 1.48+; `None` if the image store has no such thing.
    pub image_manifest_descriptor: Option<Box<Descriptor>>,
    /// Program and arguments in one line.
    pub command: String,
    /// When it was created, to the second.
    pub created: Timestamp,
    /// Ports it exposes, and where they are published.
    pub ports: Vec<PublishedPort>,
    /// Bytes written to its filesystem; `None` unless the size was asked for; -1 if it can't be told.
    pub size_rw: Option<i64>,
    /// Bytes of its whole filesystem; `None` unless the size was asked for; -1 if it can't be told.
    pub size_root_fs: Option<i64>,
    /// Labels.
    pub labels: SortedMap<String, String>,
    /// What it is doing, in a word.
    pub state: ContainerState,
    /// What it is doing, in words for people, such as `Up 4 days`.
    pub status: String,
    /// Some of how it runs on this host.
    pub host_config: SummaryHostConfig,
    /// How it is connected to networks.
    pub network_settings: SummaryNetworkSettings,
    /// What is mounted in it.
    pub mounts: Vec<MountPoint>,
    /// Its health, API 1.52+; `None` if the engine does not tell.
    pub health: Option<HealthSummary>,
}

impl ContainerSummary {
    /// Returns the container's own name without the slash that engines put before it; empty if it has none.
    pub fn name(&self) -> &str {
        // A name from a legacy link is a path: `/other/alias`.
        let mut names = self.names.iter().map(|name| name.strip_prefix('/').unwrap_or(name));
        names.clone().find(|name| !name.contains('/')).or_else(|| names.next()).unwrap_or_default()
    }
}

/// Some of how a listed container runs on its host.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SummaryHostConfig {
    /// `bridge`, `host`, `none`, `container:<id>`, or the name of a network.
    pub network_mode: String,
    /// Notes for the runtime, API 1.46+.
    pub annotations: SortedMap<String, String>,
}

/// How a listed container is connected to networks.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SummaryNetworkSettings {
    /// Networks it is connected to, by name.
    pub networks: SortedMap<String, EndpointSettings>,
}
