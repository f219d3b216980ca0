use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use longshore_wire::auth::RegistryAuth;
use longshore_wire::path::Path;
use longshore_wire::query::Query;
use longshore_wire::request::Method;
use longshore_wire::version::ApiVersion;
use serde::Serialize;

use super::payload::Payload;
use crate::config::{Credentials, FindCredentials};
use crate::error::{ErrorKind, Operation, Result};

/// The header of the credentials for a registry.
pub(crate) const REGISTRY_AUTH: &str = "X-Registry-Auth";

/// A request to the engine: a value, made without I/O.
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    pub(crate) path: Path,
    pub(crate) query: Query,
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Option<Payload>,
    pub(crate) patience: Patience,
    /// Whether an engine that answers before it has the whole body still wants the rest of it.
    pub(crate) wants_all: bool,
    /// Whether the connection is to be taken over for a protocol of its own, and which.
    pub(crate) upgrade: Option<Cow<'static, str>>,
    /// Whether the path begins with the version of the API.
    pub(crate) versioned: bool,
    /// The registry for which the user's own credentials go along, unless the caller has given some, and what
    /// finds them.
    pub(crate) registry: Option<(String, FindCredentials)>,
    /// What goes along where the user has no credentials for the registry: some requests are refused without any.
    pub(crate) anonymous: Option<String>,
    /// What the request asks for that older engines don't know, and since when the API has it.
    pub(crate) needs: Vec<(&'static str, ApiVersion)>,
}

/// How long the engine may take before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The engine answers from what it knows.
    Prompt,
    /// The engine works, or waits for something, before it answers.
    Unbounded,
}

impl Request {
    pub(crate) fn new(method: Method, path: Path, operation: Operation) -> Self {
        Request {
            operation,
            method,
            path,
            query: Query::new(),
            headers: Vec::new(),
            body: None,
            patience: Patience::Prompt,
            wants_all: false,
            upgrade: None,
            versioned: true,
            registry: None,
            anonymous: None,
            needs: Vec::new(),
        }
    }

    /// Lets the engine take as long as it takes.
    pub(crate) fn unbounded(mut self) -> Self {
        self.patience = Patience::Unbounded;
        self
    }

    /// Sends the body to its end although the engine has begun to answer, unless the answer is a refusal: it works on
    /// what has come so far, and tells how far it is.
    pub(crate) fn sent_whole(mut self) -> Self {
        self.wants_all = true;
        self
    }

    /// Asks to take the connection over.
    pub(crate) fn upgrade(mut self, protocol: impl Into<Cow<'static, str>>) -> Self {
        self.upgrade = Some(protocol.into());
        self
    }

    pub(crate) fn unversioned(mut self) -> Self {
        self.versioned = false;
        self
    }

    /// Shows a registry these credentials, or those that the user has stored for it.
    pub(crate) fn auth<'a>(mut self, auth: Option<&RegistryAuth>, registry: impl Into<Option<&'a str>>) -> Self {
        match auth {
            Some(auth) => self.header(REGISTRY_AUTH, auth.header_value()),
            None => {
                self.registry =
                    registry.into().map(|registry| (registry.to_owned(), Credentials::find as FindCredentials));
                self
            }
        }
    }

    /// Says that the request asks for `what`, which the API has since `version`.
    pub(crate) fn needs(&mut self, what: &'static str, version: ApiVersion) {
        self.needs.push((what, version));
    }

    /// Checks that `version` is new enough for what the request asks.
    pub(crate) fn check(&self, version: ApiVersion) -> Result<()> {
        match self.needs.iter().find(|(_, since)| version < *since) {
            None => Ok(()),
            Some((what, since)) => {
                let message = format!("{what} needs API version {since}, and {version} is spoken with this engine");
                Err(self.operation.error(ErrorKind::Unsupported, message))
            }
        }
    }

    pub(crate) fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body).map_err(|source| {
            let message = format!("the request can't be written as JSON: {source}");
            self.operation.error_from(ErrorKind::Invalid, message, source)
        })?;
        self.body = Some(Bytes::from(bytes).into());
        Ok(self.header("Content-Type", "application/json"))
    }

    pub(crate) fn payload(mut self, content_type: impl Into<String>, payload: Payload) -> Self {
        self.body = Some(payload);
        self.header("Content-Type", content_type)
    }

    /// Path and query behind the version.
    pub(crate) fn target(&self) -> String {
        match self.query.is_empty() {
            true => self.path.as_str().to_owned(),
            false => format!("{}?{}", self.path.as_str(), self.query.as_str()),
        }
    }
}

/// Headers and bodies carry secrets, so they are left out.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Request({} {})", self.method, self.path)
    }
}
