//! What the objects of a swarm have in common.

use serde::Serialize;

use crate::decode::Decode;
use crate::{SortedMap, is_default};

/// Tells which state of an object this is: the number grows with every change.
///
/// A change is sent with the version that it was made from, and the engine refuses it once there is a newer one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ObjectVersion {
    /// Number of the change in the whole swarm that this state came with.
    pub index: u64,
}

impl ObjectVersion {
    /// Makes the version of a number that was kept somewhere.
    pub fn new(index: u64) -> Self {
        Self { index }
    }
}

/// Names a driver of logs, of secrets or of templates, and its options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Driver {
    /// Name of the driver.
    pub name: String,
    /// What the driver understands.
    #[serde(skip_serializing_if = "is_default")]
    pub options: SortedMap<String, String>,
}

impl Driver {
    /// Names a driver.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds an option.
    #[must_use]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }
}
