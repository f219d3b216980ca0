use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use longshore_wire::demux::{Demux, DemuxError, Source};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::error::{Error, ErrorKind, Operation, Result};
use crate::http::{Body, Incoming, Window};

/// A piece of a container's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it comes from.
    pub source: Source,
    /// What was written; never empty. It is a slice of the connection's buffer, which stays in memory as long as the
    /// slice does: copy what is to be kept for long.
    pub bytes: Bytes,
}

/// The output of a container or a process in one, stdout and stderr apart, as it comes.
///
/// Where there is a terminal, everything comes from [`Source::Terminal`]. Which of both it is has been told by the
/// engine, never guessed from the bytes. Memory stays flat: the engine waits while nobody reads. Dropping the stream
/// closes its connection; what runs in the container goes on.
///
/// Logs have an end of their own on the wire, so a connection that is lost before it is an error. The output of a session
/// ([`attach`](crate::Container::attach), [`exec`](crate::Container::exec)) ends with its connection: where something on
/// the way closes that in good order between two writes, the protocol has nothing that tells it from the end. A
/// connection that breaks is an error there too.
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let mut lines = docker.container("web").logs().follow().await?.lines();
/// while let Some(line) = lines.next().await {
///     let line = line?;
///     println!("{}: {line}", line.source);
/// }
/// # Ok(())
/// # }
/// ```
pub struct OutputStream {
    feed: Feed,
    framing: Framing,
    operation: Operation,
    ended: bool,
}

enum Feed {
    Body(Body),
    Upgraded(Incoming),
}

enum Framing {
    Multiplexed(Demux),
    Terminal,
}

/// How output stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputFraming {
    /// In frames that name their source.
    Multiplexed,
    /// As the terminal shows it.
    Terminal,
}

impl From<OutputFraming> for Framing {
    fn from(framing: OutputFraming) -> Self {
        match framing {
            OutputFraming::Multiplexed => Framing::Multiplexed(Demux::default()),
            OutputFraming::Terminal => Framing::Terminal,
        }
    }
}

impl OutputStream {
    pub(crate) fn from_body(body: Body, framing: OutputFraming) -> Self {
        let operation = body.operation().clone();
        OutputStream::new(Feed::Body(body), framing, operation)
    }

    pub(crate) fn from_upgraded(incoming: Incoming, framing: OutputFraming, operation: Operation) -> Self {
        OutputStream::new(Feed::Upgraded(incoming), framing, operation)
    }

    fn new(feed: Feed, framing: OutputFraming, operation: Operation) -> Self {
        OutputStream { feed, framing: framing.into(), operation, ended: false }
    }

    /// Takes the next piece of output; `None` at the end and after an error.
    ///
    /// # Errors
    /// [`Truncated`](ErrorKind::Truncated) when the connection ends inside the output, [`InStream`](ErrorKind::InStream)
    /// when the engine reports that it can't go on, [`Protocol`](ErrorKind::Protocol) when the framing is broken,
    /// [`Timeout`](ErrorKind::Timeout) at a deadline.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Chunk>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Writes what comes to `stdout` and `stderr`, to the end; a terminal's output goes to `stdout`.
    ///
    /// # Errors
    /// As [`next`](OutputStream::next), and [`Io`](ErrorKind::Io) when a writer fails.
    ///
    /// # Cancel safety
    /// Not cancel safe: a piece that was being written is lost.
    pub async fn copy_to(
        &mut self,
        stdout: &mut (impl AsyncWrite + Unpin),
        stderr: &mut (impl AsyncWrite + Unpin),
    ) -> Result<()> {
        while let Some(chunk) = self.next().await {
            let Chunk { source, bytes } = chunk?;
            let written = match source {
                Source::Stderr => stderr.write_all(&bytes).await,
                _ => stdout.write_all(&bytes).await,
            };
            written.map_err(|error| self.unwritable(error))?;
        }
        stdout.flush().await.map_err(|error| self.unwritable(error))?;
        stderr.flush().await.map_err(|error| self.unwritable(error))
    }

    fn unwritable(&self, source: io::Error) -> Error {
        self.operation.error_from(ErrorKind::Io, format!("output can't be written: {source}"), source)
    }

    pub(super) fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Whether what has been taken ends with a frame, which is one write of the engine's; `None` where there are no frames.
    pub(crate) fn is_between_frames(&self) -> Option<bool> {
        match &self.framing {
            Framing::Multiplexed(demux) => Some(demux.end_of_input().is_ok()),
            Framing::Terminal => None,
        }
    }

    /// Finds the next piece of output in what has come, past headers: where it is from, and how long it is.
    fn find_in_window(&mut self) -> Result<Option<(Source, usize)>, DemuxError> {
        let window = self.feed.window();
        let mut data = window.data();
        let found = match &mut self.framing {
            Framing::Multiplexed(demux) => demux.next(&mut data)?,
            Framing::Terminal => Some((Source::Terminal, data.len())),
        };
        let headers = window.data().len() - data.len();
        window.skip(headers);
        Ok(found)
    }

    /// Notes the end of the output, which is an error inside a frame.
    fn finish(&mut self) -> Option<Result<Chunk>> {
        self.ended = true;
        match &self.framing {
            Framing::Multiplexed(demux) => {
                demux.end_of_input().err().map(|error| Err(self.operation.bad_output(error)))
            }
            Framing::Terminal => None,
        }
    }
}

impl Feed {
    fn window(&mut self) -> &mut Window {
        match self {
            Feed::Body(body) => &mut body.window,
            Feed::Upgraded(incoming) => &mut incoming.window,
        }
    }

    /// Brings data into the window; answers whether there was any before the end.
    fn poll_data(&mut self, operation: &Operation, context: &mut Context<'_>) -> Poll<Result<bool>> {
        match self {
            Feed::Body(body) => body.poll_data(context),
            Feed::Upgraded(incoming) => incoming.poll_data(operation, context),
        }
    }
}

impl Stream for OutputStream {
    type Item = Result<Chunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        loop {
            if !this.feed.window().data().is_empty() {
                match this.find_in_window() {
                    Ok(Some((source, length))) => {
                        let bytes = this.feed.window().take(length);
                        return Poll::Ready(Some(Ok(Chunk { source, bytes })));
                    }
                    Ok(None) => {}
                    Err(error) => {
                        this.ended = true;
                        return Poll::Ready(Some(Err(this.operation.bad_output(error))));
                    }
                }
            }
            match ready!(this.feed.poll_data(&this.operation, context)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(this.finish()),
                Err(error) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl fmt::Debug for OutputStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OutputStream").field("ended", &self.ended).finish_non_exhaustive()
    }
}
