//! Connections for gRPC, as builders use them.

use longshore_wire::path::Path;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};
use crate::stream::RawConnection;

/// The protocol of both connections: HTTP/2 without TLS.
const PROTOCOL: &str = "h2c";

/// What a session is called, and what the client offers in it.
///
/// ```
/// use longshore::SessionOptions;
///
/// let options = SessionOptions::default().id("0a1b2c").name("shop").method("/moby.filesync.v1.Auth/Credentials");
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct SessionOptions {
    /// The id by which a build names the session.
    pub id: Option<String>,
    /// The name of the session, for people.
    pub name: Option<String>,
    /// A secret that sessions of the same files have in common, by which the engine finds what it has of them already.
    pub shared_key: Option<String>,
    /// The gRPC methods that the client offers, such as `/moby.filesync.v1.Auth/Credentials`.
    pub methods: Vec<String>,
}

impl SessionOptions {
    /// Sets the id by which a build names the session.
    #[must_use]
    #[doc(alias = "uuid")]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Names the session, for people.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the secret that sessions of the same files have in common.
    #[must_use]
    pub fn shared_key(mut self, key: impl Into<String>) -> Self {
        self.shared_key = Some(key.into());
        self
    }

    /// Offers a gRPC method, such as `/moby.filesync.v1.Auth/Credentials`; may be called for several.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.methods.push(method.into());
        self
    }
}

/// The shared key is left out.
impl std::fmt::Debug for SessionOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SessionOptions")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("methods", &self.methods)
            .finish_non_exhaustive()
    }
}

impl Docker {
    /// Opens a session: a connection on which the client is the gRPC server and the engine calls, as BuildKit does for
    /// files, secrets and credentials during a build.
    ///
    /// `POST /session`, API 1.31+; deprecated by engines, which go on serving it. Bytes go as they are: HTTP/2 and gRPC
    /// are the caller's. The session ends when the connection is dropped. The engine begins with the preface of HTTP/2.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> Result<(), Box<dyn std::error::Error>> {
    /// use longshore::SessionOptions;
    /// use tokio::io::AsyncReadExt;
    ///
    /// let mut session = docker.session(&SessionOptions::default().id("0a1b2c")).await?;
    /// let mut preface = [0; 24];
    /// session.read_exact(&mut preface).await?;
    /// assert!(preface.starts_with(b"PRI * HTTP/2.0"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a control character in an option and, by some engines, for an id that
    /// an open session has; [`Unsupported`](crate::ErrorKind::Unsupported) by Podman.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn session(&self, options: &SessionOptions) -> Result<RawConnection> {
        RawConnection::new(self.send(session(options)).await?)
    }

    /// Opens a connection on which the engine is the gRPC server, as BuildKit's clients use it.
    ///
    /// `POST /grpc`, API 1.39+; the API's specification does not have it. Bytes go as they are: HTTP/2 and gRPC are the
    /// caller's, who begins with the preface of HTTP/2.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) by Podman and by engines that don't serve it.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn grpc(&self) -> Result<RawConnection> {
        RawConnection::new(self.send(grpc()).await?)
    }
}

fn session(options: &SessionOptions) -> Request {
    let mut request =
        Request::new(Method::Post, Path::new("session"), Operation::new("open session")).upgrade(PROTOCOL);
    for (name, value) in [
        ("X-Docker-Expose-Session-Uuid", &options.id),
        ("X-Docker-Expose-Session-Name", &options.name),
        ("X-Docker-Expose-Session-Sharedkey", &options.shared_key),
    ] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let methods = options.methods.iter();
    methods.fold(request, |request, method| request.header("X-Docker-Expose-Session-Grpc-Method", method))
}

fn grpc() -> Request {
    Request::new(Method::Post, Path::new("grpc"), Operation::new("open gRPC connection")).upgrade(PROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let options =
            SessionOptions::default().id("0a").name("shop").shared_key("s3cret").method("/a/B").method("/a/C");
        assert!(!format!("{options:?}").contains("s3cret"));
        let request = session(&options);
        assert_eq!(request.upgrade.as_deref(), Some("h2c"));
        assert_eq!(
            text(Ok(request)),
            "POST /session\n\
             X-Docker-Expose-Session-Uuid: 0a\n\
             X-Docker-Expose-Session-Name: shop\n\
             X-Docker-Expose-Session-Sharedkey: s3cret\n\
             X-Docker-Expose-Session-Grpc-Method: /a/B\n\
             X-Docker-Expose-Session-Grpc-Method: /a/C"
        );
        assert_eq!(text(Ok(session(&SessionOptions::default()))), "POST /session");
        let request = grpc();
        assert_eq!(request.upgrade.as_deref(), Some("h2c"));
        assert_eq!(text(Ok(request)), "POST /grpc");
    }
}
