//! Engines of other machines, by the system's `ssh`.
//!
//! One connection is shared by all that lead to the engine: a master, which this process owns. A connection to the
//! engine is a session on it that runs what the official CLI runs, `docker system dial-stdio`. Where the far side has
//! no CLI of Docker's, the master forwards the engine's socket instead: by a forwarding of its own (`-O forward`), since
//! `ssh -W` knows only ports and would be one more process for each connection. Which of the two serves is found out
//! once, by a ping.
//!
//! A server grants ten sessions on a connection unless it is told otherwise, and any number of forwarded sockets. So
//! where many connections are open at once, the others are forwarded to the same socket that the CLI there uses, and
//! only where that is not possible a second master is opened.

mod advice;
mod line;
#[cfg(unix)]
mod link;
#[cfg(unix)]
mod master;
mod probe;
mod process;
mod said;
mod session;
#[cfg(unix)]
mod shared;

use std::io;

use longshore_wire::endpoint::Endpoint;

use self::line::Line;
#[cfg(unix)]
use self::shared::Shared;
use super::{Dial, Dialing};
use crate::config;

/// An engine of another machine.
pub(crate) struct Ssh {
    description: String,
    line: Line,
    /// The engine's socket on that machine, if one is named.
    socket: Option<String>,
    #[cfg(unix)]
    shared: Shared,
}

impl Ssh {
    pub(crate) fn new(
        user: Option<String>,
        host: String,
        port: Option<u16>,
        socket: Option<String>,
        options: config::Ssh,
    ) -> Self {
        let endpoint = Endpoint::Ssh { user: user.clone(), host: host.clone(), port, path: socket.clone() };
        Ssh {
            description: endpoint.to_string(),
            line: Line { options, user, host, port },
            socket,
            #[cfg(unix)]
            shared: Shared::default(),
        }
    }
}

impl Dial for Ssh {
    #[cfg(unix)]
    fn dial(&self) -> Dialing<'_> {
        Box::pin(self.shared.dial(&self.line, self.socket.as_deref()))
    }

    /// `ssh` can't share a connection here: each has one of its own.
    #[cfg(not(unix))]
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async {
            let mut command = tokio::process::Command::new(self.line.program());
            command.args(self.line.session(None, &line::dial_stdio(self.socket.as_deref()))?);
            let mut session = session::Session::start(command, ())?;
            // Logging in takes long in any case, and what is wrong with it is told now.
            match probe::probe(&mut session).await? {
                true => Ok(Box::new(session) as Box<dyn super::Io>),
                false => Err(io::Error::other("the engine does not keep connections")),
            }
        })
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    fn advice(&self, error: &io::Error) -> Option<String> {
        advice::advice(error)
    }
}
