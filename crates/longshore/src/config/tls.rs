use std::fmt;
use std::fs;
use std::hint;
use std::io;
use std::path::Path;

use crate::error::{ErrorKind, Operation, Result};

/// What a TLS connection to an engine is made with: whom to trust, and who to be.
///
/// Everything is PEM text, not a path. Nothing of the private key is ever shown.
///
/// ```
/// use longshore::config::Tls;
///
/// let tls = Tls::default().authority("-----BEGIN CERTIFICATE-----…").server_name("engine.internal");
/// assert!(tls.verifies());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) certificate: Option<Vec<u8>>,
    pub(crate) key: Option<PrivateKey>,
    pub(crate) server_name: Option<String>,
    pub(crate) unverified: bool,
}

impl Tls {
    /// Trusts engines whose certificate one of these authorities signed, and no others; the system's authorities do not
    /// count then.
    #[must_use]
    pub fn authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authority = Some(pem.into());
        self
    }

    /// Shows the engine this certificate, with the certificates that lead to its authority behind it, and proves it by
    /// this private key.
    #[must_use]
    pub fn identity(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.certificate = Some(certificate.into());
        self.key = Some(PrivateKey(key.into()));
        self
    }

    /// Expects this name in the engine's certificate instead of that of the address.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Takes any certificate of the engine's: whoever sits between can read and change everything.
    #[must_use]
    pub fn without_verification(mut self) -> Self {
        self.unverified = true;
        self
    }

    /// Reads what is there of `ca.pem`, `cert.pem` and `key.pem` in a folder. A certificate or a key without the other proves
    /// nothing, and is left out, as the official CLI leaves it out.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when one of them is there and can't be read.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Tls> {
        let read = |name: &str| {
            let path = folder.as_ref().join(name);
            match fs::read(&path) {
                Ok(pem) => Ok(Some(pem)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => {
                    let message = format!("{} can't be read: {error}", path.display());
                    Err(Operation::new("connect").error_from(ErrorKind::Config, message, error))
                }
            }
        };
        let mut tls = Tls { authority: read("ca.pem")?, ..Tls::default() };
        if let (Some(certificate), Some(key)) = (read("cert.pem")?, read("key.pem")?) {
            tls = tls.identity(certificate, key);
        }
        Ok(tls)
    }

    /// Whether the engine's certificate is checked.
    pub fn verifies(&self) -> bool {
        !self.unverified
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("has_authority", &self.authority.is_some())
            .field("has_identity", &self.key.is_some())
            .field("server_name", &self.server_name)
            .field("verifies", &self.verifies())
            .finish()
    }
}

/// A private key, overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PrivateKey(Vec<u8>);

impl PrivateKey {
    #[cfg(feature = "tls")]
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.0.fill(0);
        hint::black_box(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Wish};

    #[test]
    fn variables_turn_tls_on_as_the_official_tool_has_it() {
        let folder = std::env::temp_dir().join(format!("longshore-tls-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["ca", "cert", "key"] {
            fs::write(folder.join(format!("{name}.pem")), name).unwrap();
        }
        let path = folder.to_str().unwrap();
        let of = |variables: &[(&str, &str)]| {
            let set = |environment: Environment, (name, value): &(&str, &str)| environment.variable(*name, *value);
            let environment = Environment::default().variable("DOCKER_HOST", "tcp://engine");
            variables.iter().fold(environment, set).resolve(Wish::default()).unwrap().tls.unwrap()
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("DOCKER_CERT_PATH", path), ("DOCKER_TLS_VERIFY", "")]), None);
        let whole = Tls::default().authority("ca").identity("cert", "key");
        for value in ["1", "0", "no"] {
            assert_eq!(of(&[("DOCKER_CERT_PATH", path), ("DOCKER_TLS_VERIFY", value)]), Some(whole.clone()));
        }
        let unverified = Some(whole.clone().without_verification());
        assert_eq!(of(&[("DOCKER_CERT_PATH", path), ("DOCKER_TLS", "1")]), unverified);
        // Without a folder of their own they are in the CLI's.
        assert_eq!(of(&[("DOCKER_CONFIG", path), ("DOCKER_TLS_VERIFY", "1")]), Some(whole));
        assert_eq!(of(&[("DOCKER_TLS_VERIFY", "1")]), Some(Tls::default()));
        fs::remove_file(folder.join("ca.pem")).unwrap();
        let environment = Environment::default().variable("DOCKER_CERT_PATH", path).variable("DOCKER_TLS_VERIFY", "1");
        let error = environment.endpoint().unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.message().contains("ca.pem"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_can_not_be_read_is_named() {
        let folder = std::env::temp_dir().join(format!("longshore-tls-folder-{}", std::process::id()));
        fs::create_dir_all(folder.join("cert.pem")).unwrap();
        let error = Tls::from_folder(&folder).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.message().contains("cert.pem can't be read"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn keys_are_not_shown() {
        let tls = Tls::default().identity("certificate", "a very private key");
        let shown = format!("{tls:?}");
        assert!(!shown.contains("private") && shown.contains("has_identity: true"), "{shown}");
    }
}
