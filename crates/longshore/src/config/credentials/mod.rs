//! The user's credentials for registries, where the official CLI keeps them.

mod address;
mod helper;

use std::pin::Pin;
use std::time::Duration;

use longshore_models::SortedMap;
use longshore_wire::auth::{RegistryAuth, decode_basic};
use serde::Deserialize;
use tokio::task::{JoinSet, spawn_blocking};

use self::address::{is_of, keys};
use self::helper::Helper;
use super::file::FileAuth;
use super::{ConfigFile, Environment};
use crate::error::{Error, ErrorKind, Operation, Result};

/// Holds credentials in JSON, as `config.json` does; they come before those of the file and the helpers.
const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

/// What the file is called in errors.
const FILE: &str = "config.json";

/// What is known of the user's credentials at one moment: nothing is kept, so that a later login counts.
pub(crate) struct Credentials {
    /// Those of the variable, by registry.
    variable: SortedMap<String, FileAuth>,
    file: ConfigFile,
    helpers: Helpers,
}

/// The helpers that may be asked.
#[derive(Clone)]
struct Helpers {
    environment: Environment,
    /// How long each may take for one answer.
    limit: Option<Duration>,
}

/// The credentials for a registry.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) auth: RegistryAuth,
    /// The program, file or variable that had them.
    pub(crate) origin: String,
}

/// [`Credentials::find`], for those who ask only some of the time: code that is never named is no part of a program.
pub(crate) type FindCredentials = fn(Environment, Option<Duration>, String) -> Finding;

pub(crate) type Finding = Pin<Box<dyn Future<Output = Result<Option<Shown>>> + Send>>;

/// What of the credentials for a registry a request shows.
pub(crate) struct Shown {
    /// The value of its header.
    pub(crate) header: String,
    /// The program, file or variable that had them.
    pub(crate) origin: String,
}

/// The credentials for all registries for which there are any.
#[derive(Default)]
pub(crate) struct AllCredentials {
    /// By the registry's address.
    pub(crate) registries: SortedMap<String, RegistryAuth>,
    /// Why there are none from where there may be some.
    pub(crate) failures: Vec<Error>,
}

impl Credentials {
    /// Reads what the environment names, and finds the credentials for one registry.
    pub(crate) fn find(environment: Environment, limit: Option<Duration>, registry: String) -> Finding {
        Box::pin(async move {
            let found = Credentials::read(environment, limit).await?.of(&registry).await?;
            Ok(found.map(|Found { auth, origin }| Shown { header: auth.header_value(), origin }))
        })
    }

    /// Reads what the environment names.
    pub(crate) async fn read(environment: Environment, limit: Option<Duration>) -> Result<Credentials> {
        if environment.is_empty() {
            return Ok(Credentials::new(environment, ConfigFile::default(), limit));
        }
        let reading = spawn_blocking(move || {
            let mut file = environment.config_file()?;
            if !file.holds_credentials() {
                file.creds_store = helper::usual(&environment).unwrap_or_default().to_owned();
            }
            Ok(Credentials::new(environment, file, limit))
        });
        reading.await.unwrap_or_else(|stopped| {
            let operation = Operation::new("read the configuration");
            Err(operation.error_from(ErrorKind::Io, stopped.to_string(), stopped))
        })
    }

    fn new(environment: Environment, file: ConfigFile, limit: Option<Duration>) -> Credentials {
        let variable = environment.get(VARIABLE).and_then(read_variable).unwrap_or_default();
        Credentials { variable, file, helpers: Helpers { environment, limit } }
    }

    /// What the file says besides.
    pub(crate) fn file(&self) -> &ConfigFile {
        &self.file
    }

