//! What an engine consists of and works with.

use crate::SortedMap;
use crate::decode::Decode;

/// A program that runs containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Runtime {
    /// Its path, or its name if it is looked up; empty if containerd knows it.
    pub path: String,
    /// Arguments that it is started with.
    pub runtime_args: Vec<String>,
    /// Kind of runtime to containerd; empty if it has a path.
    #[serde(rename = "runtimeType")]
    pub kind: String,
    /// Settings that containerd gives it; `null` if there are none.
    pub options: serde_json::Value,
    /// What it tells of itself, such as its features as JSON, API 1.44+.
    pub status: SortedMap<String, String>,
}

/// Names what a part of the engine was built from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EngineCommit {
    /// Commit or version.
    #[serde(rename = "ID")]
    pub id: String,
    /// Commit that the engine expects, until API 1.48.
    pub expected: String,
}

/// Tells of the containerd that runs the containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerdInfo {
    /// Path of its socket.
    pub address: String,
    /// Its namespaces that the engine keeps to itself.
    pub namespaces: ContainerdNamespaces,
}

/// Names the namespaces of containerd that belong to the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerdNamespaces {
    /// That of the containers, such as `moby`.
    pub containers: String,
    /// That of the plugins, such as `plugins.moby`.
    pub plugins: String,
}

/// Tells how the engine sets up the firewall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct FirewallInfo {
    /// With what, such as `iptables` or `nftables+firewalld`.
    pub driver: String,
    /// What that tells of itself.
    pub info: Vec<InfoEntry>,
}

/// Tells how plugins of the Node Resource Interface take part in running containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NriInfo {
    /// What it tells of itself.
    pub info: Vec<InfoEntry>,
}

/// Names a device that containers can be given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DeviceInfo {
    /// Driver that found it, such as `cdi`.
    pub source: String,
    /// Its name for the driver, such as `vendor.com/gpu=0`.
    #[serde(rename = "ID")]
    pub id: String,
}

/// Something that a part of the engine tells of itself, for people. A list of two texts on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[decode(from = Vec<String>)]
#[non_exhaustive]
pub struct InfoEntry {
    /// What it is about, such as `Backing Filesystem`.
    pub label: String,
    /// How that is, such as `extfs`.
    pub value: String,
}

impl From<Vec<String>> for InfoEntry {
    fn from(texts: Vec<String>) -> Self {
        let mut texts = texts.into_iter();
        Self { label: texts.next().unwrap_or_default(), value: texts.next().unwrap_or_default() }
    }
}
