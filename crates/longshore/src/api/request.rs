//! Requests that the caller makes up: for what an engine has and this library does not.

use std::borrow::Cow;
use std::fmt::{self, Display};

use bytes::Bytes;
use longshore_models::Raw;
use longshore_wire::path::Path;
use longshore_wire::request::is_of_connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Payload, Request, Response};
use crate::stream::{ByteStream, JsonStream, RawConnection};

/// A request that the caller makes up; see [`Docker::request`].
#[must_use = "a request does nothing unless it is sent"]
pub struct CustomRequest {
    docker: Docker,
    /// What is wrong with it is told when it is sent.
    request: Result<Request>,
}

impl Docker {
    /// Makes a request of the caller's own, for what an engine has and this library does not.
    ///
    /// The path begins with a slash and is percent-encoded where it has to be, and has no query; the version of the API
    /// is put before it. Nothing is sent until one of the methods is called that give the answer:
    /// [`json`](CustomRequest::json), [`json_stream`](CustomRequest::json_stream), [`bytes`](CustomRequest::bytes),
    /// [`byte_stream`](CustomRequest::byte_stream), [`connection`](CustomRequest::connection), or
    /// [`send`](CustomRequest::send) for status and headers too. Whether the engine's version has what is asked for is
    /// not checked: it is the engine that refuses it.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::Method;
    /// use serde_json::Value;
    ///
    /// let answer: Value = docker.request(Method::Get, "/something/new").query("x", 1).json().await?;
    /// println!("{}", answer["Field"]);
    ///
    /// let mut events = docker.request(Method::Get, "/events").json_stream::<Value>().await?;
    /// while let Some(event) = events.next().await {
    ///     println!("{}", event?["Action"]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl AsRef<str>) -> CustomRequest {
        let path = path.as_ref();
        let operation = Operation::on("request", &format!("{method} {path}"));
        let request = match Path::verbatim(path) {
            Ok(path) => Ok(Request::new(method, path, operation)),
            Err(source) => Err(operation.error_from(ErrorKind::Invalid, source.to_string(), source)),
        };
        CustomRequest { docker: self.clone(), request }
    }
}

impl CustomRequest {
    /// Adds a parameter to the query. It is percent-encoded; a name that is given again is repeated.
    pub fn query(mut self, name: impl AsRef<str>, value: impl Display) -> Self {
        if let Ok(request) = &mut self.request {
            request.query.push(name.as_ref(), value);
        }
        self
    }

