//! Where what comes on a WebSocket may end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::transport::Io;

/// A connection that may end between two messages only. Anywhere else its end is an error, since what reads the messages
/// takes one end for the other.
pub(super) struct Watched {
    io: Box<dyn Io>,
    place: Place,
}

impl Watched {
    pub(super) fn new(io: Box<dyn Io>) -> Self {
        Watched { io, place: Place::Head { length: 0, ending: 0 } }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let come = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(match come {
            [] if buffer.remaining() > 0 => self.place.end(),
            come => {
                self.place.pass(come);
                Ok(())
            }
        })
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
    Messages(Frames),
}

/// How a head ends.
const ENDING: &[u8; 4] = b"\r\n\r\n";

impl Place {
    fn pass(&mut self, bytes: &[u8]) {
        match self {
            Place::Messages(frames) => frames.pass(bytes),
            Place::Head { length, ending } => {
                for (at, byte) in bytes.iter().enumerate() {
                    let goes_on = ENDING.get(*ending) == Some(byte);
                    *ending = if goes_on { *ending + 1 } else { usize::from(*byte == b'\r') };
                    if *ending == ENDING.len() {
                        let mut frames = Frames::default();
                        frames.pass(bytes.get(at + 1..).unwrap_or_default());
                        *self = Place::Messages(frames);
                        return;
                    }
                }
                *length += bytes.len();
            }
        }
    }

    /// Whether it may end here.
    fn end(&self) -> io::Result<()> {
        let cut =
            |place: &str| Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the connection ended {place}")));
        match self {
            Place::Head { length: 0, .. } => {
                let message = "the engine closed the connection without an answer";
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, message))
            }
            Place::Head { .. } => cut("inside the head of the answer"),
            Place::Messages(frames) if frames.is_between_messages() => Ok(()),
            Place::Messages(_) => cut("inside a message"),
        }
    }
}

/// The frames that messages are made of.
#[derive(Debug, Default)]
struct Frames {
    /// The head of the frame that begins.
    head: Vec<u8>,
    /// How much of what the frame says is still to come.
    left: u64,
    /// Whether further frames belong to the message.
    goes_on: bool,
}

impl Frames {
    fn pass(&mut self, mut bytes: &[u8]) {
        loop {
            let skipped = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            self.left -= skipped as u64;
            let Some((byte, rest)) = bytes.get(skipped..).and_then(<[u8]>::split_first) else { return };
            bytes = rest;
            self.head.push(*byte);
            if let Some(length) = length_of(&self.head) {
                self.left = length;
                let first = self.head.first().copied().unwrap_or_default();
                // What is said between two frames of a message, such as a ping, is none of it.
                if first & 0x0f < 8 {
                    self.goes_on = first & 0x80 == 0;
                }
                self.head.clear();
            }
        }
    }

    fn is_between_messages(&self) -> bool {
        self.head.is_empty() && self.left == 0 && !self.goes_on
    }
}

/// How much a frame says, once its head has come: two bytes, a long length if the short one says so, and a mask.
fn length_of(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let long = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let length = head.get(2..2 + long)?;
    let whole = head.len() == 2 + long + mask;
    let number = length.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    whole.then_some(if long == 0 { u64::from(second & 0x7f) } else { number })
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
    fn it_may_end_between_messages_only() {
        let head = b"HTTP/1.1 101 Switching\r\r\nA: b\r\n\r\n";
        let start = head.len();
        assert_eq!(ends(head), [start]);
        let with = |frames: &[&[u8]]| [&head[..], &frames.concat()].concat();
        assert_eq!(ends(&with(&[b"\x82\x03abc", b"\x89\x00"])), [start, start + 5, start + 7]);
        // In two frames, with a ping between them.
        assert_eq!(ends(&with(&[b"\x02\x01a", b"\x89\x01p", b"\x80\x01b"])), [start, start + 9]);
        let long = [&[0x82, 126, 1, 0][..], &[b'x'; 256]].concat();
        assert_eq!(ends(&with(&[&long])), [start, start + 260]);
        let longer = [&[0x82, 127, 0, 0, 0, 0, 0, 0, 1, 0][..], &[b'x'; 256]].concat();
        assert_eq!(ends(&with(&[&longer])), [start, start + 266]);
        assert_eq!(ends(&with(&[b"\x82\x81mask_"])), [start, start + 7]);
    }

    #[test]
    fn an_end_before_the_first_byte_is_another_than_one_inside() {
        let mut place = Place::Head { length: 0, ending: 0 };
        assert_eq!(place.end().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        place.pass(b"HTTP");
        assert_eq!(place.end().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
