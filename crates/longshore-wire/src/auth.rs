//! Registry authentication headers.

use std::fmt;
use std::hint::black_box;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE};
use serde_json::{Map, Value};

/// Holds credentials for a registry.
///
/// Either a user name and a password, or an identity token (which a registry gives in exchange for a password), or a
/// registry token (a bearer token that is passed on as it is). `Debug` hides the secrets, and they are overwritten when
/// the value is dropped.
///
/// ```
/// use longshore_wire::auth::RegistryAuth;
///
/// let auth = RegistryAuth::default().username("jane").password("s3cret").server_address("ghcr.io");
/// assert!(!format!("{auth:?}").contains("s3cret"));
/// let header = auth.header_value(); // X-Registry-Auth
/// # assert!(header.is_ascii());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryAuth {
    /// The user's name.
    pub username: Option<String>,
    /// The user's password or access token.
    pub password: Option<String>,
    /// A token that stands for user and password.
    pub identity_token: Option<String>,
    /// A bearer token for the registry.
    pub registry_token: Option<String>,
    /// The registry's address, such as `ghcr.io` or `https://index.docker.io/v1/`.
    pub server_address: Option<String>,
}

impl RegistryAuth {
    /// No credentials: what is asked with these is asked anonymously, whatever credentials the user has stored.
    pub fn anonymous() -> Self {
        RegistryAuth::default()
    }

    /// Sets the user's name.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// Sets the user's password or access token.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Sets the token that stands for user and password.
    #[must_use]
    pub fn identity_token(mut self, token: impl Into<String>) -> Self {
        self.identity_token = Some(token.into());
        self
    }

    /// Sets the bearer token for the registry.
    #[must_use]
    pub fn registry_token(mut self, token: impl Into<String>) -> Self {
        self.registry_token = Some(token.into());
        self
    }

    /// Sets the registry's address.
    #[must_use]
    pub fn server_address(mut self, address: impl Into<String>) -> Self {
        self.server_address = Some(address.into());
        self
    }

    /// Returns the value of an `X-Registry-Auth` header: the JSON in padded URL-safe base64.
    ///
    /// The engine ignores a value in any other alphabet without a word, and goes on anonymously.
    pub fn header_value(&self) -> String {
        URL_SAFE.encode(self.to_json())
    }

    /// Returns the credentials as the JSON object that `POST /auth` takes; what is not set is left out.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    fn to_value(&self) -> Value {
        let fields = [
            ("username", &self.username),
            ("password", &self.password),
            ("serveraddress", &self.server_address),
            ("identitytoken", &self.identity_token),
            ("registrytoken", &self.registry_token),
        ];
        let mut object = Map::new();
        for (name, value) in fields {
            if let Some(value) = value {
                object.insert(name.to_owned(), Value::from(value.as_str()));
            }
        }
        Value::Object(object)
    }
}

impl Drop for RegistryAuth {
    fn drop(&mut self) {
        for secret in [&mut self.password, &mut self.identity_token, &mut self.registry_token] {
            wipe(secret.take().unwrap_or_default());
        }
    }
}

impl fmt::Debug for RegistryAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "[hidden]");
        f.debug_struct("RegistryAuth")
            .field("username", &self.username)
            .field("password", &hidden(&self.password))
            .field("identity_token", &hidden(&self.identity_token))
            .field("registry_token", &hidden(&self.registry_token))
            .field("server_address", &self.server_address)
            .finish()
    }
}

/// Returns the value of an `X-Registry-Config` header, which gives a build the credentials of several registries.
///
/// The keys are registry addresses, such as `ghcr.io` or `https://index.docker.io/v1/`.
pub fn config_header_value<'a>(registries: impl IntoIterator<Item = (&'a String, &'a RegistryAuth)>) -> String {
    let object: Map<String, Value> =
        registries.into_iter().map(|(address, auth)| (address.clone(), auth.to_value())).collect();
    URL_SAFE.encode(Value::Object(object).to_string())
}

/// Returns the user's name and the password of `user:password` in base64, as HTTP's basic authentication and the `auth`
/// of a `config.json` have them. The password may be empty.
///
/// # Errors
/// [`InvalidBasic`] if it is not base64 of text with a name before a colon.
pub fn decode_basic(text: &str) -> Result<(String, String), InvalidBasic> {
    let folded: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(&folded).map_err(|_| InvalidBasic);
    wipe(folded);
    let decoded = String::from_utf8(bytes?).map_err(|error| {
        wipe(error.into_bytes());
        InvalidBasic
    })?;
    let split = match decoded.split_once(':') {
        Some((user, password)) if !user.is_empty() => Ok((user.to_owned(), password.trim_matches('\0').to_owned())),
        _ => Err(InvalidBasic),
    };
    wipe(decoded);
    split
}

/// Says that something is not a user's name and a password in base64. It does not say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidBasic;

impl fmt::Display for InvalidBasic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not `user:password` in base64")
    }
}

impl std::error::Error for InvalidBasic {}

/// Overwrites a secret before its memory is given back.
///
/// Copies that were made of it before are not reached.
pub fn wipe(secret: impl Into<Vec<u8>>) {
    let mut bytes = secret.into();
    bytes.fill(0);
    // Without a reader the compiler may leave the writing out.
    black_box(&bytes);
}