    /// Adds a header; a name that is given again is repeated.
    ///
    /// Those that say where the request ends and what becomes of its connection are the client's, and refused with
    /// [`Invalid`](ErrorKind::Invalid): `Host`, `Connection`, `Upgrade`, `Content-Length`, `Transfer-Encoding` and the
    /// like.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.map(|request| match is_of_connection(&name) {
            true => {
                let message = format!("the header `{}` is set by the client", name.escape_debug());
                Err(request.operation.error(ErrorKind::Invalid, message))
            }
            false => Ok(request.header(name, value)),
        })
    }

    /// Sends a body of this content type, such as `application/x-tar`, instead of one that was given before.
    pub fn body(self, content_type: impl Into<String>, body: impl Into<Payload>) -> Self {
        self.map(|request| Ok(without_body(request).payload(content_type, body.into())))
    }

    /// Sends a value as JSON, instead of a body that was given before.
    pub fn json_body(self, value: &impl Serialize) -> Self {
        self.map(|request| without_body(request).json(value))
    }

    /// Leaves the version of the API out of the path, as for `/_ping`; or the path has one of the caller's.
    pub fn unversioned(self) -> Self {
        self.map(|request| Ok(request.unversioned()))
    }

    /// Lets the engine take as long as it takes before it answers, instead of the
    /// [deadline for heads](crate::Deadlines): for what the engine works or waits for.
    pub fn unbounded(self) -> Self {
        self.map(|request| Ok(request.unbounded()))
    }

    /// Sends the request, and gives status and headers of the answer, its body yet to be read.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid), before anything is sent, for a path, a header or a value that can't be;
    /// whatever the engine refuses the request with, by its status: [`NotFound`](ErrorKind::NotFound),
    /// [`Conflict`](ErrorKind::Conflict) and so on, [`Unsupported`](ErrorKind::Unsupported) for a path that it does not
    /// have; [`Io`](ErrorKind::Io) when the payload can't be read; and those of every call:
    /// [`Connect`](ErrorKind::Connect), [`Timeout`](ErrorKind::Timeout) and so on.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the engine may do what it asks all the same.
    pub async fn send(self) -> Result<CustomResponse> {
        Ok(CustomResponse { response: self.docker.send(self.request?).await? })
    }

    /// Sends the request, and reads the answer as JSON.
    ///
    /// # Errors
    /// As [`send`](CustomRequest::send) and [`CustomResponse::json`].
    ///
    /// # Cancel safety
    /// As [`send`](CustomRequest::send).
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.send().await?.json().await
    }

    /// Sends the request, and reads the answer as JSON whose text is kept.
    ///
    /// # Errors
    /// As [`send`](CustomRequest::send) and [`CustomResponse::json`].
    ///
    /// # Cancel safety
    /// As [`send`](CustomRequest::send).
    pub async fn raw<T: DeserializeOwned>(self) -> Result<Raw<T>> {
        self.send().await?.raw().await
    }

    /// Sends the request, and gives the answer as JSON values, one after another.
    ///
    /// # Errors
    /// As [`send`](CustomRequest::send).
    ///
    /// # Cancel safety
    /// As [`send`](CustomRequest::send).
    pub async fn json_stream<T: DeserializeOwned>(self) -> Result<JsonStream<T>> {
        Ok(self.send().await?.json_stream())
    }

    /// Sends the request, and reads the answer whole; it may be empty.
    ///
    /// # Errors
    /// As [`send`](CustomRequest::send) and [`CustomResponse::bytes`].
    ///
    /// # Cancel safety
    /// As [`send`](CustomRequest::send).
    pub async fn bytes(self) -> Result<Bytes> {
        self.send().await?.bytes().await
    }

    /// Sends the request, and gives the answer piece by piece.
    ///
    /// # Errors
    /// As [`send`](CustomRequest::send).
    ///
    /// # Cancel safety
    /// As [`send`](CustomRequest::send).
    pub async fn byte_stream(self) -> Result<ByteStream> {
        Ok(self.send().await?.byte_stream())
    }

    /// Sends the request, and takes the connection over for a protocol of its own, such as `tcp` or `h2c`.
    ///
    /// # Errors
    /// As [`send`](CustomRequest::send), and [`Protocol`](ErrorKind::Protocol) when the engine answers as usual instead
    /// of handing the connection over.
    ///
    /// # Cancel safety
    /// As [`send`](CustomRequest::send).
    pub async fn connection(self, protocol: impl Into<String>) -> Result<RawConnection> {
        let request = self.request?.upgrade(Cow::Owned(protocol.into()));
        RawConnection::new(self.docker.send(request).await?)
    }

    fn map(self, change: impl FnOnce(Request) -> Result<Request>) -> Self {
        CustomRequest { docker: self.docker, request: self.request.and_then(change) }
    }
}

/// Takes off what a body has brought with it.
fn without_body(mut request: Request) -> Request {
    if request.body.take().is_some() {
        request.headers.retain(|(name, _)| name != "Content-Type");
    }
    request
}

impl fmt::Debug for CustomRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CustomRequest").field("request", &self.request).finish_non_exhaustive()
    }
}

/// The answer to a [`CustomRequest`]: its status and headers, its body yet to be read.
///
/// Dropping it closes its connection.
#[must_use = "the connection is closed unless the body is read"]
pub struct CustomResponse {
    response: Response,
}

