use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Mutex;

use super::advice::{is_turned_away, lacks_docker};
use super::line::{Line, TELL_ADDRESS, dial_stdio};
use super::master::{Master, SEATS, Seat};
use super::probe::probe;
use super::session::Session;
use crate::transport::Io;

/// Where an engine listens unless something else is said.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// How long to wait before each time that a server is asked again which has turned a connection away.
const PAUSES: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];

/// What is shared by the connections to one engine, and known of the way to it.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that lived when they were last seen.
    masters: Vec<Arc<Master>>,
    way: Option<Way>,
    overflow: Option<Overflow>,
}

/// How the engine is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By Docker's CLI on the far side.
    Command,
    /// By its socket, which is forwarded.
    Socket,
}

/// How it is reached when a master has no place for one more session.
#[derive(Clone)]
enum Overflow {
    /// By this socket, which is that of the CLI on the far side.
    Socket(String),
    /// By a session on another master.
    Master,
}

impl Shared {
    /// Opens one connection. Masters are started, and the way found out, by one call at a time.
    pub(super) async fn dial(&self, line: &Line, socket: Option<&str>) -> io::Result<Box<dyn Io>> {
        let mut state = self.state.lock().await;
        let master = state.master(line).await?;
        let Some(way) = state.way else {
            let (way, io) = match find_way(line, socket, &master).await {
                // It was going down when it was asked for a session.
                Err(_) if !master.lives() => {
                    let other = state.master(line).await?;
                    find_way(line, socket, &other).await?
                }
                outcome => outcome?,
            };
            state.way = Some(way);
            return Ok(io);
        };
        if way == Way::Socket {
            drop(state);
            return self.link(line, socket.unwrap_or(DEFAULT_SOCKET), &master).await;
        }
        if let Some(seat) = state.masters.iter().find_map(Master::seat) {
            drop(state);
            return Ok(Box::new(session(line, socket, seat)?));
        }
        match state.overflow(line, socket, &master).await {
            Overflow::Socket(path) => {
                drop(state);
                self.link(line, &path, &master).await
            }
            Overflow::Master => {
                let master = state.another(line).await?;
                let seat = master.seat().ok_or_else(|| io::Error::other("a new connection without a place"))?;
                Ok(Box::new(session(line, socket, seat)?))
            }
        }
    }

    /// Connects to the forwarded socket; on another master, where this one turns out to be gone.
    async fn link(&self, line: &Line, path: &str, master: &Arc<Master>) -> io::Result<Box<dyn Io>> {
        let link = match master.connect(line, path).await {
            Err(_) if !master.greets().await => {
                master.lose();
                let other = self.state.lock().await.master(line).await?;
                other.connect(line, path).await?
            }
            outcome => outcome?,
        };
        Ok(Box::new(link))
    }
}

impl State {
    /// The first master that lives; one is started where there is none.
    async fn master(&mut self, line: &Line) -> io::Result<Arc<Master>> {
        self.masters.retain(|master| master.lives());
        match self.masters.first() {
            Some(master) => Ok(master.clone()),
            None => self.another(line).await,
        }
    }

    /// One master more. It has no more places than the server was seen to grant.
    async fn another(&mut self, line: &Line) -> io::Result<Arc<Master>> {
        let granted = self.masters.iter().map(|master| master.granted()).min();
        let mut pauses = PAUSES.into_iter();
        let master = loop {
            match Master::start(line, granted.unwrap_or(SEATS)).await {
                Err(error) if is_turned_away(&error) => {
                    let Some(pause) = pauses.next() else { return Err(error) };
                    tracing::debug!(%error, "turned away before the login; trying once more");
                    tokio::time::sleep(pause).await;
                }
                outcome => break outcome?,
            }
        };
        self.masters.push(master.clone());
        Ok(master)
    }

    /// Finds out, once, how connections beyond the sessions of a master are made.
    async fn overflow(&mut self, line: &Line, socket: Option<&str>, master: &Arc<Master>) -> Overflow {
        if let Some(overflow) = &self.overflow {
            return overflow.clone();
        }
        let path = match socket {
            Some(path) => Some(path.to_owned()),
            None => ask_socket(line, master).await,
        };
        let overflow = match path {
            Some(path) if leads_to_engine(line, master, &path).await => Overflow::Socket(path),
            _ => Overflow::Master,
        };
        self.overflow.insert(overflow).clone()
    }
}

/// Finds out how the engine is reached, and gives the first connection to it.
async fn find_way(line: &Line, socket: Option<&str>, master: &Arc<Master>) -> io::Result<(Way, Box<dyn Io>)> {
    let open = || session(line, socket, master.seat().unwrap_or_else(|| master.spare_seat()));
    let mut first = open()?;
    let lacking = match probe(&mut first).await {
        Ok(true) => return Ok((Way::Command, Box::new(first))),
        Ok(false) => return Ok((Way::Command, Box::new(open()?))),
        Err(error) => {
            let (code, said, error) = match first.ended() {
                Some(ended) => (ended.code, ended.said.clone(), ended.error()),
                None => (Some(0), error.to_string(), error),
            };
            if !lacks_docker(code, &said) {
                return Err(error);
            }
            said
        }
    };
    tracing::debug!(said = lacking, "the far side can't lead to its engine; forwarding the socket");
    let path = socket.unwrap_or(DEFAULT_SOCKET);
    let outcome = async {
        let mut link = master.connect(line, path).await?;
        match probe(&mut link).await {
            Ok(true) => Ok(link),
            Ok(false) => master.connect(line, path).await,
            Err(error) => Err(io::Error::new(error.kind(), format!("{error}; {}", link.said()))),
        }
    };
    match outcome.await {
        Ok(link) => Ok((Way::Socket, Box::new(link))),
        Err(error) => {
            let message = format!(
                "the far side has no `docker` that leads to its engine ({lacking}), and its socket {path} can't be \
                 forwarded ({error})"
            );
            Err(io::Error::other(message))
        }
    }
}

/// Runs the command that leads to the engine.
fn session(line: &Line, socket: Option<&str>, seat: Seat) -> io::Result<Session<Seat>> {
    run(line, &dial_stdio(socket), seat)
}

fn run(line: &Line, remote: &str, seat: Seat) -> io::Result<Session<Seat>> {
    let mut command = Command::new(line.program());
    command.args(line.session(Some(&seat.control()), remote)?);
    Session::start(command, seat)
}

/// The socket by which Docker's CLI on the far side reaches its engine, if it is one.
async fn ask_socket(line: &Line, master: &Arc<Master>) -> Option<String> {
    let told = match ask(line, master).await {
        // Another connection has places.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let other = Master::start(line, SEATS).await.ok()?;
            ask(line, &other).await
        }
        outcome => outcome,
    };
    told.ok()?.trim().strip_prefix("unix://").map(str::to_owned)
}

async fn ask(line: &Line, master: &Arc<Master>) -> io::Result<String> {
    let session = run(line, TELL_ADDRESS, master.spare_seat())?;
    let mut told = String::new();
    session.take(4096).read_to_string(&mut told).await?;
    Ok(told)
}

/// Whether there is an engine behind a socket of the far side.
async fn leads_to_engine(line: &Line, master: &Arc<Master>, path: &str) -> bool {
    match master.connect(line, path).await {
        Ok(mut link) => probe(&mut link).await.is_ok(),
        Err(_) => false,
    }
}
