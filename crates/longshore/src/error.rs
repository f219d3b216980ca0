//! What can go wrong, told by kind.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use longshore_models::decode::{self, Decode};
use longshore_models::lenient;
use longshore_wire::body::BodyError;
use longshore_wire::demux::DemuxError;
use longshore_wire::head::HeadError;
use longshore_wire::json::JsonError;
use longshore_wire::json_path::path_at;
use longshore_wire::sanitize::sanitize;
use serde::de::DeserializeOwned;

/// The outcome of a call to the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// It is one pointer wide, says which operation failed on what, and keeps the engine's own words. As text it is harmless
/// on a terminal: what the engine and the registries behind it write is [sanitized](sanitize()), and only
/// [`message`](Error::message) gives it as it came. Match on
/// [`kind`](Error::kind), or ask one of the predicates:
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// match docker.container("web").stop().await {
///     Err(error) if error.is_not_found() => println!("there is no such container"),
///     outcome => println!("{:?}", outcome?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: Operation,
    message: String,
    status: Option<u16>,
    container: Option<String>,
    code: Option<i64>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The settings that name the engine or hold credentials are wrong, or a helper that keeps these fails.
    Config,
    /// The engine can't be reached.
    Connect,
    /// A deadline passed.
    Timeout,
    /// The engine closed the connection before it answered.
    Closed,
    /// The connection ended in the middle of an answer or a stream.
    Truncated,
    /// The other side does not speak HTTP, or breaks its rules or one of its limits.
    Protocol,
    /// An answer is not what the operation promises.
    Decode,
    /// There is no such container, image or other object.
    NotFound,
    /// The object is in a state, or its name is taken, so that the operation can't be done.
    Conflict,
    /// The request is wrong.
    Invalid,
    /// Credentials are missing or wrong.
    Unauthorized,
    /// The operation is not allowed.
    Forbidden,
    /// The engine can't do this now.
    Unavailable,
    /// The engine failed.
    Server,
    /// The engine, its API version or this build can't do it.
    Unsupported,
    /// The engine reported a failure in the middle of a stream that had begun well.
    InStream,
    /// More came than the caller's limit allows.
    TooLarge,
    /// A file of the caller's, or a reader or writer that the caller gave, failed.
    Io,
}

/// What was being done, and to what: the beginning of an error's message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Operation {
    name: &'static str,
    target: Option<Box<str>>,
    /// Where the credentials were found that a registry is shown; `None` if nobody looked for any.
    credentials: Option<Arc<str>>,
}

impl Operation {
    /// An operation on the engine as a whole, such as `ping`.
    pub(crate) const fn new(name: &'static str) -> Self {
        Operation { name, target: None, credentials: None }
    }

    /// An operation on one object, such as `stop container` on `web`.
    pub(crate) fn on(name: &'static str, target: &str) -> Self {
        Operation { name, target: Some(target.into()), credentials: None }
    }

    /// The same operation with credentials that were found there.
    pub(crate) fn with_credentials_of(mut self, origin: &str) -> Self {
        self.credentials = Some(origin.into());
        self
    }

