use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use longshore_models::Raw;
use longshore_models::decode::Decode;
use longshore_wire::body::{BodyDecoder, BodyError, Framing, Step};
use longshore_wire::head::ResponseHead;
use tokio::time::Instant;

use super::connection::Connection;
use super::deadlines::Deadlines;
use super::exchange::Answer;
use super::list::ListDecoder;
use super::pool::Pool;
use super::reader::{Upgraded, Window};
use super::refusal::refusal;
use super::request::Request;
use super::timer::Timer;
use crate::error::{Error, ErrorKind, Operation, Result};

/// The most that is read of an answer that refuses a request, or has nothing to say, in bytes.
const LARGEST_REFUSAL: usize = 1024 * 1024;

/// The largest answer that is read whole, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// How much memory is taken because an answer says that it will have so many bytes; what it has takes more.
const FORESEEN: usize = 1024 * 1024;

/// The answer of the engine: its head, and its body yet to be read.
pub(crate) struct Response {
    head: ResponseHead,
    body: Body,
    upgrade: bool,
}

impl Response {
    pub(crate) fn new(
        connection: Connection,
        answer: Answer,
        request: &Request,
        deadlines: &Deadlines,
        end: Option<Instant>,
        pool: &Arc<Pool>,
    ) -> Result<Self, BodyError> {
        let Answer { head, sent } = answer;
        let framing = Framing::of(request.method, &head)?;
        let keep = sent && head.keeps_alive() && framing != Framing::UntilClose && head.status != 101;
        let mut body = Body {
            connection: Some(connection),
            window: Window::default(),
            decoder: BodyDecoder::new(framing),
            pool: keep.then(|| pool.clone()),
            operation: request.operation.clone(),
            timer: Timer::new(deadlines.idle, end),
            whole: deadlines.idle.or(deadlines.head),
        };
        // What has a framing is an answer about the session, not the session.
        let upgrade = request.upgrade.is_some() && (head.status == 101 || framing == Framing::UntilClose);
        if request.upgrade.is_none() && body.decoder.is_done() {
            body.release();
        }
        Ok(Response { head, body, upgrade })
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// Whether the request is refused.
    pub(crate) fn is_refusal(&self) -> bool {
        let status = self.head.status;
        !(matches!(status, 200..=299 | 304) || (status == 101 && self.upgrade))
    }

    /// Makes an error of a refusal, with the engine's own words. Whatever can be read of it is better than an error about
    /// reading it.
    pub(crate) async fn refusal(&mut self) -> Error {
        let text = self.body.read_up_to(LARGEST_REFUSAL).await;
        let Response { head, body, .. } = self;
        refusal(&body.operation, head.status, head.content_type(), head.reason(), &text)
    }

    /// Reads a JSON body.
    pub(crate) async fn json<T: Decode + Default>(self) -> Result<T> {
        let (operation, bytes) = self.bytes().await?;
        operation.decode(&bytes)
    }

    /// Reads a JSON body that is a list, element by element as it comes: its text is never in memory as a whole, and is
    /// decoded while the engine still writes.
    pub(crate) async fn list<T: Decode + Default>(mut self) -> Result<Vec<T>> {
        self.body.timer.idle = self.body.whole;
        let mut items = Vec::new();
        let mut list = ListDecoder::new(self.body.operation.clone());
        let mut length = 0;
        while let Some(piece) = self.body.next().await {
            let piece = piece?;
            length += piece.len();
            if length > LARGEST_ANSWER {
                return Err(self.body.too_large(LARGEST_ANSWER));
            }
            list.push(&piece, &mut items)?;
        }
        list.finish(&mut items)?;
        Ok(items)
    }

    /// Reads a JSON body, and keeps its text.
    pub(crate) async fn raw<T: Decode + Default>(self) -> Result<Raw<T>> {
        let (operation, bytes) = self.bytes().await?;
        Raw::decode(&bytes).map_err(|source| operation.bad_json(source, &bytes))
    }

    /// Reads the body whole.
    pub(crate) async fn bytes(mut self) -> Result<(Operation, Bytes)> {
        let bytes = self.body.read_whole(LARGEST_ANSWER).await?;
        Ok((self.body.operation, bytes))
    }

    /// Reads a body that says nothing, so that its connection can be used again.
    pub(crate) async fn finish(mut self) -> Result<()> {
        self.body.timer.idle = self.body.whole;
        let mut length = 0;
        while let Some(piece) = self.body.next().await {
            length += piece?.len();
            if length > LARGEST_REFUSAL {
                return Err(self.body.too_large(LARGEST_REFUSAL));
            }
        }
        Ok(())
    }

    pub(crate) fn into_body(self) -> Body {
        self.body
    }

    /// Takes the connection over.
    pub(crate) fn into_upgraded(mut self) -> Result<(Operation, ResponseHead, Upgraded)> {
        match self.body.connection.take() {
            Some(connection) if self.upgrade && matches!(self.head.status, 101 | 200) => {
                let both_ways = self.head.status == 101;
                Ok((self.body.operation, self.head, Upgraded::new(connection, self.body.timer, both_ways)))
            }
            _ => {
                let message =
                    format!("the engine answered {} instead of handing the connection over", self.head.status);
                Err(self.body.operation.error(ErrorKind::Protocol, message))
            }
        }
    }
}

/// The body of an answer, read as it comes.
///
/// A body that was read to its end gives its connection back; anything else closes it.
pub(crate) struct Body {
    connection: Option<Connection>,
    /// What has been read and not yet decoded, if it is not the connection that still has it.
    pub(crate) window: Window,
    decoder: BodyDecoder,
    pool: Option<Arc<Pool>>,
    operation: Operation,
    timer: Timer,
    /// How long a silence may last while the body is read whole, as opposed to streamed.
    whole: Option<Duration>,
}

impl Body {
    pub(crate) fn operation(&self) -> &Operation {
        &self.operation
    }

