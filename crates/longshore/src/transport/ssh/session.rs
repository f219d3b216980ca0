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
    Running(Box<Running>),
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
                let state = State::Running(Box::new(Running { process, stdout, stderr, said, early, heard }));
                Ok(Session { state, stdin, lease })
            }
            _ => Err(io::Error::other("a process without its pipes")),
        }
    }

    /// How the session has ended, once a read has told that it did.
    #[cfg(unix)]
    pub(super) fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(Err(ended)) => Some(ended),
            _ => None,
        }
    }
}

/// Keeps the terminal away: its signals, since a program that handles Ctrl-C may want to speak with its engine then, and
/// the questions of an `ssh` to a host on the way, which knows nothing of the options of this one and would wait for ever.
pub(super) fn apart(command: &mut Command) {
    // Questions go to the user's `SSH_ASKPASS`, and without one are answered with no.
    command.env("SSH_ASKPASS_REQUIRE", "force");
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
        if let State::Running(running) = running {
            let Running { process, stderr, said, .. } = *running;
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

#[cfg(all(test, unix))]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn run(script: &str) -> Session<()> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Session::start(command, ()).expect("a shell")
    }

    async fn all(session: &mut Session<()>) -> (String, io::Result<usize>) {
        let mut text = String::new();
        let outcome = session.read_to_string(&mut text).await;
        (text, outcome)
    }

    #[tokio::test]
    async fn the_end_of_what_is_written_is_passed_on() {
        let mut session = run("sort; echo end");
        session.write_all(b"b\na\n").await.unwrap();
        session.shutdown().await.unwrap();
        let (text, outcome) = all(&mut session).await;
        assert_eq!((text.as_str(), outcome.unwrap()), ("a\nb\nend\n", 8));
        assert!(session.write_all(b"x").await.is_err());
    }

    #[tokio::test]
    async fn a_failure_is_no_end_and_tells_what_was_said() {
        let mut session = run("printf half; seq 100000 >&2; echo why >&2; exit 3");
        let mut bytes = Vec::new();
        let error = session.read_to_end(&mut bytes).await.unwrap_err();
        assert_eq!((bytes.as_slice(), error.kind()), (&b"half"[..], io::ErrorKind::UnexpectedEof));
        assert_eq!(error.to_string(), "ssh ended with 3: 99998; 99999; 100000; why");
        assert_eq!(session.ended().and_then(|ended| ended.code), Some(3));
        // It stays so.
        assert!(session.read(&mut [0]).await.is_err());
        let error = run("kill -9 $$").read(&mut [0]).await.unwrap_err();
        assert_eq!(error.to_string(), "ssh ended by a signal: it said nothing");
    }

    #[tokio::test]
    async fn what_never_began_is_told_from_what_was_cut() {
        let lost = "sh -c 'exec /dev/null/no-session'; exit 255";
        let full = format!("echo 'mux: {NOT_GRANTED}' >&2; {lost}");
        for (script, said) in [
            (lost, "the connection that sessions of ssh share is gone"),
            (&full, "ssh ended with 255: mux: Session open refused by peer (the far side allows no more sessions"),
        ] {
            // Reading and writing tell the same.
            let error = run(script).read(&mut [0]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{error}");
            assert!(error.to_string().starts_with(said), "{error}");
            let mut session = run(script);
            let error = loop {
                if let Err(error) = session.write_all(b"x").await {
                    break error;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{error}");
            assert!(error.to_string().starts_with(said), "{error}");
        }
    }

    #[tokio::test]
    async fn an_answer_counts_before_a_broken_pipe() {
        let mut session = run("exec <&-; echo answer; exec >&-; sleep 0.1");
        let error = loop {
            if let Err(error) = session.write_all(b"x").await {
                break error;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        let (text, outcome) = all(&mut session).await;
        assert_eq!((text.as_str(), outcome.unwrap()), ("answer\n", 7));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_dropped_session_leaves_no_process() {
        let mut session = run("echo $$; exec sleep 1000");
        let mut bytes = [0; 64];
        let count = session.read(&mut bytes).await.unwrap();
        let process = String::from_utf8_lossy(&bytes[..count]).trim().to_owned();
        let exists = || std::path::Path::new("/proc").join(&process).exists();
        assert!(exists());
        drop(session);
        let begun = std::time::Instant::now();
        while exists() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{process} is left");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
