//! Tokens and keys, which are not for every eye.

use std::fmt;

use serde::Serialize;

use crate::decode::{self, Decode, Place};

/// Holds a token or key. `Debug` hides it, and it can't be displayed; [`expose`](SecretText::expose) gives it.
///
/// ```
/// use longshore_models::SecretText;
///
/// let key = SecretText::new("SWMKEY-1-7c37");
/// assert_eq!(format!("{key:?}"), "[hidden]");
/// assert_eq!(key.expose(), "SWMKEY-1-7c37");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_empty() { "[none]" } else { "[hidden]" })
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Decode for SecretText {
    fn place(&mut self) -> Place<'_> {
        self.0.place()
    }
}

decode::deserialize!(SecretText);
