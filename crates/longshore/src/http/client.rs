use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use longshore_wire::head::ResponseHead;
use longshore_wire::request::{Method, RequestFraming, RequestHead};
use longshore_wire::version::ApiVersion;
use tokio::time::Instant;

use super::connection::{Connection, HeadFailure, SendFailure};
use super::deadlines::Deadlines;
use super::exchange::{Answer, Failure, Late, exchange};
use super::pool::Pool;
use super::request::{Patience, Request};
use super::response::Response;
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::transport::Dial;

/// The largest payload in memory that is sent in one write with its head.
const JOINED: usize = 16 * 1024;

/// How many connections are opened for a request, where one after the other is refused.
const REFUSALS: usize = 10;

/// A request that is being sent, until the head of its answer has come.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>;

/// Sends requests to one engine.
pub(crate) struct Client {
    dial: Arc<dyn Dial>,
    /// Why it is this engine, for the message when it can't be reached.
    reason: Option<String>,
    host: String,
    path_prefix: String,
    /// What goes with every request, or why no request can be sent.
    headers: Result<Vec<(String, String)>>,
    /// The newest version that the engine knows, as its answers say: its two numbers, or 0.
    newest: AtomicU32,
    pub(super) pool: Arc<Pool>,
}

/// What a handshake that is not made here begins with.
#[cfg(feature = "websocket")]
pub(crate) struct UpgradeHead {
    pub(crate) host: String,
    pub(crate) target: String,
    /// What goes with every request.
    pub(crate) headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(dial: Arc<dyn Dial>, reason: Option<String>, headers: Result<Vec<(String, String)>>) -> Self {
        let (host, path_prefix) = (dial.host(), dial.path_prefix());
        Client { dial, reason, host, path_prefix, headers, newest: AtomicU32::new(0), pool: Arc::default() }
    }

    /// One that reaches the same engine by connections of its own.
    pub(crate) fn detached(&self) -> Self {
        let newest = AtomicU32::new(self.newest.load(Ordering::Relaxed));
        let Client { dial, reason, host, path_prefix, headers, .. } = self;
        let (dial, reason, headers) = (dial.clone(), reason.clone(), headers.clone());
        let (host, path_prefix) = (host.clone(), path_prefix.clone());
        Client { dial, reason, host, path_prefix, headers, newest, pool: Arc::default() }
    }

    /// The newest version that the engine knows, if it has answered yet.
    pub(crate) fn newest_version(&self) -> Option<ApiVersion> {
        match self.newest.load(Ordering::Relaxed) {
            0 => None,
            numbers => Some(ApiVersion::new((numbers >> 16) as u16, numbers as u16)),
        }
    }

    pub(crate) fn learn_version(&self, newest: ApiVersion) {
        self.newest.store(u32::from(newest.major) << 16 | u32::from(newest.minor), Ordering::Relaxed);
    }

    pub(crate) fn forget_version(&self) {
        self.newest.store(0, Ordering::Relaxed);
    }

    /// Where the connections lead.
    pub(crate) fn describe(&self) -> String {
        self.dial.describe()
    }

    /// Closes the connections that no call uses.
    pub(crate) fn close_idle(&self) {
        self.pool.clear();
    }

