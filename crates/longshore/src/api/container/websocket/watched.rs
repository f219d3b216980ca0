//! How the answer to the opening of a WebSocket ends too early.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::transport::Io;

/// The longest head, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// A connection that gives the head of the answer in one piece, however it comes, and tells where in it it ended. What
/// opens the WebSocket does neither: it takes a head of many small pieces for an attack.
pub(super) struct Watched {
    io: Box<dyn Io>,
    place: Place,
    /// What came of the head, and right behind it.
    begun: BytesMut,
}

impl Watched {
    pub(super) fn new(io: Box<dyn Io>) -> Self {
        Watched { io, place: Place::Head { length: 0, ending: 0 }, begun: BytesMut::new() }
    }

    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while matches!(self.place, Place::Head { .. }) {
            let mut piece = [0; 1024];
            let mut buffer = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(self.place.end());
            }
            self.place.pass(buffer.filled());
            self.begun.extend_from_slice(buffer.filled());
            if self.begun.len() > LONGEST_HEAD {
                let message = format!("the head of the answer is longer than {LONGEST_HEAD} bytes");
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_head(context))?;
        if self.begun.is_empty() {
            return Pin::new(&mut self.io).poll_read(context, buffer);
        }
        let count = self.begun.len().min(buffer.remaining());
        buffer.put_slice(&self.begun.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// Where in what comes.
#[derive(Debug)]
enum Place {
    /// In the head of the answer: how many bytes it had so far, and how many of these may be its end.
    Head { length: usize, ending: usize },
    /// Behind it.
    Messages,
}

/// How a head ends.
const ENDING: &[u8; 4] = b"\r\n\r\n";

impl Place {
    fn pass(&mut self, bytes: &[u8]) {
        let Place::Head { length, ending } = self else { return };
        for byte in bytes {
            let goes_on = ENDING.get(*ending) == Some(byte);
            *ending = if goes_on { *ending + 1 } else { usize::from(*byte == b'\r') };
            if *ending == ENDING.len() {
                *self = Place::Messages;
                return;
            }
        }
        *length += bytes.len();
    }

    /// Whether it may end here.
    fn end(&self) -> io::Result<()> {
        match self {
            Place::Head { length: 0, .. } => {
                let message = "the engine closed the connection without an answer";
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, message))
            }
            Place::Head { .. } => {
                let message = "the connection ended inside the head of the answer";
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, message))
            }
            Place::Messages => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which of its bytes this may end, given in pieces of any size.
    fn ends(bytes: &[u8]) -> Vec<usize> {
        let may_end = |end: usize, piece: usize| {
            let mut place = Place::Head { length: 0, ending: 0 };
            bytes[..end].chunks(piece).for_each(|bytes| place.pass(bytes));
            place.end().is_ok()
        };
        let of = |piece| (0..=bytes.len()).filter(|end| may_end(*end, piece)).collect::<Vec<_>>();
        let whole = of(bytes.len());
        for piece in [1, 2, 3, 7] {
            assert_eq!(of(piece), whole, "in pieces of {piece}");
        }
        whole
    }

    #[test]
    fn it_may_not_end_inside_the_head() {
        let head = b"HTTP/1.1 101 Switching\r\r\nA: b\r\n\r\n";
        assert_eq!(ends(head), [head.len()]);
        let message = [head.as_slice(), b"\x82\x03abc"].concat();
        assert_eq!(ends(&message), (head.len()..=message.len()).collect::<Vec<_>>());
    }

    #[test]
    fn an_end_before_the_first_byte_is_another_than_one_inside() {
        let mut place = Place::Head { length: 0, ending: 0 };
        assert_eq!(place.end().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        place.pass(b"HTTP");
        assert_eq!(place.end().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
