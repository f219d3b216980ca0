//! A real proxy before an engine, as people put one there: HAProxy, which forwards connections or HTTP.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::certificates::Authority;
use crate::live::LiveEngine;
use crate::port::free_port;
use crate::program::Program;

/// How long the proxy may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A proxy before an engine. It ends, and cuts its connections, when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    program: Program,
    port: u16,
    folder: PathBuf,
}

/// What the proxy understands of what it forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// Nothing: bytes both ways.
    Connections,
    /// HTTP, until a connection is upgraded.
    Http,
    /// Bytes both ways, out of TLS: with clients that an authority of its own has signed.
    Tls,
}

impl Gateway {
    /// Puts a proxy before an engine that is reached by a unix socket.
    ///
    /// # Errors
    /// When the engine has no such socket, or the proxy can't be had or does not listen.
    pub async fn before(engine: &LiveEngine, forwarding: Forwarding) -> io::Result<Self> {
        Gateway::with_patience(engine, forwarding, Duration::from_secs(3600)).await
    }

    /// The same with a proxy that closes connections on which nothing has come for so long.
    ///
    /// # Errors
    /// As [`before`](Gateway::before).
    pub async fn with_patience(engine: &LiveEngine, forwarding: Forwarding, patience: Duration) -> io::Result<Self> {
        let socket = engine.socket().ok_or_else(|| io::Error::other("the engine has no unix socket here"))?;
        let port = free_port()?;
        let mut kept = PathBuf::new();
        let program = Program::start("haproxy", |folder| {
            if forwarding == Forwarding::Tls {
                let authority = Authority::new().map_err(io::Error::other)?;
                authority.write(folder)?;
                let server = ["server-cert.pem", "server-key.pem"].map(|name| fs::read_to_string(folder.join(name)));
                let [certificate, key] = server;
                fs::write(folder.join("server.pem"), certificate? + &key?)?;
            }
            folder.clone_into(&mut kept);
            let configured = folder.join("haproxy.cfg");
            fs::write(&configured, configuration(port, &socket, folder, forwarding, patience))?;
            Ok(vec!["-db".into(), "-f".into(), configured.into()])
        })
        .await?;
        let gateway = Gateway { program, port, folder: kept };
        gateway.ready().await?;
        Ok(gateway)
    }

    /// The address of the engine behind the proxy, such as `tcp://127.0.0.1:40000`.
    pub fn host(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// The folder with what a client of TLS needs: `ca.pem`, `cert.pem`, `key.pem`.
    pub fn certificates(&self) -> &Path {
        &self.folder
    }

    async fn ready(&self) -> io::Result<()> {
        let asking = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, asking)
            .await
            .map_err(|_| io::Error::other(format!("the proxy does not listen; it says: {}", self.program.log())))
    }
}

fn configuration(port: u16, socket: &Path, folder: &Path, forwarding: Forwarding, patience: Duration) -> String {
    let (mode, tls) = match forwarding {
        Forwarding::Connections => ("tcp", String::new()),
        Forwarding::Http => ("http", String::new()),
        Forwarding::Tls => {
            let folder = folder.display();
            ("tcp", format!(" ssl crt {folder}/server.pem ca-file {folder}/ca.pem verify required"))
        }
    };
    let milliseconds = patience.as_millis();
    let timeouts = ["client", "server", "tunnel"].map(|side| format!("  timeout {side} {milliseconds}ms\n")).concat();
    format!(
        "defaults\n  mode {mode}\n  timeout connect 10s\n{timeouts}\
         listen engine\n  bind 127.0.0.1:{port}{tls}\n  server engine unix@{}\n",
        socket.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_told_where_the_engine_is() {
        let configuration = |forwarding| {
            configuration(4000, Path::new("/run/engine.sock"), Path::new("/t"), forwarding, Duration::from_secs(2))
        };
        let text = configuration(Forwarding::Http);
        assert!(text.contains("timeout server 2000ms\n") && text.contains("timeout client 2000ms\n"), "{text}");
        assert!(text.contains("mode http\n") && text.contains("bind 127.0.0.1:4000\n"), "{text}");
        assert!(text.ends_with("server engine unix@/run/engine.sock\n"), "{text}");
        let text = configuration(Forwarding::Tls);
        assert!(text.contains("mode tcp\n") && text.contains("crt /t/server.pem ca-file /t/ca.pem"), "{text}");
    }
}