    /// Sends `request` and reads the head of the answer. An answer that refuses the request is an error.
    ///
    /// The future is boxed, so that the code of all that it does is there once.
    pub(crate) fn send<'a>(
        &'a self,
        request: &'a mut Request,
        version: Option<ApiVersion>,
        deadlines: &'a Deadlines,
    ) -> Answering<'a> {
        Box::pin(self.carry_out(request, version, deadlines))
    }

    async fn carry_out(
        &self,
        request: &mut Request,
        version: Option<ApiVersion>,
        deadlines: &Deadlines,
    ) -> Result<Response> {
        let end = deadlines.total.map(|total| Instant::now() + total);
        let head = self.head(request, version)?;
        tracing::debug!(method = %request.method, path = %request.path, "asking");
        let mut response = self.exchange(head, request, deadlines, end).await?;
        tracing::debug!(method = %request.method, path = %request.path, status = response.status(), "answered");
        if response.is_refusal() {
            return Err(response.refusal().await);
        }
        Ok(response)
    }

    /// Writes the head of the request, and a small body behind it.
    fn head(&self, request: &Request, version: Option<ApiVersion>) -> Result<Bytes> {
        let target = self.target(request, version);
        let mut headers = request.headers.clone();
        headers.extend(self.common_headers(request)?);
        if let Some(protocol) = &request.upgrade {
            headers.push(("Connection".into(), "Upgrade".to_owned()));
            headers.push(("Upgrade".into(), protocol.clone().into_owned()));
        }
        let framing = match &request.body {
            Some(payload) => payload.length().map_or(RequestFraming::Chunked, RequestFraming::Length),
            None if matches!(request.method, Method::Post | Method::Put) => RequestFraming::Length(0),
            None => RequestFraming::None,
        };
        let head =
            RequestHead { method: request.method, target: &target, host: &self.host, headers: &headers, framing };
        let mut bytes = Vec::with_capacity(512);
        head.write(&mut bytes)
            .map_err(|source| request.operation.error_from(ErrorKind::Invalid, source.to_string(), source))?;
        if let Some(body) = small_body(request) {
            bytes.extend_from_slice(body);
        }
        Ok(bytes.into())
    }

    /// Makes the exchange on a kept connection if there is one, and once more on a fresh one where the kept one turns
    /// out to have been closed and repeating is safe.
    async fn exchange(
        &self,
        head: Bytes,
        request: &mut Request,
        deadlines: &Deadlines,
        end: Option<Instant>,
    ) -> Result<Response> {
        if let Some(mut connection) = self.pool.take() {
            match exchange_on(&mut connection, &head, request, deadlines, end).await {
                Ok(answer) => return self.response(connection, answer, request, deadlines, end),
                Err(failure) if may_repeat(&failure, request) => {
                    tracing::debug!("a kept connection had been closed; trying a fresh one");
                }
                Err(failure) => return Err(explain(&request.operation, failure)),
            }
        }
        let mut tries = REFUSALS;
        loop {
            let mut connection = self.connect(&request.operation, deadlines, end).await?;
            tries -= 1;
            match exchange_on(&mut connection, &head, request, deadlines, end).await {
                Ok(answer) => {
                    let response = self.response(connection, answer, request, deadlines, end)?;
                    self.note_version(response.head());
                    return Ok(response);
                }
                Err(failure) if tries > 0 && is_refused(&failure) && may_send_again(request) => {
                    tracing::debug!("a connection was refused after it had been opened; trying another");
                }
                Err(failure) => return Err(self.explain(&request.operation, failure)),
            }
        }
    }

    /// The answer whose head has come on a connection.
    fn response(
        &self,
        connection: Connection,
        answer: Answer,
        request: &Request,
        deadlines: &Deadlines,
        end: Option<Instant>,
    ) -> Result<Response> {
        let response = Response::new(connection, answer, request, deadlines, end, &self.pool);
        response.map_err(|source| request.operation.bad_body(source))
    }

    /// The error of the first exchange of a connection: with TLS, whether a client is let in comes only after it has begun
    /// to speak.
    fn explain(&self, operation: &Operation, failure: Failure) -> Error {
        match failure {
            Failure::Head(HeadFailure::Broken(source))
                if source.kind() == io::ErrorKind::InvalidData && self.dial.advice(&source).is_some() =>
            {
                self.unreachable(operation, source)
            }
            failure => explain(operation, failure),
        }
    }

    /// Keeps what the first answer on a connection says of the engine: it may be another one than before. On the same
    /// connection it stays the same.
    fn note_version(&self, head: &ResponseHead) {
        if let Some(newest) = head.header("api-version").and_then(|version| version.parse().ok()) {
            self.learn_version(newest);
        }
    }

    /// Those fields that go with every request and that this one does not set itself.
    fn common_headers(&self, request: &Request) -> Result<Vec<(Cow<'static, str>, String)>> {
        let headers = self.headers.as_ref().map_err(|error| error.clone().within(request.operation.clone()))?;
        let is_set = |name: &str| request.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let fields = headers.iter().filter(|(name, _)| !is_set(name));
        Ok(fields.map(|(name, value)| (name.clone().into(), value.clone())).collect())
    }

    /// Opens a connection for a protocol of its own.
    #[cfg(feature = "websocket")]
    pub(crate) async fn open(
        &self,
        operation: &Operation,
        deadlines: &Deadlines,
        end: Option<Instant>,
    ) -> Result<Box<dyn crate::transport::Io>> {
        Ok(self.connect(operation, deadlines, end).await?.io)
    }

    /// The beginning of a handshake that is not made here.
    #[cfg(feature = "websocket")]
    pub(crate) fn upgrade_head(&self, request: &Request, version: ApiVersion) -> Result<UpgradeHead> {
        let headers = self.common_headers(request)?.into_iter().map(|(name, value)| (name.into_owned(), value));
        let (host, target) = (self.host.clone(), self.target(request, Some(version)));
        Ok(UpgradeHead { host, target, headers: headers.collect() })
    }

    /// The whole target of a request: what the transport puts before it, the version, path and query.
    fn target(&self, request: &Request, version: Option<ApiVersion>) -> String {
        let version = version.map(|version| format!("/v{version}")).unwrap_or_default();
        [self.path_prefix.as_str(), &version, &request.target()].concat()
    }

    async fn connect(&self, operation: &Operation, deadlines: &Deadlines, end: Option<Instant>) -> Result<Connection> {
        let limit = deadlines.connect.map(|connect| Instant::now() + connect);
        let limit = [limit, end].into_iter().flatten().min();
        let dialing = self.dial.dial();
        let outcome = match limit {
            Some(limit) => tokio::time::timeout_at(limit, dialing).await.map_err(|_| {
                let message = format!("no connection to {} within the deadline", self.describe());
                operation.error(ErrorKind::Timeout, message)
            })?,
            None => dialing.await,
        };
        outcome.map(Connection::new).map_err(|source| self.unreachable(operation, source))
    }

    fn unreachable(&self, operation: &Operation, source: io::Error) -> Error {
        let advice = self.dial.advice(&source).map(|advice| format!(" ({advice})")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default();
        let message = format!("can't connect to the engine at {}{reason}: {source}{advice}", self.describe());
        operation.error_from(ErrorKind::Connect, message, source)
    }
}

