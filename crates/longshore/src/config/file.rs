use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use longshore_models::SortedMap;
use longshore_models::decode::{self, Decode};
use longshore_wire::auth::wipe;

use super::headers::HttpHeaders;
use crate::error::{Error, ErrorKind, Operation, Result};

/// The official CLI's `config.json`: what of it matters to a client.
#[derive(Clone, Debug, Default, Decode)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigFile {
    /// The context in use; empty or `default` for none.
    pub(crate) current_context: String,
    /// The helper that keeps the credentials of all registries without one of their own.
    pub(crate) creds_store: String,
    /// Helpers by registry.
    pub(crate) cred_helpers: SortedMap<String, String>,
    /// Credentials that stand in the file itself, by registry.
    pub(crate) auths: SortedMap<String, FileAuth>,
    /// What goes with every request.
    #[serde(rename = "HttpHeaders")]
    pub(crate) http_headers: HttpHeaders,
    /// Proxies for builds, by the engine's address; `default` for all others.
    pub(crate) proxies: SortedMap<String, Proxies>,
}

/// Credentials as the file has them.
#[derive(Clone, Default, Decode)]
pub(crate) struct FileAuth {
    /// `user:password` in base64.
    pub(crate) auth: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) identitytoken: String,
    pub(crate) registrytoken: String,
}

impl FileAuth {
    /// Overwrites the secrets.
    pub(crate) fn wipe(&mut self) {
        for secret in [&mut self.auth, &mut self.password, &mut self.identitytoken, &mut self.registrytoken] {
            wipe(std::mem::take(secret));
        }
    }
}

impl fmt::Debug for FileAuth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FileAuth").finish_non_exhaustive()
    }
}

/// The proxies that builds on one engine are told of.
#[derive(Clone, Default, Decode)]
#[serde(rename_all = "camelCase")]
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
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(ConfigFile::default());
            }
            Err(error) => return Err(failure(path, "can't be read", error)),
        };
        if json.trim_ascii().is_empty() {
            return Ok(ConfigFile::default());
        }
        let read = decode::from_slice(&json);
        wipe(json);
        // What the reader has to say may quote a secret, so that only the place is told.
        read.map_err(|error: serde_json::Error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            failure(path, "is not what it should be", io::Error::new(io::ErrorKind::InvalidData, place))
        })
    }

    /// Whether it says anything of where credentials are.
    pub(crate) fn holds_credentials(&self) -> bool {
        !(self.creds_store.is_empty() && self.cred_helpers.is_empty() && self.auths.is_empty())
    }
}

fn failure(path: &Path, what: &str, source: io::Error) -> Error {
    let message = format!("{} {what}: {source}", path.display());
    Operation::new("read the configuration").error_from(ErrorKind::Config, message, source)
}