/// Returns the JSON that an `X-Docker-Container-Path-Stat` header holds in standard base64, with or without padding.
///
/// # Errors
/// [`InvalidPathStat`] if the header is not base64.
pub fn decode_path_stat(header: &str) -> Result<Vec<u8>, InvalidPathStat> {
    STANDARD.decode(header.trim()).map_err(|_| InvalidPathStat)
}

const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Says that an `X-Docker-Container-Path-Stat` header is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPathStat;

impl fmt::Display for InvalidPathStat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the header X-Docker-Container-Path-Stat is not base64")
    }
}

impl std::error::Error for InvalidPathStat {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::path::random::Random;
    use base64::engine::general_purpose::{self, STANDARD_NO_PAD};

    fn read(header: &str) -> Value {
        serde_json::from_slice(&URL_SAFE.decode(header).unwrap()).unwrap()
    }

    #[test]
    fn the_header_holds_what_is_set() {
        let auth = RegistryAuth::default().username("jane").password("p\"w").server_address("ghcr.io");
        assert_eq!(
            read(&auth.header_value()),
            serde_json::json!({"username": "jane", "password": "p\"w", "serveraddress": "ghcr.io"})
        );
        let tokens = RegistryAuth::default().identity_token("i").registry_token("r");
        assert_eq!(read(&tokens.header_value()), serde_json::json!({"identitytoken": "i", "registrytoken": "r"}));
        assert_eq!(RegistryAuth::default().header_value(), "e30=");
    }

    #[test]
    fn the_alphabet_is_url_safe_and_padded() {
        let auth = RegistryAuth::default().password("???>>>~~~");
        assert_eq!(auth.header_value(), "eyJwYXNzd29yZCI6Ij8_Pz4-Pn5-fiJ9");
        let mut random = Random::new(6);
        for _ in 0..2_000 {
            let password = random.text("?>~ÿ\"\\a", 9);
            let header = RegistryAuth::default().password(&password).header_value();
            assert_eq!(header.len() % 4, 0);
            assert!(!header.contains(['+', '/', '\n']));
            assert_eq!(read(&header)["password"], password.as_str());
        }
    }

    #[test]
    fn the_config_header_names_each_registry() {
        let jane = RegistryAuth::default().username("jane").password("x");
        let token = RegistryAuth::default().identity_token("t");
        let registries =
            BTreeMap::from([("https://index.docker.io/v1/".to_owned(), jane), ("ghcr.io".to_owned(), token)]);
        assert_eq!(
            read(&config_header_value(&registries)),
            serde_json::json!({
                "ghcr.io": {"identitytoken": "t"},
                "https://index.docker.io/v1/": {"username": "jane", "password": "x"},
            })
        );
        assert_eq!(config_header_value(&BTreeMap::new()), "e30=");
    }

    #[test]
    fn debug_hides_secrets() {
        let auth = RegistryAuth::default()
            .username("jane")
            .password("s3cret")
            .identity_token("s3cret")
            .registry_token("s3cret");
        let shown = format!("{auth:?} {:?}", [("ghcr.io", &auth)]);
        assert!(!shown.contains("s3cret"));
        assert!(shown.contains("jane"));
        assert!(format!("{:?}", RegistryAuth::default()).contains("password: None"));
    }

    #[test]
    fn basic_credentials_are_a_name_and_a_password() {
        let decoded = |text: &str| decode_basic(&general_purpose::STANDARD.encode(text));
        let pair = |user: &str, password: &str| Ok((user.to_owned(), password.to_owned()));
        assert_eq!(decoded("jane:s3cret"), pair("jane", "s3cret"));
        assert_eq!(decoded("jane:a:b"), pair("jane", "a:b"));
        assert_eq!(decoded("0000:"), pair("0000", ""));
        assert_eq!(decoded("jane:s3cret\0\0"), pair("jane", "s3cret"));
        assert_eq!(decode_basic(" amFuZTpz\nM2NyZXQ \n"), pair("jane", "s3cret"));
        for wrong in ["jane", ":s3cret", ""] {
            assert_eq!(decoded(wrong), Err(InvalidBasic), "{wrong}");
        }
        for wrong in ["jane:s3cret", "amFuZTpz!", "_-8=", "/zo="] {
            assert_eq!(decode_basic(wrong), Err(InvalidBasic), "{wrong}");
        }
        assert!(!format!("{InvalidBasic} {InvalidBasic:?}").contains("s3cret"));
    }

    #[test]
    fn path_stats_are_standard_base64() {
        // Padded with `=`, and with both characters that the URL-safe alphabet lacks.
        let json = r#"{"name":"ÿ?>~û","size":4096,"mode":2147484141}"#;
        let padded = general_purpose::STANDARD.encode(json);
        assert!(padded.contains('/') || padded.contains('+'));
        assert_eq!(decode_path_stat(&padded).unwrap(), json.as_bytes());
        assert_eq!(decode_path_stat(&format!(" {padded} ")).unwrap(), json.as_bytes());
        let unpadded = STANDARD_NO_PAD.encode(json);
        assert_eq!(decode_path_stat(&unpadded).unwrap(), json.as_bytes());
        assert_eq!(decode_path_stat("").unwrap(), b"");
        for header in ["{}", "e", "e30=e30=", "_-8="] {
            assert_eq!(decode_path_stat(header), Err(InvalidPathStat), "{header}");
        }
    }
}
