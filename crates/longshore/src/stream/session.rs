use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use longshore_wire::head::ResponseHead;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::output::{Chunk, OutputFraming, OutputStream};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::http::{Outgoing, Upgraded};

/// A connection to a running process: what it reads and what it writes.
///
/// Dropping it closes the connection; what runs in the container goes on.
#[derive(Debug)]
pub struct Session {
    output: OutputStream,
    stdin: Stdin,
}

impl Session {
    pub(crate) fn new(upgraded: Upgraded, framing: OutputFraming, operation: Operation) -> Self {
        let Upgraded { incoming, outgoing } = upgraded;
        let stdin = Stdin { outgoing, operation: operation.clone() };
        Session { output: OutputStream::from_upgraded(incoming, framing, operation), stdin }
    }

    /// Takes the next piece of output; `None` at the end and after an error.
    ///
    /// # Errors
    /// As [`OutputStream::next`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Chunk>> {
        self.output.next().await
    }

    /// Sends `bytes` to the standard input of the process.
    ///
    /// A process that writes much and reads little may stop reading until its output is read: use
    /// [`split`](Session::split) to do both at once.
    ///
    /// # Errors
    /// [`Closed`](ErrorKind::Closed) when the engine no longer takes input, for instance since the process has ended;
    /// [`Timeout`](ErrorKind::Timeout) when the deadline of the whole call passes first;
    /// [`Unsupported`](ErrorKind::Unsupported) when an HTTP proxy before the engine lets only the output through.
    ///
    /// # Cancel safety
    /// Not cancel safe: a part may have been sent.
    pub async fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.stdin.send(bytes).await
    }

    /// Ends the standard input of the process; its output goes on.
    ///
    /// # Errors
    /// As [`write_all`](Session::write_all).
    ///
    /// # Cancel safety
    /// May be called again after the future was dropped.
    pub async fn close_stdin(&mut self) -> Result<()> {
        self.stdin.close().await
    }

    /// Takes input and output apart, to be used by different tasks. The connection is closed once both are dropped.
    pub fn split(self) -> (Stdin, OutputStream) {
        (self.stdin, self.output)
    }

    /// Keeps only the output. The input stays as it is: end it before with [`close_stdin`](Session::close_stdin) if the
    /// process waits for that.
    pub fn into_output(self) -> OutputStream {
        self.output
    }
}

impl Stream for Session {
    type Item = Result<Chunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.output).poll_next(context)
    }
}

/// The standard input of a process: an [`AsyncWrite`] whose shutdown ends the input and leaves the output open. Its
/// writes fail with [`TimedOut`](io::ErrorKind::TimedOut) when the deadline of the whole call passes.
pub struct Stdin {
    outgoing: Outgoing,
    operation: Operation,
}

impl Stdin {
    /// Sends `bytes`.
    ///
    /// # Errors
    /// [`Closed`](ErrorKind::Closed) when the engine no longer takes input, [`Timeout`](ErrorKind::Timeout) when the
    /// deadline of the whole call passes first; [`Unsupported`](ErrorKind::Unsupported) when an HTTP proxy before the
    /// engine lets only the output through.
    ///
    /// # Cancel safety
    /// Not cancel safe: a part may have been sent.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let written = async {
            self.write_all(bytes).await?;
            self.flush().await
        };
        written.await.map_err(|error| self.closed(error))
    }

    /// Ends the input.
    ///
    /// # Errors
    /// As [`send`](Stdin::send).
    ///
    /// # Cancel safety
    /// May be called again after the future was dropped.
    pub async fn close(&mut self) -> Result<()> {
        match self.shutdown().await {
            // The other side was faster: the input is closed either way.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            outcome => outcome.map_err(|error| self.closed(error)),
        }
    }

    fn closed(&self, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::TimedOut => return self.operation.late(),
            io::ErrorKind::Unsupported => {
                return self.operation.error_from(ErrorKind::Unsupported, source.to_string(), source);
            }
            _ => {}
        }
        let message = format!("the engine no longer takes input: {source}");
        self.operation.error_from(ErrorKind::Closed, message, source)
    }
}

impl AsyncWrite for Stdin {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.outgoing).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outgoing).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outgoing).poll_shutdown(context)
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stdin").finish_non_exhaustive()
    }
}

impl OutputFraming {
    /// What the head of an answer says of the output behind it, which can be relied upon since API 1.42.
    pub(crate) fn told_by(head: &ResponseHead) -> Option<Self> {
        match head.content_type()? {
            "application/vnd.docker.multiplexed-stream" => Some(OutputFraming::Multiplexed),
            "application/vnd.docker.raw-stream" => Some(OutputFraming::Terminal),
            _ => None,
        }
    }
}