    /// An error of this operation.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            operation: self.clone(),
            message: message.into(),
            status: None,
            container: None,
            code: None,
            source: None,
        }))
    }

    /// An error of this operation that another caused.
    pub(crate) fn error_from(
        &self,
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl StdError + Send + Sync + 'static,
    ) -> Error {
        let mut error = self.error(kind, message);
        error.0.source = Some(Arc::new(source));
        error
    }

    /// The error that an answer with this status stands for.
    pub(crate) fn refused(&self, status: u16, message: String) -> Error {
        let mut error = self.error(ErrorKind::of_status(status), message);
        error.0.status = Some(status);
        error
    }

    /// The error that an answer with this status and cause stands for. Podman answers 500 to most of what it refuses,
    /// and tells beside the message what kind of refusal it is. What a swarm, a network or a plugin refuses for its
    /// state, only the message tells.
    pub(crate) fn refused_for(&self, status: u16, message: String, cause: &str) -> Error {
        let conflict = is_conflict_of_swarm(status, &message)
            || is_conflict_of_network(status, &message)
            || is_conflict_of_plugin(status, &message);
        let mut error = self.refused(status, message);
        error.0.kind = match (status, cause) {
            (500, "container state improper" | "exec session state improper" | "that name is already in use") => {
                ErrorKind::Conflict
            }
            (500, "network already exists" | "network is already connected" | "network is being used") => {
                ErrorKind::Conflict
            }
            (500, "invalid argument") => ErrorKind::Invalid,
            (500, "image not known" | "layer not known" | "required plugin missing") => ErrorKind::NotFound,
            (503, cause) if cause.starts_with("Podman does not support service") => ErrorKind::Unsupported,
            _ if conflict => ErrorKind::Conflict,
            _ => error.0.kind,
        };
        error
    }

    /// The error for a connection that failed while an answer or a stream was under way.
    pub(crate) fn broken(&self, source: io::Error) -> Error {
        let kind = match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                ErrorKind::Truncated
            }
            io::ErrorKind::TimedOut => ErrorKind::Timeout,
            io::ErrorKind::InvalidData => ErrorKind::Protocol,
            _ => ErrorKind::Closed,
        };
        self.error_from(kind, format!("the connection to the engine failed: {source}"), source)
    }

    /// The error for a call that outlived the deadline for all of it.
    pub(crate) fn late(&self) -> Error {
        self.error(ErrorKind::Timeout, "the deadline of the whole call has passed")
    }

    pub(crate) fn bad_head(&self, source: HeadError) -> Error {
        self.error_from(ErrorKind::Protocol, source.to_string(), source)
    }

    pub(crate) fn bad_body(&self, source: BodyError) -> Error {
        let kind = match source {
            BodyError::Truncated => ErrorKind::Truncated,
            _ => ErrorKind::Protocol,
        };
        self.error_from(kind, source.to_string(), source)
    }

    pub(crate) fn bad_output(&self, source: DemuxError) -> Error {
        let kind = match source {
            DemuxError::Truncated => ErrorKind::Truncated,
            DemuxError::UnknownStream(_) => ErrorKind::Protocol,
            DemuxError::Engine(_) => ErrorKind::InStream,
        };
        self.error_from(kind, source.to_string(), source)
    }

    pub(crate) fn bad_stream(&self, source: JsonError) -> Error {
        let kind = match source {
            JsonError::Truncated => ErrorKind::Truncated,
            JsonError::TooLarge | JsonError::TooDeep => ErrorKind::Protocol,
        };
        self.error_from(kind, source.to_string(), source)
    }

    /// Reads a JSON value of the engine's.
    ///
    /// A failure names the path to the offending value and shows a bounded excerpt around it.
    pub(crate) fn decode<T: Decode + Default>(&self, json: &[u8]) -> Result<T> {
        decode::from_slice(json).map_err(|source| self.bad_json(source, json))
    }

    /// Reads a JSON value of the engine's into a type of the user's, as [`decode`](Self::decode) does.
    pub(crate) fn decode_custom<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T> {
        lenient::from_slice(json).map_err(|source| self.bad_json(source, json))
    }

    pub(crate) fn bad_json(&self, source: serde_json::Error, json: &[u8]) -> Error {
        self.bad_json_in("", source, json)
    }

    /// The error of a JSON value without its end.
    pub(crate) fn cut_json(&self, json: &[u8]) -> Error {
        let message = format!("the engine's answer ends inside a JSON value: {}", excerpt(json, json.len()));
        self.error(ErrorKind::Truncated, message)
    }

    /// The error of a value that is a part of another, `within` its path.
    pub(crate) fn bad_json_in(&self, within: &str, source: serde_json::Error, json: &[u8]) -> Error {
        if json.is_empty() {
            return self.error_from(ErrorKind::Decode, "the engine's answer is empty", source);
        }
        if source.is_eof() {
            return self.cut_json(json);
        }
        let text = lenient::text(json);
        let json = text.as_bytes();
        let at = offset(json, source.line(), source.column());
        let path = path_at(json, at);
        let path = match (within, path.as_str()) {
            ("", "") => String::new(),
            ("", path) | (path, "") => format!(" at `{path}`"),
            (within, path) if path.starts_with('[') => format!(" at `{within}{path}`"),
            (within, path) => format!(" at `{within}.{path}`"),
        };
        let near = excerpt(json, at);
        let message = format!("the engine's answer can't be read{path}: {source}, near {near}");
        self.error_from(ErrorKind::Decode, message, source)
    }
}

/// Whether a swarm refuses this for the state that the object, the node or the swarm is in.
fn is_conflict_of_swarm(status: u16, message: &str) -> bool {
    let begins = |words: &[&str]| words.iter().any(|words| message.starts_with(words));
    match status {
        400 => begins(&["rpc error: code = FailedPrecondition"]) || message.contains(" is in use by the following "),
        500 => message.ends_with("update out of sequence"),
        503 => begins(&["This node is ", "You are attempting to leave the swarm", "Swarm is encrypted"]),
        _ => false,
    }
}

/// Whether a network refuses this for what is connected to it, or for its addresses, which another has.
fn is_conflict_of_network(status: u16, message: &str) -> bool {
    let contains = |words: &[&str]| words.iter().any(|words| message.contains(words));
    match status {
        403 => contains(&[" has active endpoints", " already exists in network ", "Pool overlaps with other one"]),
        500 => contains(&[" is not connected to network ", " is already used on the host or by another config"]),
        _ => false,
    }
}