    /// Finds the credentials for a registry, such as `ghcr.io` or `docker.io`.
    pub(crate) async fn of(&self, registry: &str) -> Result<Option<Found>> {
        for key in keys(registry) {
            if let Some(found) = self.of_key(key).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn of_key(&self, key: &str) -> Result<Option<Found>> {
        let found =
            |auth: Option<RegistryAuth>, origin: &str| auth.map(|auth| Found { auth, origin: origin.to_owned() });
        if let Some(entry) = self.variable.get(key) {
            return Ok(found(readable(key, entry, VARIABLE)?, VARIABLE));
        }
        let entry = self.entry(key);
        match self.helper(key) {
            "" => Ok(found(entry.map_or(Ok(None), |(key, entry)| readable(key, entry, FILE))?, FILE)),
            name => {
                let helper = self.helpers.named(name);
                let auth = helper.get(key).await?;
                // Helpers don't keep tokens of this kind, so that it may stand in the file beside one.
                let token = entry.map_or("", |(_, entry)| &entry.registrytoken);
                let auth = match token {
                    "" => auth,
                    token => Some(auth.unwrap_or_default().registry_token(token).server_address(key)),
                };
                Ok(found(auth, &helper.to_string()))
            }
        }
    }

    /// The helper that keeps the credentials for a registry; empty for none.
    fn helper(&self, key: &str) -> &str {
        self.file.cred_helpers.get(key).unwrap_or(&self.file.creds_store)
    }

    /// The entry of the file for a registry, and what it is called there.
    fn entry(&self, key: &str) -> Option<(&str, &FileAuth)> {
        let auths = &self.file.auths;
        let exact = auths.iter().find(|(address, _)| *address == key);
        let entry = exact.or_else(|| auths.iter().find(|(address, _)| is_of(address, key)));
        entry.map(|(address, entry)| (address.as_str(), entry))
    }

    /// Finds the credentials for all registries. A helper that fails keeps no other from being asked.
    pub(crate) async fn all(&self) -> AllCredentials {
        let (mut general, mut own) = (AllCredentials::default(), AllCredentials::default());
        let mut asked = JoinSet::new();
        match self.file.creds_store.as_str() {
            "" => general.take(&self.file.auths, FILE),
            name => {
                let (helpers, name) = (self.helpers.clone(), name.to_owned());
                asked.spawn(async move { (false, helpers.named(&name).all().await) });
            }
        }
        // Those of one helper are asked one after another: it may want to show something for each.
        let mut by_helper: SortedMap<&str, Vec<String>> = SortedMap::new();
        for (registry, name) in &self.file.cred_helpers {
            by_helper.get_or_insert_with(name.as_str(), Vec::new).push(registry.clone());
        }
        for registry in by_helper.remove("").unwrap_or_default() {
            let entry = self.entry(&registry).map(|(address, entry)| readable(address, entry, FILE));
            own.note(&registry, entry.unwrap_or(Ok(None)));
        }
        for (name, registries) in by_helper {
            let (helpers, name) = (self.helpers.clone(), name.to_owned());
            asked.spawn(async move { (true, helpers.named(&name).each(registries).await) });
        }
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok((true, answer)) => own.add(answer),
                Ok((false, answer)) => general.add(answer),
                Err(stopped) => {
                    let operation = Operation::new("ask credential helpers");
                    general.failures.push(operation.error_from(ErrorKind::Io, stopped.to_string(), stopped));
                }
            }
        }
        // What is kept elsewhere for a registry does not count where it has a helper of its own.
        general.registries.retain(|registry, _| !self.file.cred_helpers.contains_key(registry));
        general.add(own);
        general.take(&self.variable, VARIABLE);
        general
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.file.auths.values_mut().chain(self.variable.values_mut()).for_each(FileAuth::wipe);
    }
}

impl Helpers {
    fn named<'a>(&'a self, name: &'a str) -> Helper<'a> {
        Helper { name, environment: &self.environment, limit: self.limit }
    }
}

impl AllCredentials {
    fn take(&mut self, entries: &SortedMap<String, FileAuth>, origin: &str) {
        for (registry, entry) in entries {
            self.note(registry, readable(registry, entry, origin));
        }
    }

    fn note(&mut self, registry: &str, outcome: Result<Option<RegistryAuth>>) {
        match outcome {
            Ok(Some(auth)) => {
                self.registries.insert(registry.to_owned(), auth);
            }
            Ok(None) => {}
            Err(error) => self.failures.push(error),
        }
    }

    fn add(&mut self, other: AllCredentials) {
        self.registries.extend(other.registries);
        self.failures.extend(other.failures);
    }
}

/// The credentials of an entry; `None` for one that holds none, as the CLI leaves where a helper has them.
fn readable(registry: &str, entry: &FileAuth, origin: &str) -> Result<Option<RegistryAuth>> {
    let mut auth = RegistryAuth::default();
    auth.username = some(&entry.username);
    auth.password = some(&entry.password);
    auth.identity_token = some(&entry.identitytoken);
    auth.registry_token = some(&entry.registrytoken);
    if !entry.auth.is_empty() {
        let (user, password) = decode_basic(&entry.auth).map_err(|source| {
            let message = format!("`auth` of {origin} can't be read: {source}");
            Operation::on("get credentials for registry", registry).error_from(ErrorKind::Config, message, source)
        })?;
        auth.username = Some(user);
        auth.password = Some(password).filter(|password| !password.is_empty());
    }
    let found = auth != RegistryAuth::default();
    Ok(found.then(|| auth.server_address(registry)))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads the variable. What the CLI does not understand of it, it passes over as a whole.
fn read_variable(json: &str) -> Option<SortedMap<String, FileAuth>> {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Variable {
        auths: SortedMap<String, Entry>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        auth: String,
    }
    let read = serde_json::from_str::<Variable>(json).ok();
    let read = read.filter(|read| read.auths.values().all(|entry| decode_basic(&entry.auth).is_ok()));
    if read.is_none() {
        tracing::warn!("{VARIABLE} can't be understood, and is passed over");
    }
    let entry = |entry: Entry| {
        let mut auth = FileAuth::default();
        auth.auth = entry.auth;
        auth
    };
    read.map(|read| read.auths.into_iter().map(|(registry, auth)| (registry, entry(auth))).collect())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
