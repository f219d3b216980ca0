//! Secrets: data that only the tasks get that are meant to.

use std::fmt;

use serde::Serialize;

use crate::decode::Decode;
use crate::{Driver, ObjectVersion, SortedMap, Timestamp, base64_bytes, is_default};

/// Tells of a secret, but not what it is.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SecretInspect {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version, to be given back with a change.
    pub version: ObjectVersion,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its labels were changed last.
    pub updated_at: Timestamp,
    /// What it is, without the data.
    pub spec: SecretSpec,
}

/// Says what a secret is to be. `Debug` hides the data.
///
/// ```
/// use longshore_models::SecretSpec;
///
/// let spec = SecretSpec::new("db-password", "s3cret").label("team", "web");
/// assert!(!format!("{spec:?}").contains("s3cret"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SecretSpec {
    /// Name: up to 64 letters, digits, `-`, `_` and `.`, a letter or digit at both ends.
    pub name: String,
    /// Labels: all that can be changed later.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// The secret itself, 1 to 499,999 bytes; base64 on the wire. Engines take it and never give it back.
    #[serde(serialize_with = "base64_bytes::serialize", skip_serializing_if = "is_default")]
    #[decode(from = base64_bytes::Base64)]
    pub data: Vec<u8>,
    /// Where the secret comes from when a task starts, if it is not given here.
    #[serde(skip_serializing_if = "is_default")]
    pub driver: Option<Driver>,
    /// What fills in placeholders in the data, such as `golang`; they stay unless set.
    #[serde(skip_serializing_if = "is_default")]
    pub templating: Option<Driver>,
}

impl SecretSpec {
    /// A secret that the swarm keeps.
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), data: data.into(), ..Self::default() }
    }

    /// A secret that a driver fetches from elsewhere.
    pub fn driven(name: impl Into<String>, driver: Driver) -> Self {
        Self { name: name.into(), driver: Some(driver), ..Self::default() }
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

impl fmt::Debug for SecretSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretSpec")
            .field("name", &self.name)
            .field("labels", &self.labels)
            .field("data", &format_args!("[hidden]"))
            .field("driver", &self.driver)
            .field("templating", &self.templating)
            .finish()
    }
}
