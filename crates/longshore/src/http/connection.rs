use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use longshore_wire::head::{self, HeadError, MAXIMUM_HEAD, ResponseHead};
use longshore_wire::request::{LAST_CHUNK, write_chunk};
use tokio::io::AsyncWrite;

use super::payload::Payload;
use super::reader::Reader;
use crate::transport::Io;

/// A connection that speaks HTTP.
pub(crate) type Connection = Reader<Box<dyn Io>>;

/// Why no head of an answer could be read.
#[derive(Debug)]
pub(crate) enum HeadFailure {
    /// The connection ended, after this many bytes of a head.
    Ended(usize),
    /// The connection failed.
    Broken(io::Error),
    /// What came is not a head.
    Bad(HeadError),
}

impl Connection {
    /// Reads the head of the final answer, past any informational ones; `passed` counts the bytes of these.
    pub(crate) fn poll_head(
        &mut self,
        passed: &mut usize,
        context: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, HeadFailure>> {
        loop {
            match head::parse(&self.buffer).map_err(HeadFailure::Bad)? {
                Some((head, length)) => {
                    self.buffer.advance(length);
                    if !matches!(head.status, 100 | 102..=199) {
                        return Poll::Ready(Ok(head));
                    }
                    *passed += length;
                    if *passed > MAXIMUM_HEAD {
                        return Poll::Ready(Err(HeadFailure::Bad(HeadError::TooLarge)));
                    }
                }
                None => match ready!(self.poll_fill(context)) {
                    Ok(0) => return Poll::Ready(Err(HeadFailure::Ended(self.buffer.len()))),
                    Ok(_) => {}
                    Err(error) => return Poll::Ready(Err(HeadFailure::Broken(error))),
                },
            }
        }
    }
}

/// A request on its way out: its head and, behind it, its payload.
pub(crate) struct Sending<'a> {
    /// What is ready to be written.
    ready: Bytes,
    payload: Option<&'a mut Payload>,
    chunked: bool,
    scratch: BytesMut,
    written: bool,
}

/// Why a request could not be sent.
#[derive(Debug)]
pub(crate) enum SendFailure {
    /// The connection failed.
    Broken(io::Error),
    /// The caller's own reader or stream failed.
    Payload(io::Error),
}

impl<'a> Sending<'a> {
    /// Sends `head`, then `payload`; a payload that is `None` is part of `head` already.
    pub(crate) fn new(head: Bytes, payload: Option<&'a mut Payload>) -> Self {
        let chunked = payload.as_ref().is_some_and(|payload| payload.length().is_none());
        Sending { ready: head, payload, chunked, scratch: BytesMut::new(), written: false }
    }

    /// Whether any byte has reached the connection.
    pub(crate) fn has_written(&self) -> bool {
        self.written
    }

    /// Writes on until everything is sent.
    pub(crate) fn poll(&mut self, io: &mut Box<dyn Io>, context: &mut Context<'_>) -> Poll<Result<(), SendFailure>> {
        loop {
            while !self.ready.is_empty() {
                match ready!(Pin::new(&mut *io).poll_write(context, &self.ready)) {
                    Ok(0) => return Poll::Ready(Err(SendFailure::Broken(io::ErrorKind::WriteZero.into()))),
                    Ok(count) => self.ready.advance(count),
                    Err(error) => return Poll::Ready(Err(SendFailure::Broken(error))),
                }
                self.written = true;
            }
            let Some(payload) = &mut self.payload else {
                return Pin::new(io).poll_flush(context).map_err(SendFailure::Broken);
            };
            match ready!(payload.poll_piece(context, &mut self.scratch)) {
                Some(Ok(piece)) if self.chunked => {
                    let mut framed = Vec::with_capacity(piece.len() + 16);
                    write_chunk(&piece, &mut framed);
                    self.ready = framed.into();
                }
                Some(Ok(piece)) => self.ready = piece,
                Some(Err(error)) => return Poll::Ready(Err(SendFailure::Payload(error))),
                None => {
                    self.payload = None;
                    self.ready = Bytes::from_static(if self.chunked { LAST_CHUNK } else { b"" });
                }
            }
        }
    }
}
