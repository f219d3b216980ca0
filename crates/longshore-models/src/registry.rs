//! What registries say, as engines pass it on.

use std::fmt;

use crate::decode::Decode;
use crate::{Descriptor, Platform};

/// The answer to credentials that a registry takes. `Debug` hides the token.
#[derive(Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AuthResponse {
    /// The engine's words, such as `Login Succeeded`.
    pub status: String,
    /// A token that stands for user and password from now on; empty if the registry gives none.
    pub identity_token: String,
}

impl fmt::Debug for AuthResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let token = if self.identity_token.is_empty() { "" } else { "[hidden]" };
        formatter.debug_struct("AuthResponse").field("status", &self.status).field("identity_token", &token).finish()
    }
}

/// Tells of an image in a registry.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DistributionInspect {
    /// What the reference points to: the manifest, or the index of an image for several platforms.
    pub descriptor: Descriptor,
    /// What the image can run on.
    pub platforms: Vec<Platform>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown() {
        let json = br#"{"Status": "Login Succeeded", "IdentityToken": "s3cret"}"#;
        let response: AuthResponse = crate::decode::from_slice(json).unwrap();
        assert_eq!(response.identity_token, "s3cret");
        assert_eq!(
            format!("{response:?}"),
            r#"AuthResponse { status: "Login Succeeded", identity_token: "[hidden]" }"#
        );
        assert!(format!("{:?}", AuthResponse::default()).contains(r#"identity_token: """#));
    }
}