impl CustomResponse {
    /// The HTTP status: one of 200 to 299, or 304 when there was nothing to do.
    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// The value of a header, by its name in any letters; of the first if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.head().header(name)
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`Decode`](ErrorKind::Decode) when it is no JSON or not what was expected,
    /// [`Truncated`](ErrorKind::Truncated) when the connection ends before it does,
    /// [`Protocol`](ErrorKind::Protocol) when it is larger than 256 MiB, [`Timeout`](ErrorKind::Timeout) at a deadline.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let (operation, bytes) = self.response.bytes().await?;
        operation.decode_custom(&bytes)
    }

    /// Reads the body as JSON, and keeps its text.
    ///
    /// # Errors
    /// As [`json`](CustomResponse::json).
    ///
    /// # Cancel safety
    /// As [`json`](CustomResponse::json).
    pub async fn raw<T: DeserializeOwned>(self) -> Result<Raw<T>> {
        let (operation, bytes) = self.response.bytes().await?;
        Raw::from_slice(&bytes).map_err(|source| operation.bad_json(source, &bytes))
    }

    /// Gives the body as JSON values, one after another.
    pub fn json_stream<T: DeserializeOwned>(self) -> JsonStream<T> {
        JsonStream::with(self.response, Operation::decode_custom)
    }

    /// Reads the body whole; it may be empty.
    ///
    /// # Errors
    /// [`Truncated`](ErrorKind::Truncated) when the connection ends before it does,
    /// [`Protocol`](ErrorKind::Protocol) when it is larger than 256 MiB, [`Timeout`](ErrorKind::Timeout) at a deadline.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn bytes(self) -> Result<Bytes> {
        Ok(self.response.bytes().await?.1)
    }

    /// Gives the body piece by piece.
    pub fn byte_stream(self) -> ByteStream {
        ByteStream::new(self.response)
    }
}

impl fmt::Debug for CustomResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CustomResponse").field("status", &self.status()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::unrecorded;
    use crate::http::Patience;
    use serde_json::json;

    fn request(method: Method, path: &str) -> CustomRequest {
        Docker::connect_to("unix:///nowhere").unwrap().request(method, path)
    }

    #[test]
    fn requests_are_what_they_were_made_up_of() {
        let made = request(Method::Get, "/a/my%20web").query("x", 1).query("x", "a&b").header("X-One", "1").request;
        assert_eq!(unrecorded(&made.unwrap()), "GET /a/my%20web?x=1&x=a%26b\nX-One: 1");
        let made = request(Method::Post, "/a").json_body(&json!({"b": [1]})).unbounded().request.unwrap();
        assert!(made.versioned && made.needs.is_empty());
        assert_eq!(made.patience, Patience::Unbounded);
        assert_eq!(unrecorded(&made), "POST /a\nContent-Type: application/json\n\n{\"b\":[1]}");
        let made = request(Method::Put, "/a").json_body(&1).body("text/plain", "b").unversioned().request.unwrap();
        assert!(!made.versioned);
        assert_eq!(unrecorded(&made), "PUT /a\nContent-Type: text/plain\n\nb");
    }

    #[tokio::test]
    async fn what_can_not_be_sent_is_refused_before_it_is() {
        let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
        for wrong in [
            request(Method::Get, "a"),
            request(Method::Get, "/a?b=1"),
            request(Method::Get, "/a/../b"),
            request(Method::Get, "/a b"),
            request(Method::Get, "/a").header("Content-Length", "5"),
            request(Method::Get, "/a").header("transfer-encoding ", "chunked"),
            request(Method::Get, "/a").header("HOST", "b").query("c", 1).unversioned(),
            request(Method::Post, "/a").json_body(&unwritable),
        ] {
            let error = wrong.send().await.unwrap_err();
            assert_eq!((error.kind(), error.operation()), (ErrorKind::Invalid, "request"), "{error}");
            assert!(error.target().is_some_and(|target| target.contains(' ')), "{error:?}");
        }
    }
}
