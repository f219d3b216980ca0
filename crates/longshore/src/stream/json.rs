use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use longshore_models::decode::Decode;
use longshore_wire::json::Splitter;

use crate::error::{Operation, Result};
use crate::http::{Body, Response};

/// Values that the engine sends as JSON, one after another.
///
/// Dropping it closes its connection.
pub struct JsonStream<T> {
    body: Body,
    splitter: Splitter,
    piece: Bytes,
    ended: bool,
    decode: fn(&Operation, &[u8]) -> Result<T>,
}

impl<T: Decode + Default> JsonStream<T> {
    pub(crate) fn new(response: Response) -> Self {
        JsonStream::with(response, Operation::decode)
    }
}

impl<T> JsonStream<T> {
    /// Has the values read by `decode`.
    pub(crate) fn with(response: Response, decode: fn(&Operation, &[u8]) -> Result<T>) -> Self {
        JsonStream {
            body: response.into_body(),
            splitter: Splitter::default(),
            piece: Bytes::new(),
            ended: false,
            decode,
        }
    }

    pub(crate) fn operation(&self) -> &Operation {
        self.body.operation()
    }

    /// Takes the next value; `None` at the end and after an error.
    ///
    /// # Errors
    /// [`Truncated`](crate::ErrorKind::Truncated) when the connection ends inside a value or before the stream does,
    /// [`Decode`](crate::ErrorKind::Decode) when a value is not what was expected,
    /// [`Protocol`](crate::ErrorKind::Protocol) when one is larger than 16 MiB or nested deeper than 127,
    /// [`Timeout`](crate::ErrorKind::Timeout) at a deadline.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Takes the next value as `decode` reads it; not to be called again after `None` or an error.
    pub(crate) fn poll_decoded<V>(
        &mut self,
        decode: impl Fn(&Operation, &[u8]) -> Result<V>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<V>>> {
        loop {
            if let Some(value) = self.take_line(&decode) {
                return Poll::Ready(Some(Ok(value)));
            }
            match self.splitter.next(&mut self.piece) {
                Ok(Some(value)) => return Poll::Ready(Some(decode(self.operation(), &value))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(self.operation().bad_stream(error)))),
            }
            match ready!(self.body.poll_next(context)) {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.ended = true;
                    let rest = self.splitter.end_of_input();
                    return Poll::Ready(match rest.map_err(|error| self.operation().bad_stream(error)) {
                        Ok(rest) => rest.map(|value| decode(self.operation(), &value)),
                        Err(error) => Some(Err(error)),
                    });
                }
            }
        }
    }

    /// Takes the next value if it has a line of its own, as engines write them: then nothing has to look for its end.
    fn take_line<V>(&mut self, decode: impl Fn(&Operation, &[u8]) -> Result<V>) -> Option<V> {
        let line = self.splitter.line(&self.piece)?;
        let value = decode(self.operation(), self.piece.get(line.clone())?).ok()?;
        self.piece.advance(line.end);
        Some(value)
    }
}

impl<T> Stream for JsonStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let decode = self.decode;
        let item = ready!(self.poll_decoded(decode, context));
        self.ended |= !matches!(item, Some(Ok(_)));
        if self.ended {
            self.piece = Bytes::new();
        }
        Poll::Ready(item)
    }
}

impl<T> fmt::Debug for JsonStream<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JsonStream").field("ended", &self.ended).finish_non_exhaustive()
    }
}