    pub(crate) async fn next(&mut self) -> Option<Result<Bytes>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next piece of the body; `None` after its end and after an error.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        match ready!(self.poll_data(context)) {
            Ok(true) => {
                let piece = self.window.take(self.window.data().len());
                if self.decoder.is_done() {
                    self.release();
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Ok(false) => Poll::Ready(None),
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    /// Brings data of the body into the window, once all before it has been taken; answers whether there was any before
    /// the end.
    pub(crate) fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Result<bool>> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(Ok(false)) };
        if self.timer.has_ended() {
            return Poll::Ready(Err(self.fail(|operation| operation.late())));
        }
        loop {
            let mut rest = self.window.unknown();
            let step = self.decoder.decode(&mut rest);
            let framing = self.window.unknown().len() - rest.len();
            match step {
                Ok(Step::Data(length)) => {
                    self.window.set_known(framing, length);
                    self.timer.rest();
                    return Poll::Ready(Ok(true));
                }
                Ok(Step::End) => {
                    self.window.set_known(framing, 0);
                    self.release();
                    return Poll::Ready(Ok(false));
                }
                Ok(Step::More) => self.window.set_known(framing, 0),
                Err(error) => return Poll::Ready(Err(self.fail(|operation| operation.bad_body(error)))),
            }
            match connection.poll_window(&mut self.window, context) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => {
                    let ended = self.decoder.end_of_input();
                    self.release();
                    return Poll::Ready(match ended {
                        Ok(()) => Ok(false),
                        Err(error) => Err(self.operation.bad_body(error)),
                    });
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.fail(|operation| operation.broken(error)))),
                Poll::Pending => {
                    ready!(self.timer.poll(context));
                    let error = self.timer.error(&self.operation);
                    return Poll::Ready(Err(self.fail(|_| error)));
                }
            }
        }
    }

    /// Closes the connection and tells why.
    #[cold]
    fn fail(&mut self, error: impl FnOnce(&Operation) -> Error) -> Error {
        self.connection = None;
        error(&self.operation)
    }

    /// Gives the connection back if the whole body has been taken from it, else closes it.
    fn release(&mut self) {
        if let (Some(connection), Some(pool)) = (self.connection.take(), self.pool.take())
            && self.decoder.is_done()
            && connection.buffer.is_empty()
            && self.window.is_empty()
        {
            pool.put(connection);
        }
    }

    async fn read_whole(&mut self, limit: usize) -> Result<Bytes> {
        self.timer.idle = self.whole;
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await.transpose()? else { return Ok(first) };
        let expected = self.decoder.remaining().unwrap_or_default();
        if expected > limit as u64 {
            return Err(self.too_large(limit));
        }
        let foreseen = usize::try_from(expected).unwrap_or(FORESEEN).min(FORESEEN);
        let mut whole = BytesMut::with_capacity(first.len() + second.len() + foreseen);
        whole.extend_from_slice(&first);
        let mut piece = Some(second);
        while let Some(bytes) = piece {
            if whole.len() + bytes.len() > limit {
                return Err(self.too_large(limit));
            }
            whole.extend_from_slice(&bytes);
            drop(bytes);
            piece = self.next().await.transpose()?;
        }
        Ok(whole.freeze())
    }

    fn too_large(&self, limit: usize) -> Error {
        self.operation.error(ErrorKind::Protocol, format!("the engine's answer is larger than {limit} bytes"))
    }

    /// Reads until the end, a failure or the limit, whichever comes first.
    async fn read_up_to(&mut self, limit: usize) -> Vec<u8> {
        self.timer.idle = self.whole;
        let mut text = Vec::new();
        while let Some(Ok(piece)) = self.next().await {
            text.extend_from_slice(&piece[..piece.len().min(limit - text.len())]);
            if text.len() == limit {
                break;
            }
        }
        text
    }
}
