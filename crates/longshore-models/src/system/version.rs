//! Which engine it is.

use serde_json::Value;

use crate::decode::Decode;
use crate::{SortedMap, Timestamp};

/// Tells which engine this is.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SystemVersion {
    /// What the engine is part of.
    pub platform: EnginePlatform,
    /// Version of the engine.
    pub version: String,
    /// Newest API version it speaks.
    pub api_version: String,
    /// Oldest API version it speaks.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// Commit it was built from.
    pub git_commit: String,
    /// Go version it was built with.
    pub go_version: String,
    /// Operating system, `linux` or `windows`.
    pub os: String,
    /// CPU architecture in Go's words, such as `amd64`.
    pub arch: String,
    /// Version of the kernel.
    pub kernel_version: String,
    /// Whether experimental features are on.
    pub experimental: bool,
    /// When it was built; some engines tell no RFC 3339 date.
    pub build_time: Timestamp,
    /// What it consists of.
    pub components: Vec<ComponentVersion>,
}

/// Names what an engine is part of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EnginePlatform {
    /// Name for people.
    pub name: String,
}

/// Tells of one part of an engine, such as containerd.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ComponentVersion {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Whatever else the component tells, usually texts.
    pub details: SortedMap<String, Value>,
}
