//! Configs: files that tasks get.

use std::fmt;

use serde::Serialize;

use crate::decode::Decode;
use crate::{Driver, ObjectVersion, SortedMap, Timestamp, base64_bytes, is_default};

/// Tells everything of a config.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ConfigInspect {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version, to be given back with a change.
    pub version: ObjectVersion,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its labels were changed last.
    pub updated_at: Timestamp,
    /// What it is.
    pub spec: ConfigSpec,
}

/// Says what a config is to be. `Debug` tells only how long the data is.
///
/// ```
/// use longshore_models::ConfigSpec;
///
/// let spec = ConfigSpec::new("site.conf", "listen 80;\n").label("team", "web");
/// assert_eq!(spec.data, b"listen 80;\n");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ConfigSpec {
    /// Name: up to 64 letters, digits, `-`, `_` and `.`, a letter or digit at both ends.
    pub name: String,
    /// Labels: all that can be changed later.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// The content, 1 to 1,023,999 bytes; base64 on the wire.
    #[serde(serialize_with = "base64_bytes::serialize", skip_serializing_if = "is_default")]
    #[decode(from = base64_bytes::Base64)]
    pub data: Vec<u8>,
    /// What fills in placeholders in the data, such as `golang`; they stay unless set.
    #[serde(skip_serializing_if = "is_default")]
    pub templating: Option<Driver>,
}

impl ConfigSpec {
    /// A config with this content.
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), data: data.into(), ..Self::default() }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Fills in placeholders in the data by this driver.
    #[must_use]
    pub fn templating(mut self, driver: Driver) -> Self {
        self.templating = Some(driver);
        self
    }
}

impl fmt::Debug for ConfigSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConfigSpec")
            .field("name", &self.name)
            .field("labels", &self.labels)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("templating", &self.templating)
            .finish()
    }
}
