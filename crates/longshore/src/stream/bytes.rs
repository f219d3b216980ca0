use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::ending::Ending;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Body, Response};

/// The bytes of a download, piece by piece: a [`Stream`], and an [`AsyncRead`] too.
///
/// Memory stays flat however long it is: the engine waits while nobody reads. Dropping it closes its connection.
pub struct ByteStream {
    body: Body,
    /// What [`AsyncRead`] has taken from the body and not yet handed out.
    begun: Bytes,
    /// Where the engine may write its failure into the bytes.
    ending: Option<Ending>,
}

impl ByteStream {
    pub(crate) fn new(response: Response) -> Self {
        ByteStream { body: response.into_body(), begun: Bytes::new(), ending: None }
    }

    /// A download into which the engine writes why it failed, if it does after it has begun.
    pub(crate) fn with_ending(response: Response) -> Self {
        ByteStream { ending: Some(Ending::default()), ..ByteStream::new(response) }
    }

    /// Takes the next piece; `None` at the end and after an error.
    ///
    /// # Errors
    /// [`Truncated`](ErrorKind::Truncated) when the connection ends before the download does,
    /// [`InStream`](ErrorKind::InStream) when the engine fails on the way and tells so,
    /// [`Timeout`](ErrorKind::Timeout) at a deadline.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Writes everything into `writer` and tells how many bytes that were.
    ///
    /// # Errors
    /// As [`next`](ByteStream::next), and [`Io`](ErrorKind::Io) when the writer fails.
    ///
    /// # Cancel safety
    /// Not cancel safe: a piece that was being written is lost.
    pub async fn copy_to(&mut self, writer: &mut (impl AsyncWrite + Unpin)) -> Result<u64> {
        let mut total = 0;
        while let Some(piece) = self.next().await {
            let piece = piece?;
            writer.write_all(&piece).await.map_err(|error| self.unwritable(error))?;
            total += piece.len() as u64;
        }
        writer.flush().await.map_err(|error| self.unwritable(error))?;
        Ok(total)
    }

    /// The next piece of the body.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let piece = ready!(self.body.poll_next(context));
        match (&piece, &mut self.ending) {
            (Some(Ok(bytes)), Some(ending)) => ending.note(bytes),
            (Some(Err(_)), _) => self.ending = None,
            (None, _) => {
                if let Some(reason) = self.ending.take().and_then(|ending| ending.failure()) {
                    return Poll::Ready(Some(Err(self.body.operation().error(ErrorKind::InStream, reason))));
                }
            }
            (Some(Ok(_)), None) => {}
        }
        Poll::Ready(piece)
    }

    fn unwritable(&self, source: io::Error) -> Error {
        self.body.operation().error_from(ErrorKind::Io, format!("what came can't be written: {source}"), source)
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.begun.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.begun))));
        }
        self.poll_piece(context)
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.begun.is_empty() {
            match ready!(self.poll_piece(context)) {
                Some(piece) => self.begun = piece?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = self.begun.len().min(buffer.remaining());
        buffer.put_slice(&self.begun[..count]);
        self.begun.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ByteStream").finish_non_exhaustive()
    }
}
