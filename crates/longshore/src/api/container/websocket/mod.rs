mod watched;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_util::Sink;
use longshore_wire::version::ApiVersion;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use self::watched::Watched;
use super::attach::Wanted;
use super::{Container, request};
use crate::api::Call;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request, UpgradeHead, refusal};
use crate::stream::{OutputFraming, Session};
use crate::transport::Io;

/// A call to attach to a container over a WebSocket; await it for the [`Session`]. See
/// [`Container::attach_websocket`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct AttachWebSocket {
    container: Container,
    wanted: Wanted,
}

impl Container {
    /// Attaches to the container's main process over a WebSocket, on whatever transport reaches the engine.
    ///
    /// `GET /containers/{id}/attach/ws`, API 1.24+; the choice of streams, API 1.42+. The engine does not tell stdout
    /// and stderr apart here: both come from [`Source::Terminal`](crate::Source::Terminal). The input can't be ended
    /// without ending the output. [`attach`](Container::attach) does better on both counts; this is for engines behind
    /// proxies that let through only WebSockets.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`Conflict`](ErrorKind::Conflict) when it is paused or restarting.
    ///
    /// # Cancel safety
    /// Dropping the call or the session closes the connection; the container runs on.
    #[doc(alias = "websocket")]
    pub fn attach_websocket(&self) -> AttachWebSocket {
        AttachWebSocket { container: self.clone(), wanted: Wanted::default() }
    }
}

impl AttachWebSocket {
    /// Attaches to standard input too.
    pub fn stdin(mut self) -> Self {
        self.wanted.stdin = true;
        self
    }

    /// Leaves out stderr; API 1.42+.
    pub fn stdout_only(mut self) -> Self {
        (self.wanted.stdout, self.wanted.stderr) = (true, false);
        self
    }

    /// Leaves out stdout; API 1.42+.
    pub fn stderr_only(mut self) -> Self {
        (self.wanted.stdout, self.wanted.stderr) = (false, true);
        self
    }

    /// Begins with what has been written so far, as the log driver kept it.
    pub fn logs(mut self) -> Self {
        self.wanted.logs = true;
        self
    }

    /// Gives what has been written so far and ends there, instead of going on.
    pub fn logs_only(mut self) -> Self {
        (self.wanted.logs, self.wanted.stream) = (true, false);
        self
    }

    /// Sets the keys that, sent to a terminal, end the attachment, such as `ctrl-p,ctrl-q`.
    pub fn detach_keys(mut self, keys: impl Into<String>) -> Self {
        self.wanted.detach_keys = Some(keys.into());
        self
    }

    async fn open(self) -> Result<Session> {
        let request = self.request()?;
        let operation = request.operation.clone();
        let upgraded = self.container.docker.open_websocket(request, handshake).await?;
        Ok(Session::new(upgraded, OutputFraming::Terminal, operation))
    }

    fn request(&self) -> Result<Request> {
        let id = &self.container.id;
        let mut request = request(Method::Get, "attach over a WebSocket to container", id, "attach/ws")?;
        if self.wanted.stdout != self.wanted.stderr {
            request.needs("the choice of streams over a WebSocket", ApiVersion::new(1, 42));
        }
        self.wanted.encode(&mut request.query);
        Ok(request)
    }
}

impl IntoFuture for AttachWebSocket {
    type Output = Result<Session>;
    type IntoFuture = Call<Session>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

/// The largest message that is accepted; engines send what a process writes in pieces of a few KiB.
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Makes a WebSocket of a fresh connection.
async fn handshake(operation: Operation, io: Box<dyn Io>, head: UpgradeHead) -> Result<Box<dyn Io>> {
    let limits =
        WebSocketConfig::default().max_message_size(Some(LARGEST_MESSAGE)).max_frame_size(Some(LARGEST_MESSAGE));
    let request = opening(head).map_err(|source| {
        let message = format!("the WebSocket can't be asked for: {source}");
        operation.error_from(ErrorKind::Invalid, message, source)
    })?;
    match tokio_tungstenite::client_async_with_config(request, Watched::new(io), Some(limits)).await {
        Ok((stream, _)) => Ok(Box::new(WebSocketIo { stream, begun: Bytes::new() })),
        Err(tungstenite::Error::Http(response)) => {
            let status = response.status();
            let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
            let body = response.body().as_deref().unwrap_or_default();
            let reason = status.canonical_reason().unwrap_or_default();
            Err(refusal(&operation, status.as_u16(), content_type, reason, body))
        }
        Err(tungstenite::Error::Io(source)) if source.kind() != io::ErrorKind::InvalidData => {
            Err(match source.kind() {
                io::ErrorKind::UnexpectedEof => operation.error_from(ErrorKind::Truncated, source.to_string(), source),
                io::ErrorKind::ConnectionAborted => operation.error(ErrorKind::Closed, source.to_string()),
                _ => {
                    let message = format!("the connection failed before the answer came: {source}");
                    operation.error_from(ErrorKind::Closed, message, source)
                }
            })
        }
        Err(source) => {
            let message = format!("the WebSocket can't be opened: {source}");
            Err(operation.error_from(ErrorKind::Protocol, message, source))
        }
    }
}

/// The request that asks for a WebSocket.
fn opening(head: UpgradeHead) -> Result<tungstenite::handshake::client::Request, tungstenite::Error> {
    let UpgradeHead { host, target, headers } = head;
    let mut request = format!("ws://{host}{target}").into_client_request()?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(tungstenite::http::Error::from)?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(tungstenite::http::Error::from)?;
        request.headers_mut().entry(name).or_insert(value);
    }
    Ok(request)
}

/// The bytes that the messages of a WebSocket carry.
struct WebSocketIo {
    stream: WebSocketStream<Watched>,
    begun: Bytes,
}

impl AsyncRead for WebSocketIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.begun.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_next(context)) {
                None | Some(Ok(Message::Close(_))) => return Poll::Ready(Ok(())),
                Some(Ok(Message::Binary(bytes))) => self.begun = bytes,
                Some(Ok(Message::Text(text))) => self.begun = text.into(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let count = self.begun.len().min(buffer.remaining());
        buffer.put_slice(&self.begun[..count]);
        self.begun.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WebSocketIo {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.stream).poll_ready(context)).map_err(broken)?;
        let message = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.stream).start_send(message).map_err(broken)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context).map_err(broken)
    }
}

fn broken(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        // Engines say when the output is over, also when the input was ended.
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            let message = "the connection ended before the engine said that the output was over";
            io::Error::new(io::ErrorKind::UnexpectedEof, message)
        }
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

#[cfg(test)]
mod tests {
    use crate::Docker;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let attach = || Docker::connect_to("unix:///nowhere").unwrap().container("web").attach_websocket();
        assert_eq!(text(attach().request()), "GET /containers/web/attach/ws?stream=1&stdin=0&stdout=1&stderr=1");
        assert_eq!(
            text(attach().stdin().stdout_only().logs_only().detach_keys("ctrl-z").request()),
            "GET /containers/web/attach/ws?stream=0&stdin=1&stdout=1&stderr=0&logs=1&detachKeys=ctrl-z"
        );
        assert!(text(attach().stderr_only().logs().request()).ends_with("stdout=0&stderr=1&logs=1"));
    }
}