/// Whether a plugin refuses this since it is on.
fn is_conflict_of_plugin(status: u16, message: &str) -> bool {
    status == 500 && message.starts_with("cannot set on an active plugin")
}

/// The bytes before line and column, both counted from one.
fn offset(json: &[u8], line: usize, column: usize) -> usize {
    let lines = json.split_inclusive(|byte| *byte == b'\n');
    let before = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum::<usize>();
    (before + column).min(json.len())
}

/// A few bytes of `json` on both sides of `at`.
fn excerpt(json: &[u8], at: usize) -> String {
    const BEFORE: usize = 60;
    const AFTER: usize = 20;
    let start = at.saturating_sub(BEFORE);
    let end = at.saturating_add(AFTER).min(json.len());
    format!("`{}`", String::from_utf8_lossy(json.get(start..end).unwrap_or_default()))
}

impl ErrorKind {
    fn of_status(status: u16) -> Self {
        match status {
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            405 | 501 => ErrorKind::Unsupported,
            409 => ErrorKind::Conflict,
            400..=499 => ErrorKind::Invalid,
            502..=504 => ErrorKind::Unavailable,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Protocol,
        }
    }
}

impl Error {
    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, such as `stop container`.
    pub fn operation(&self) -> &str {
        self.0.operation.name
    }

    /// The name or id of what the operation was about, where it was about one object.
    pub fn target(&self) -> Option<&str> {
        self.0.operation.target.as_deref()
    }

    /// What went wrong; in the engine's own words where it sent any, with whatever characters it sent.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status of the engine's answer, where it refused the request.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The id of the container that was created before a run failed, and that still exists.
    pub fn container(&self) -> Option<&str> {
        self.0.container.as_deref()
    }

    /// The number that the engine told with a failure in the middle of a stream: the exit code of a command that a build
    /// ran, or a status of HTTP.
    pub fn code(&self) -> Option<i64> {
        self.0.code
    }

    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether the object's state, or a taken name, stood in the way.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// Whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the engine could not be reached.
    pub fn is_connect(&self) -> bool {
        self.kind() == ErrorKind::Connect
    }