/// Makes the exchange on this connection, which is of no more use when that fails.
fn exchange_on(
    connection: &mut Connection,
    head: &Bytes,
    request: &mut Request,
    deadlines: &Deadlines,
    end: Option<Instant>,
) -> impl Future<Output = Result<Answer, Failure>> {
    let separate = small_body(request).is_none();
    let payload = request.body.as_mut().filter(|_| separate);
    let limit = deadlines.head.filter(|_| request.patience == Patience::Prompt);
    exchange(connection, head, payload, request.wants_all, limit, end)
}

fn small_body(request: &Request) -> Option<&[u8]> {
    request.body.as_ref()?.in_memory().filter(|body| body.len() <= JOINED)
}

/// Whether the connection never led to the engine, so that nothing was done: only some transports can tell that late.
fn is_refused(failure: &Failure) -> bool {
    match failure {
        Failure::Send { failure: SendFailure::Broken(error), .. } | Failure::Head(HeadFailure::Broken(error)) => {
            error.kind() == std::io::ErrorKind::ConnectionRefused
        }
        _ => false,
    }
}

fn may_send_again(request: &Request) -> bool {
    request.body.is_none() || small_body(request).is_some()
}

/// Whether a request that failed on a kept connection may be sent again: nothing of it was written, or it met a
/// connection that had been closed and sending it twice does no harm.
fn may_repeat(failure: &Failure, request: &Request) -> bool {
    let again = may_send_again(request);
    match failure {
        Failure::Send { failure: SendFailure::Broken(_), written } => again && (!written || is_idempotent(request)),
        Failure::Head(HeadFailure::Ended(0) | HeadFailure::Broken(_)) => again && is_idempotent(request),
        _ => false,
    }
}

fn is_idempotent(request: &Request) -> bool {
    request.method.is_idempotent()
}

fn explain(operation: &Operation, failure: Failure) -> Error {
    match failure {
        Failure::Send { failure: SendFailure::Payload(source), .. } => {
            operation.error_from(ErrorKind::Io, format!("what was to be sent can't be read: {source}"), source)
        }
        Failure::Send { failure: SendFailure::Broken(source), .. } => {
            let message = format!("the engine closed the connection before the request was sent: {source}");
            operation.error_from(ErrorKind::Closed, message, source)
        }
        Failure::Head(HeadFailure::Ended(0)) => {
            operation.error(ErrorKind::Closed, "the engine closed the connection without an answer")
        }
        Failure::Head(HeadFailure::Ended(_)) => {
            operation.error(ErrorKind::Truncated, "the connection ended inside the head of the answer")
        }
        Failure::Head(HeadFailure::Broken(source)) => {
            let message = format!("the connection failed before the answer came: {source}");
            operation.error_from(ErrorKind::Closed, message, source)
        }
        Failure::Head(HeadFailure::Bad(source)) => operation.bad_head(source),
        Failure::Late(Late::Head(limit)) => operation.error(ErrorKind::Timeout, format!("no answer within {limit:?}")),
        Failure::Late(Late::Total) => operation.late(),
    }
}
