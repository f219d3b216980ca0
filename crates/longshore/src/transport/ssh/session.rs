use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

use super::advice::advised;
use super::line::NO_SESSION;
use super::process::Process;
use super::said::Said;

/// How long `ssh` may take to end after it has closed its output.
const END_WITHIN: Duration = Duration::from_secs(2);

/// What the server says when it grants no more sessions on a connection.
const NOT_GRANTED: &str = "Session open refused by peer";

/// A command on the far side as a connection: what is written goes to its stdin, what is read is its stdout.
pub(super) struct Session<L> {
    state: State,
    stdin: Option<ChildStdin>,
    lease: L,
}

struct Running {
    process: Process,
    stdout: ChildStdout,
    stderr: ChildStderr,
    said: Said,
    /// What came before anybody read, if any.
    early: Vec<u8>,
    /// Whether anything ever came.
    heard: bool,
}

/// What a session holds as long as it lives.
pub(super) trait Lease: Send + Sync + Unpin + 'static {
    /// Is told that there was no session: the server did not grant one more, or the shared connection is gone.
    fn refused(&mut self, by: RefusedBy) {
        let _ = by;
    }
}

impl Lease for () {}

/// Why there was no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedBy {
    Server,
    Master,
}

enum State {
    Running(Running),
    Ending(Pin<Box<dyn Future<Output = Result<(), Ended>> + Send + Sync>>),
    Ended(Result<(), Ended>),
}

/// A session that did not end well.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// The code that `ssh` ended with: that of the command, or 255 where `ssh` itself has failed.
    pub(super) code: Option<i32>,
    /// What it and the command said.
    pub(super) said: String,
    /// Set where the command was never run, and nothing that was written has left this machine.
    refused: Option<RefusedBy>,
}

impl Ended {
    fn new(status: ExitStatus, said: &Said) -> Self {
        let refused = match said.contains(NO_SESSION) {
            true if said.contains(NOT_GRANTED) => Some(RefusedBy::Server),
            true => Some(RefusedBy::Master),
            false => None,
        };
        Ended { code: status.code(), said: said.text_without(NO_SESSION), refused }
    }

    /// As an error of a connection that came to its end in the middle; one of a kind of its own where it never began.
    pub(super) fn error(&self) -> io::Error {
        if self.refused == Some(RefusedBy::Master) {
            let message = format!("the connection that sessions of ssh share is gone: {}", self.said);
            return io::Error::new(io::ErrorKind::ConnectionRefused, message.trim_end_matches(": "));
        }
        let kind = self.refused.map_or(io::ErrorKind::UnexpectedEof, |_| io::ErrorKind::ConnectionRefused);
        let code = self.code.map_or_else(|| "by a signal".to_owned(), |code| format!("with {code}"));
        let said = if self.said.is_empty() { "it said nothing" } else { &self.said };
        io::Error::new(kind, format!("ssh ended {code}: {said}"))
    }
}

impl<L: Lease> Session<L> {
    /// Runs an `ssh`, and holds `lease` until the session has ended.
    pub(super) fn start(mut command: Command, lease: L) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        apart(&mut command);
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Process::new(child);
        match (stdout, stderr) {
            (Some(stdout), Some(stderr)) => {
                let (said, early, heard) = (Said::default(), Vec::new(), false);
                let state = State::Running(Running { process, stdout, stderr, said, early, heard });
                Ok(Session { state, stdin, lease })
            }
            _ => Err(io::Error::other("a process without its pipes")),
        }
    }

    /// How the session has ended, once a read has told that it did.
    pub(super) fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(Err(ended)) => Some(ended),
            _ => None,
        }
    }
}

/// Keeps the signals of the terminal away: a program that handles Ctrl-C may want to speak with its engine then.
pub(super) fn apart(command: &mut Command) {
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(not(unix))]
    let _ = command;
}

/// Waits for the end of a process whose output has ended, and tells if it was none of the good ones.
async fn end(mut process: Process, mut stderr: ChildStderr, mut said: Said) -> Result<(), Ended> {
    let ending = async {
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = stderr.read(&mut bytes).await {
            said.add(&bytes[..count]);
        }
        process.wait().await
    };
    match tokio::time::timeout(END_WITHIN, ending).await {
        Ok(Ok(status)) if !status.success() => Err(Ended::new(status, &said)),
        // What reads the answer knows whether it is whole.
        _ => Ok(()),
    }
}

impl<L: Lease> Session<L> {
    /// Waits until the end is known, once it has begun.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        loop {
            match &mut self.state {
                State::Running(_) => self.begin_end(),
                State::Ending(ending) => {
                    let ended = ready!(ending.as_mut().poll(context));
                    if let Err(Ended { refused: Some(by), .. }) = ended {
                        self.lease.refused(by);
                    }
                    self.state = State::Ended(ended);
                }
                State::Ended(ended) => return Poll::Ready(ended.clone()),
            }
        }
    }

    /// Nothing is written any more: a request that met a session at its end is to be sent on another.
    fn begin_end(&mut self) {
        self.stdin = None;
        let running = std::mem::replace(&mut self.state, State::Ended(Ok(())));
        if let State::Running(Running { process, stderr, said, .. }) = running {
            self.state = State::Ending(Box::pin(end(process, stderr, said)));
        }
    }

    /// Why nothing can be written: told by the end of a session that was never heard of, if that is what it is.
    fn poll_broken(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let broken = Poll::Ready(io::ErrorKind::BrokenPipe.into());
        if let State::Running(running) = &mut self.state {
            if running.heard {
                return broken;
            }
            let mut bytes = [0; 1024];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut running.stdout).poll_read(context, &mut buffer));
            if read.is_ok() && !buffer.filled().is_empty() {
                running.early.extend_from_slice(buffer.filled());
                running.heard = true;
                return broken;
            }
        }
        match ready!(self.poll_end(context)) {
            Ok(()) => broken,
            Err(ended) => Poll::Ready(advised(ended.error())),
        }
    }
}

impl<L: Lease> AsyncRead for Session<L> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let State::Running(running) = &mut self.state {
            if !running.early.is_empty() {
                let count = running.early.len().min(buffer.remaining());
                buffer.put_slice(&running.early[..count]);
                running.early.drain(..count);
                return Poll::Ready(Ok(()));
            }
            let before = buffer.filled().len();
            match Pin::new(&mut running.stdout).poll_read(context, buffer) {
                Poll::Ready(Ok(())) if buffer.filled().len() > before || buffer.remaining() == 0 => {
                    running.heard = true;
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(_) => {}
                Poll::Pending => {
                    running.said.poll(&mut running.stderr, context);
                    return Poll::Pending;
                }
            }
        }
        self.poll_end(context).map_err(|ended| advised(ended.error()))
    }
}

impl<L: Lease> AsyncWrite for Session<L> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(stdin) = &mut self.stdin {
            match ready!(Pin::new(stdin).poll_write(context, bytes)) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.stdin = None,
                outcome => return Poll::Ready(outcome),
            }
        }
        self.poll_broken(context).map(Err)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin.as_mut().map_or(Poll::Ready(Ok(())), |stdin| Pin::new(stdin).poll_flush(context))
    }

    /// Closes the stdin of the command, which passes the end on and goes on reading.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}
