use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use longshore::swarm::SwarmInitOptions;
use longshore::{ApiVersion, ConnectOptions, Container, Docker, Environment, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::IMAGE;

/// How to begin a swarm that nobody else can join.
pub fn swarm_of_one() -> SwarmInitOptions {
    SwarmInitOptions::default().listen_addr("127.0.0.1:2377").advertise_addr("127.0.0.1")
}

/// A real engine.
#[derive(Debug)]
pub struct LiveEngine {
    pub(super) name: String,
    host: String,
    pub(super) docker: Docker,
    api: ApiVersion,
    podman: bool,
    pub(super) shared: OnceCell<Container>,
    taken: RwLock<()>,
}

impl LiveEngine {
    /// Asks the engine at `host` what it is, and sees to it that it has [`IMAGE`].
    ///
    /// # Errors
    /// When it can't be reached, or does not have the image and can't pull it.
    pub async fn connect(name: &str, host: &str) -> Result<Self> {
        // Nothing depends on what the user who runs the tests has set up.
        let options = ConnectOptions::default().host(host).environment(Environment::default());
        let docker = Docker::connect_with(&options)?;
        let version = docker.version().await?;
        let podman = version.components.iter().any(|component| component.name.starts_with("Podman"));
        let api = docker.api_version().await?;
        if docker.image(IMAGE).inspect().await.is_err_and(|error| error.is_not_found()) {
            docker.images().pull(IMAGE).await?.finish().await?;
        }
        Ok(LiveEngine {
            name: name.to_owned(),
            host: host.to_owned(),
            docker,
            api,
            podman,
            shared: OnceCell::new(),
            taken: RwLock::default(),
        })
    }

    /// What the list of engines calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The newest API version that it and longshore speak.
    pub fn api(&self) -> ApiVersion {
        self.api
    }

    /// Whether it is Podman.
    pub fn is_podman(&self) -> bool {
        self.podman
    }

    /// Whether it is there to be a swarm, and for nothing else: its name says so.
    pub fn is_for_swarms(&self) -> bool {
        self.name.starts_with("swarm")
    }

    /// Whether it is there to be killed, after which it starts again: its name says so.
    pub fn is_for_restarts(&self) -> bool {
        self.name.starts_with("restart")
    }

    /// Ends the engine, and waits until it has ended. It starts again after a second; containers outlive it if they are to
    /// `survive`.
    ///
    /// # Errors
    /// When it has no unix socket, or does not run.
    ///
    /// # Panics
    /// When it is not there for that.
    pub async fn end(&self, ending: Ending, survive: Survival) -> io::Result<()> {
        assert!(self.is_for_restarts(), "{} is not to be ended", self.name);
        let path = self.socket().ok_or_else(|| io::Error::other("it has no unix socket"))?;
        let flag = path.with_file_name("live-restore");
        match survive {
            Survival::Containers => fs::write(flag, "")?,
            Survival::Nothing => match fs::remove_file(flag) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
        }
        let socket = std::os::unix::net::UnixStream::connect(path)?;
        let process = rustix::net::sockopt::socket_peercred(&socket)?.pid;
        rustix::process::kill_process(process, ending.signal())?;
        while rustix::process::test_kill_process(process).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Makes a swarm of the engine unless it is one, which stays as long as the guard does.
    ///
    /// # Errors
    /// As [`Swarm::init`](longshore::Swarm::init).
    pub async fn share_swarm(&self) -> Result<RwLockReadGuard<'_, ()>> {
        let shared = self.taken.read().await;
        if !self.is_outside_swarms().await {
            return Ok(shared);
        }
        drop(shared);
        let alone = self.taken.write().await;
        if self.is_outside_swarms().await {
            self.docker.swarm().init_with(&swarm_of_one()).await?;
        }
        Ok(alone.downgrade())
    }

    async fn is_outside_swarms(&self) -> bool {
        self.docker.swarm().inspect().await.is_err_and(|error| error.is_conflict())
    }

    /// The engine for one test alone: its swarm, or all of it where it may be killed; Podman's images.
    pub async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.taken.write().await
    }

    /// Does something in the engine's network namespace, on a thread of its own; in this machine's where the engine is
    /// not reached by a unix socket.
    ///
    /// # Errors
    /// When the namespace can't be entered.
    pub fn in_its_network<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let namespace = self.socket().map(|socket| {
            let socket = std::os::unix::net::UnixStream::connect(socket)?;
            let process = rustix::net::sockopt::socket_peercred(&socket)?.pid;
            fs::File::open(format!("/proc/{}/ns/net", process.as_raw_nonzero()))
        });
        let namespace = namespace.transpose()?;
        let working = move || {
            namespace.as_ref().map_or(Ok(()), enter)?;
            Ok(work())
        };
        let thread = std::thread::Builder::new().name("engine's network".to_owned()).spawn(working)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the engine's network has panicked")))
    }

    /// The unix socket that it listens on, if it does.
    pub fn socket(&self) -> Option<PathBuf> {
        self.host.strip_prefix("unix://").map(PathBuf::from)
    }

    /// Makes a request without longshore, for what longshore does not do yet: the status and the body of the answer.
    ///
    /// # Errors
    /// When the engine can't be reached or answers no HTTP.
    pub async fn call(&self, method: &str, target: &str) -> io::Result<(u16, String)> {
        let request = format!("{method} {target} HTTP/1.0\r\nHost: engine\r\nContent-Length: 0\r\n\r\n");
        let mut answer = Vec::new();
        if let Some(socket) = self.socket() {
            let mut stream = tokio::net::UnixStream::connect(socket).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_to_end(&mut answer).await?;
        } else {
            let address = self.host.trim_start_matches("tcp://").trim_start_matches("http://");
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_to_end(&mut answer).await?;
        }
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        match (status, answer.split_once("\r\n\r\n")) {
            (Some(status), Some((_, body))) => Ok((status, body.to_owned())),
            _ => Err(io::Error::other(format!("no answer: {answer}"))),
        }
    }
}

/// How an engine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is killed, as the machine does when it has no memory left.
    Kill,
    /// It is asked to end, as a service manager does to start another version of it.
    Request,
}

impl Ending {
    fn signal(self) -> rustix::process::Signal {
        match self {
            Ending::Kill => rustix::process::Signal::KILL,
            Ending::Request => rustix::process::Signal::TERM,
        }
    }
}

/// What outlives an engine that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// The containers that run.
    Containers,
    /// Nothing: the next engine ends them.
    Nothing,
}

/// Moves this thread into a network namespace, unless it is there.
fn enter(namespace: &fs::File) -> io::Result<()> {
    let (theirs, ours) = (namespace.metadata()?, fs::metadata("/proc/self/ns/net")?);
    if (theirs.dev(), theirs.ino()) != (ours.dev(), ours.ino()) {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
    }
    Ok(())
}
