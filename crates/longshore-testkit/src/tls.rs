//! The TLS of real engines: Docker's own port, and the way there.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::gateway::{Forwarding, Gateway};
use crate::live::LiveEngine;

/// Where engines of `cargo xtask engine` listen in their own network.
const PORT: u16 = 2376;

/// A port for TLS before any engine: its own, or that of a proxy before an engine that has none.
#[derive(Debug)]
pub struct TlsPort {
    host: String,
    certificates: PathBuf,
    _way: Way,
}

/// What has to live as long as the port.
#[derive(Debug)]
enum Way {
    Door { _door: TlsDoor },
    Gateway { _gateway: Gateway },
}

impl TlsPort {
    /// Finds or makes one.
    ///
    /// # Errors
    /// When no port can be had, or no proxy.
    pub async fn of(engine: Arc<LiveEngine>) -> io::Result<Self> {
        if let Some(door) = TlsDoor::to(engine.clone()).await? {
            let (host, certificates) = (door.host(), door.certificates().to_owned());
            return Ok(TlsPort { host, certificates, _way: Way::Door { _door: door } });
        }
        let gateway = Gateway::before(&engine, Forwarding::Tls).await?;
        let (host, certificates) = (gateway.host(), gateway.certificates().to_owned());
        Ok(TlsPort { host, certificates, _way: Way::Gateway { _gateway: gateway } })
    }

    /// The address, such as `tcp://127.0.0.1:40000`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The folder with what a client of TLS needs: `ca.pem`, `cert.pem`, `key.pem`.
    pub fn certificates(&self) -> &Path {
        &self.certificates
    }
}

/// A port of this machine that leads to an engine's port for TLS. It ends, and cuts its connections, when it is dropped.
#[derive(Debug)]
pub struct TlsDoor {
    address: SocketAddr,
    folder: PathBuf,
    listening: JoinHandle<()>,
}

impl TlsDoor {
    /// Leads to an engine of `cargo xtask engine`, which has put its certificates beside its socket; `None` to others.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn to(engine: Arc<LiveEngine>) -> io::Result<Option<Self>> {
        let folder = engine.socket().and_then(|socket| Some(socket.parent()?.join("tls")));
        let Some(folder) = folder.filter(|folder| !engine.is_podman() && folder.is_dir()) else { return Ok(None) };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Some(TlsDoor { address, folder, listening: tokio::spawn(listen(listener, engine)) }))
    }

    /// The address, such as `tcp://127.0.0.1:40000`.
    pub fn host(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// The folder with what a client of TLS needs: `ca.pem`, `cert.pem`, `key.pem`.
    pub fn certificates(&self) -> &Path {
        &self.folder
    }
}

impl Drop for TlsDoor {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, engine: Arc<LiveEngine>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let engine = engine.clone();
        connections.spawn(async move {
            // What can't be forwarded is closed, and the client sees that.
            let _ = forward(stream, engine).await;
        });
    }
}

async fn forward(mut stream: TcpStream, engine: Arc<LiveEngine>) -> io::Result<()> {
    let connect = || StdStream::connect((Ipv4Addr::LOCALHOST, PORT));
    let connecting = tokio::task::spawn_blocking(move || engine.in_its_network(connect)).await;
    let connected = connecting.map_err(io::Error::other)???;
    connected.set_nonblocking(true)?;
    copy_bidirectional(&mut stream, &mut TcpStream::from_std(connected)?).await?;
    Ok(())
}
