//! A real registry, and the doors through which engines reach it.
//!
//! The registry is a process of this machine that keeps everything in memory and listens on a unix socket of its own.
//! An engine reaches it through a [`Door`]: a port of the engine's own 127.0.0.1, which engines take without TLS. So it
//! works for engines in network namespaces of their own too, and connections can be broken on their way.
//!
//! A socket belongs to the network namespace in which it was made, whoever has it later. So a thread enters that of
//! the engine, makes the socket and ends.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::OnceCell;

use crate::live::LiveEngine;
use crate::program::Program;
use crate::proxy::{FaultProxy, Faults};

/// The user whom the guarded registry knows.
pub const USERNAME: &str = "tester";

/// The user's password.
pub const PASSWORD: &str = "correct horse";

/// What the guarded registry keeps of the user: the name, and the password's hash.
const HTPASSWD: &str = "tester:$2b$04$1zJK9j/8HvX9MdR4H3YOs.l63prElut4GCIp1IFc6DOmy/ONrKcHy\n";

/// `tester:correct horse`, as HTTP's basic authentication has it.
const BASIC: &str = "dGVzdGVyOmNvcnJlY3QgaG9yc2U=";

/// How long the registry may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(20);

static OPEN: OnceCell<Registry> = OnceCell::const_new();
static GUARDED: OnceCell<Registry> = OnceCell::const_new();

/// A way from one engine to a registry. It ends, and cuts its connections, when it is dropped.
///
/// ```no_run
/// # use longshore_testkit::live::Live;
/// # use longshore_testkit::registry::Door;
/// # async fn example(live: Live) -> Result<(), Box<dyn std::error::Error>> {
/// let door = Door::open(live.engine()).await?;
/// let name = format!("{}/web:1", door.address());
/// live.image("web:1").tag(&name).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Door {
    proxy: FaultProxy,
    registry: &'static Registry,
}

impl Door {
    /// Leads to the registry that anybody may use, which is started if need be.
    ///
    /// # Errors
    /// When there is no registry, or the engine's network can't be entered.
    pub async fn open(engine: &LiveEngine) -> io::Result<Self> {
        Door::to(OPEN.get_or_try_init(|| Registry::start(false)).await?, engine)
    }

    /// Leads to the registry that wants [`USERNAME`] and [`PASSWORD`].
    ///
    /// # Errors
    /// As [`open`](Door::open).
    pub async fn guarded(engine: &LiveEngine) -> io::Result<Self> {
        Door::to(GUARDED.get_or_try_init(|| Registry::start(true)).await?, engine)
    }

    fn to(registry: &'static Registry, engine: &LiveEngine) -> io::Result<Self> {
        Ok(Door { proxy: FaultProxy::over(listen_beside(engine)?, &registry.socket)?, registry })
    }

    /// The address of the registry for the engine, such as `127.0.0.1:40000`.
    pub fn address(&self) -> String {
        self.proxy.host().trim_start_matches("tcp://").to_owned()
    }

    /// Says what is done to the connections that the engine opens from now on.
    pub fn set(&self, faults: Faults) {
        self.proxy.set(faults);
    }

    /// How many connections the engine has opened in all.
    pub fn opened(&self) -> usize {
        self.proxy.opened()
    }

    /// Asks the registry itself for something, such as `/v2/web/manifests/1`: the status and the body of the answer.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn get(&self, path: &str) -> io::Result<(u16, String)> {
        self.registry.get(path).await
    }
}

/// Ends the registries of this process. They end with it in any case, but leave a folder behind.
pub fn end() {
    for registry in [OPEN.get(), GUARDED.get()].into_iter().flatten() {
        registry.program.end();
    }
}

/// A registry that runs.
#[derive(Debug)]
struct Registry {
    program: Program,
    socket: PathBuf,
}

impl Registry {
    async fn start(guarded: bool) -> io::Result<Self> {
        let mut socket = PathBuf::new();
        let program = Program::start("registry", |folder| {
            socket = folder.join("socket");
            fs::write(folder.join("htpasswd"), HTPASSWD)?;
            let configured = folder.join("config.yml");
            fs::write(&configured, configuration(folder, guarded))?;
            Ok(vec!["serve".into(), configured.into()])
        })
        .await?;
        let registry = Registry { program, socket };
        registry.ready().await?;
        Ok(registry)
    }

    async fn ready(&self) -> io::Result<()> {
        let asking = async {
            while !matches!(self.get("/v2/").await, Ok((200, _))) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, asking)
            .await
            .map_err(|_| io::Error::other(format!("the registry does not answer; it says: {}", self.program.log())))
    }

    async fn get(&self, path: &str) -> io::Result<(u16, String)> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: registry\r\nAuthorization: Basic {BASIC}\r\n\
             Accept: application/vnd.docker.distribution.manifest.v2+json, \
             application/vnd.oci.image.manifest.v1+json, */*\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        match (status, answer.split_once("\r\n\r\n")) {
            (Some(status), Some((_, body))) => Ok((status, body.to_owned())),
            _ => Err(io::Error::other(format!("no answer of the registry: {answer}"))),
        }
    }
}

fn configuration(folder: &Path, guarded: bool) -> String {
    let folder = folder.display();
    let mut text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{inmemory: {{}}}}\n\
         http: {{net: unix, addr: \"{folder}/socket\", relativeurls: true}}\n"
    );
    if guarded {
        text.push_str(&format!("auth: {{htpasswd: {{realm: tests, path: \"{folder}/htpasswd\"}}}}\n"));
    }
    text
}

/// Listens on a port of the engine's 127.0.0.1; of this machine's where the engine is not reached by a unix socket.
fn listen_beside(engine: &LiveEngine) -> io::Result<TcpListener> {
    engine.in_its_network(|| TcpListener::bind("127.0.0.1:0"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_guarded_registry_asks_for_credentials() {
        let folder = Path::new("/t");
        assert!(!configuration(folder, false).contains("auth"));
        let guarded = configuration(folder, true);
        assert!(guarded.contains("addr: \"/t/socket\"") && guarded.contains("path: \"/t/htpasswd\""), "{guarded}");
    }
}
