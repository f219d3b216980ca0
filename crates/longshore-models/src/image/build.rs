//! Building images, and the cache of builds.

use serde::Serialize;

use crate::SortedMap;
use crate::decode::Decode;

/// Says where BuildKit puts what it has built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct BuildOutput {
    /// What kind of place it is; the engine takes `moby` only, its own store of images.
    #[serde(rename = "Type")]
    pub kind: String,
    /// How to put it there, such as `compression` and `zstd`.
    #[serde(rename = "Attrs")]
    pub attributes: SortedMap<String, String>,
}

impl BuildOutput {
    /// Names the kind of place.
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// Sets how to put it there, such as `compression` and `zstd`.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }
}

/// Tells what a prune has removed of the cache of builds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct BuildCachePruned {
    /// Ids of the entries.
    pub caches_deleted: Vec<String>,
    /// Bytes that became free.
    pub space_reclaimed: u64,
}