    /// Whether the same call may succeed a little later.
    ///
    /// After a [`Closed`](ErrorKind::Closed) or [`Timeout`](ErrorKind::Timeout) it is not known whether the engine
    /// carried the operation out, so these are not counted among the retryable.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connect | ErrorKind::Unavailable)
    }

    /// Whether the engine refused the request for the version of the API that it speaks, and so did nothing.
    pub(crate) fn is_refused_for_version(&self) -> bool {
        self.kind() == ErrorKind::Unsupported && self.status() == Some(400)
    }

    /// The same error with the number that the engine told; 0 is none.
    pub(crate) fn with_code(mut self, code: i64) -> Self {
        self.0.code = (code != 0).then_some(code);
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_container(mut self, id: &str) -> Self {
        self.0.container = Some(id.to_owned());
        self
    }

    /// Where the credentials were found that a registry was shown.
    pub(crate) fn credentials(&self) -> Option<&str> {
        self.0.operation.credentials.as_deref()
    }

    /// The same error with something that may have led to it.
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message = format!("{}; {note}", self.0.message);
        self
    }

    /// The same error told as part of a larger operation.
    pub(crate) fn within(mut self, operation: Operation) -> Self {
        let inner = std::mem::replace(&mut self.0.operation, operation);
        self.0.message = match inner.target {
            Some(_) if inner.target == self.0.operation.target => format!("{}: {}", inner.name, self.0.message),
            Some(target) => format!("{} `{target}`: {}", inner.name, self.0.message),
            None => format!("{}: {}", inner.name, self.0.message),
        };
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.operation())?;
        if let Some(target) = self.target() {
            write!(formatter, " `{}`", sanitize(target))?;
        }
        write!(formatter, ": {}", sanitize(self.message()))?;
        match self.status() {
            Some(status) => write!(formatter, " ({status})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("operation", &self.0.operation.name);
        if let Some(target) = self.target() {
            debug.field("target", &target);
        }
        debug.field("message", &self.0.message);
        if let Some(status) = self.status() {
            debug.field("status", &status);
        }
        if let Some(code) = self.code() {
            debug.field("code", &code);
        }
        if let Some(container) = self.container() {
            debug.field("container", &container);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
            ErrorKind::Closed => io::ErrorKind::ConnectionAborted,
            ErrorKind::Forbidden => io::ErrorKind::PermissionDenied,
            ErrorKind::Invalid => io::ErrorKind::InvalidInput,
            ErrorKind::Decode | ErrorKind::Protocol => io::ErrorKind::InvalidData,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_like_a_sentence() {
        let error = Operation::on("stop container", "web").refused(404, "No such container: web".to_owned());
        assert_eq!(error.to_string(), "stop container `web`: No such container: web (404)");
        assert!(error.is_not_found() && !error.is_retryable());
        assert_eq!(std::mem::size_of::<Error>(), std::mem::size_of::<usize>());
    }

    #[test]
    fn an_error_is_harmless_on_a_terminal() {
        let words = "pull: \u{1b}]0;x\u{7}\u{1b}[2J\rdone\u{202e}";
        let error = Operation::on("pull image", "a\u{1b}[8m\nb").refused(500, words.to_owned());
        assert_eq!(error.to_string(), "pull image `a\nb`: pull: ␛]0;x␇␛[2J␍done\u{fffd} (500)");
        assert_eq!(error.message(), words);
        let engine = Operation::new("follow logs").bad_output(DemuxError::Engine(words.to_owned()));
        let causes = [format!("{engine:?}"), StdError::source(&engine).unwrap().to_string()];
        for text in causes {
            assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{text:?}");
        }
    }

    #[test]
    fn an_error_of_a_step_names_the_whole() {
        let step = Operation::on("pull image", "alpine:nope").refused(404, "manifest unknown".to_owned());
        let error = step.within(Operation::on("run container from", "alpine:nope")).with_container("abc");
        assert_eq!(error.to_string(), "run container from `alpine:nope`: pull image: manifest unknown (404)");
        assert_eq!(error.container(), Some("abc"));
    }

    #[test]
    fn a_decode_error_shows_where() {
        let json = b"{\"Id\":\n \"a\", \"State\": 5}";
        #[derive(Debug, Default, Decode)]
        struct Example {
            #[serde(rename = "State")]
            _state: String,
        }
        let operation = Operation::new("list containers");
        let error = operation.decode::<Example>(json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("at `State`: invalid type: integer `5`"), "{error}");
        assert!(error.to_string().contains("\"State\": 5"), "{error}");
        assert_eq!(operation.decode::<Example>(&json[..12]).unwrap_err().kind(), ErrorKind::Truncated);
    }

    #[test]
    fn a_cause_says_more_than_the_status_500() {
        let kind = |status, cause| {
            let error = Operation::on("pause container", "web").refused_for(status, "no".to_owned(), cause);
            assert_eq!(error.status(), Some(status));
            error.kind()
        };
        assert_eq!(kind(500, "container state improper"), ErrorKind::Conflict);
        assert_eq!(kind(500, "that name is already in use"), ErrorKind::Conflict);
        assert_eq!(kind(500, "invalid argument"), ErrorKind::Invalid);
        assert_eq!(kind(500, "out of cheese"), ErrorKind::Server);
        assert_eq!(kind(500, ""), ErrorKind::Server);
        assert_eq!(kind(404, "invalid argument"), ErrorKind::NotFound);
        assert_eq!(kind(500, "network is being used"), ErrorKind::Conflict);
        assert_eq!(kind(500, "required plugin missing"), ErrorKind::NotFound);
    }

    #[test]
    fn what_stands_in_the_way_of_a_network_is_a_conflict() {
        let kind = |status, message: &str| {
            Operation::on("remove network", "backend").refused_for(status, message.to_owned(), "").kind()
        };
        for (status, message) in [
            (403, "error while removing network: network backend id 0a has active endpoints"),
            (403, "error while removing network: network backend has active endpoints (name:\"web\" id:\"0a\")"),
            (403, "endpoint with name web already exists in network backend"),
            (403, "invalid pool request: Pool overlaps with other one on this address space"),
            (500, "container 0a is not connected to network backend"),
            (500, "subnet 10.99.3.0/24 is already used on the host or by another config"),
        ] {
            assert_eq!(kind(status, message), ErrorKind::Conflict, "{message}");
        }
        assert_eq!(kind(403, "bridge is a pre-defined network and cannot be removed"), ErrorKind::Forbidden);
        assert_eq!(kind(404, "network backend not found"), ErrorKind::NotFound);
        assert_eq!(kind(500, "out of cheese"), ErrorKind::Server);
    }

    #[test]
    fn a_plugin_that_is_on_is_a_conflict() {
        let kind = |message: &str| Operation::on("set plugin", "a").refused_for(500, message.to_owned(), "").kind();
        assert_eq!(kind("cannot set on an active plugin, disable plugin before setting"), ErrorKind::Conflict);
        assert_eq!(kind("setting \"A\" not found in the plugin configuration"), ErrorKind::Server);
    }

    #[test]
    fn statuses_have_kinds() {
        let kinds = [400, 401, 403, 404, 409, 429, 500, 501, 503, 302].map(ErrorKind::of_status);
        use ErrorKind::*;
        let expected =
            [Invalid, Unauthorized, Forbidden, NotFound, Conflict, Invalid, Server, Unsupported, Unavailable, Protocol];
        assert_eq!(kinds, expected);
    }
}
