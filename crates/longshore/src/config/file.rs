use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::headers::HttpHeaders;
use crate::error::{Error, ErrorKind, Operation, Result};

/// The official CLI's `config.json`: what of it matters to a client.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ConfigFile {
    /// The context in use; empty or `default` for none.
    pub(crate) current_context: String,
    /// The helper that keeps the credentials of all registries without one of their own.
    pub(crate) creds_store: String,
    /// Helpers by registry.
    pub(crate) cred_helpers: BTreeMap<String, String>,
    /// Credentials that stand in the file itself, by registry.
    pub(crate) auths: BTreeMap<String, FileAuth>,
    /// What goes with every request.
    #[serde(rename = "HttpHeaders")]
    pub(crate) http_headers: HttpHeaders,
    /// Proxies for builds, by the engine's address; `default` for all others.
    pub(crate) proxies: BTreeMap<String, Proxies>,
}

/// Credentials as the file has them.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "lowercase")]
pub(crate) struct FileAuth {
    /// `user:password` in base64.
    pub(crate) auth: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) identitytoken: String,
    pub(crate) registrytoken: String,
}

impl fmt::Debug for FileAuth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FileAuth").finish_non_exhaustive()
    }
}

/// The proxies that builds on one engine are told of.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Proxies {
    pub(crate) http_proxy: String,
    pub(crate) https_proxy: String,
    pub(crate) no_proxy: String,
    pub(crate) ftp_proxy: String,
    pub(crate) all_proxy: String,
}

impl fmt::Debug for Proxies {
    // The address of a proxy may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Proxies").finish_non_exhaustive()
    }
}

impl ConfigFile {
    /// Reads the file; one that does not exist is empty.
    pub(crate) fn read(path: &Path) -> Result<ConfigFile> {
        let json = match fs::read(path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ConfigFile::default()),
            Err(error) => return Err(failure(path, "can't be read", error)),
        };
        longshore_models::lenient::from_slice(&json).map_err(|error| failure(path, "can't be understood", error))
    }
}

fn failure(path: &Path, what: &str, source: impl StdError + Send + Sync + 'static) -> Error {
    let message = format!("{} {what}: {source}", path.display());
    Operation::new("read the configuration").error_from(ErrorKind::Config, message, source)
}
