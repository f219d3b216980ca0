//! The ways to an engine.

#[cfg(windows)]
mod named_pipe;
#[cfg(feature = "ssh")]
mod ssh;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod unix;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use longshore_wire::endpoint::{Endpoint, Scheme};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::config::{self, Tls};
use crate::error::{Error, ErrorKind, Operation, Result};

pub(crate) use tcp::Tcp;
pub(crate) use unix::Unix;

/// A connection to an engine: bytes both ways.
pub trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static> Io for T {}

/// What [`Dial::dial`] gives: a connection, some time later.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send + 'a>>;

/// A way to open connections to an engine.
///
/// Implement it to reach an engine over a transport of your own, or to put something between the client and the
/// engine:
///
/// ```
/// use longshore::transport::{Dial, Dialing, Io};
/// use longshore::Docker;
///
/// struct Tunnel;
///
/// impl Dial for Tunnel {
///     fn dial(&self) -> Dialing<'_> {
///         Box::pin(async {
///             let stream = tokio::net::TcpStream::connect("127.0.0.1:2375").await?;
///             Ok(Box::new(stream) as Box<dyn Io>)
///         })
///     }
///
///     fn describe(&self) -> String {
///         "the tunnel".to_owned()
///     }
/// }
///
/// let docker = Docker::connect_through(Tunnel);
/// ```
pub trait Dial: Send + Sync + 'static {
    /// Opens one connection.
    ///
    /// It is dropped when the client's connect deadline passes, and must leave nothing behind then.
    fn dial(&self) -> Dialing<'_>;

    /// Says in messages where the connections lead, such as `unix:///var/run/docker.sock`.
    fn describe(&self) -> String;

    /// The value of the `Host` field of requests.
    fn host(&self) -> String {
        "docker".to_owned()
    }

    /// What stands before every path: empty, or a prefix that begins with `/` and does not end with it.
    fn path_prefix(&self) -> String {
        String::new()
    }

    /// What a person can do about a failed [`dial`](Dial::dial), if that is known.
    fn advice(&self, error: &io::Error) -> Option<String> {
        let _ = error;
        None
    }
}

impl fmt::Debug for dyn Dial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.describe())
    }
}

/// The way to the engine at `endpoint`; `tls` is what TCP is secured with, if it is, and `ssh` how `ssh` is run.
pub(crate) fn dialer(endpoint: Endpoint, tls: Option<&Tls>, ssh: &config::Ssh) -> Result<Arc<dyn Dial>> {
    match endpoint {
        Endpoint::Unix(path) => Ok(Arc::new(Unix::new(path))),
        Endpoint::Tcp { scheme, host, port, path_prefix } => {
            let tcp = Tcp::new(host, port.unwrap_or(scheme.default_port()), path_prefix);
            match (scheme, tls) {
                (Scheme::Http, Some(_)) => {
                    let message = "an http:// address says that there is no TLS, and other settings ask for it";
                    Err(Operation::new("connect").error(ErrorKind::Config, message))
                }
                (Scheme::Http | Scheme::Tcp, None) => Ok(Arc::new(tcp)),
                (Scheme::Https | Scheme::Tcp, tls) => over_tls(tcp, tls),
            }
        }
        Endpoint::Ssh { user, host, port, path } => over_ssh(user, host, port, path, ssh.clone()),
        #[cfg(windows)]
        Endpoint::NamedPipe(path) => Ok(Arc::new(named_pipe::NamedPipe::new(path))),
        #[cfg(not(windows))]
        Endpoint::NamedPipe(path) => Err(unsupported(&format!("the named pipe {path} is one of Windows"))),
    }
}

#[cfg(feature = "ssh")]
fn over_ssh(
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: Option<String>,
    options: config::Ssh,
) -> Result<Arc<dyn Dial>> {
    Ok(Arc::new(ssh::Ssh::new(user, host, port, path, options)))
}

#[cfg(not(feature = "ssh"))]
fn over_ssh(_: Option<String>, _: String, _: Option<u16>, _: Option<String>, _: config::Ssh) -> Result<Arc<dyn Dial>> {
    Err(unsupported("an ssh:// address needs longshore's feature `ssh`, which this build lacks"))
}

#[cfg(feature = "tls")]
fn over_tls(tcp: Tcp, tls: Option<&Tls>) -> Result<Arc<dyn Dial>> {
    let tls = tls.cloned().unwrap_or_default();
    Ok(Arc::new(tls::TlsOverTcp::new(tcp, &tls)?))
}

#[cfg(not(feature = "tls"))]
fn over_tls(tcp: Tcp, _: Option<&Tls>) -> Result<Arc<dyn Dial>> {
    Err(unsupported(&format!("TLS, which {} is to be reached with, needs the feature `tls`", tcp.describe())))
}

fn unsupported(what: &str) -> Error {
    Operation::new("connect").error(ErrorKind::Unsupported, what)
}
