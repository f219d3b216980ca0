use std::io;
use std::time::Duration;

use longshore_wire::endpoint::authority;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::{Dial, Dialing, Io};

/// After how long without traffic the kernel asks whether the engine is still there. A hijacked connection may be
/// silent for days.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// An engine behind a TCP port.
pub(crate) struct Tcp {
    host: String,
    port: u16,
    path_prefix: String,
}

impl Tcp {
    pub(crate) fn new(host: String, port: u16, path_prefix: String) -> Self {
        Tcp { host, port, path_prefix }
    }

    /// The host, without the port.
    #[cfg(feature = "tls")]
    pub(super) fn name(&self) -> &str {
        &self.host
    }

    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok(stream)
    }
}

impl Dial for Tcp {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async { Ok(Box::new(self.connect().await?) as Box<dyn Io>) })
    }

    fn describe(&self) -> String {
        format!("tcp://{}{}", self.host(), self.path_prefix)
    }

    fn host(&self) -> String {
        authority(&self.host, Some(self.port))
    }

    fn path_prefix(&self) -> String {
        self.path_prefix.clone()
    }

    fn advice(&self, error: &io::Error) -> Option<String> {
        let Tcp { host, port, .. } = self;
        match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                Some(format!("nothing listens on port {port} of {host}: is the engine running, and is the port right?"))
            }
            _ => None,
        }
    }
}
