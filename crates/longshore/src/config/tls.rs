use std::fmt;
use std::fs;
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
    pub(crate) key: Option<Vec<u8>>,
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
        self.key = Some(key.into());
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

    /// Reads what is there of `ca.pem`, `cert.pem` and `key.pem`. A certificate or a key without the other proves nothing,
    /// and is left out as the official CLI leaves it out.
    pub(super) fn of_folder(folder: &Path) -> Result<Tls> {
        let read = |name: &str| {
            let path = folder.join(name);
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
