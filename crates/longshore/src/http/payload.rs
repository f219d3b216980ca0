use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The bytes of an upload: an archive, an image to import.
///
/// Bytes in memory are sent as they are; a reader or a stream is sent piece by piece, so that memory stays flat however
/// much it gives.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use longshore::Payload;
///
/// let small = Payload::from("hello");
/// let large = Payload::reader(tokio::fs::File::open("backup.tar").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Payload(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Bytes(Bytes),
    Reader(Pin<Box<dyn AsyncRead + Send>>),
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

/// How much of a reader is sent at a time.
const PIECE: usize = 64 * 1024;

impl Payload {
    /// What `reader` gives until its end.
    pub fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Payload(Kind::Reader(Box::pin(reader)))
    }

    /// What `stream` gives until its end. An error of the stream ends the upload and is reported as an
    /// [`Io`](crate::ErrorKind::Io) error.
    pub fn stream(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Payload(Kind::Stream(Box::pin(stream)))
    }

    /// The length in bytes where it is known beforehand; a payload without one is sent in chunks.
    pub(crate) fn length(&self) -> Option<u64> {
        match &self.0 {
            Kind::Empty => Some(0),
            Kind::Bytes(bytes) => Some(bytes.len() as u64),
            Kind::Reader(_) | Kind::Stream(_) => None,
        }
    }

    /// The bytes of a payload that is in memory, which can be sent again after a failed try.
    pub(crate) fn in_memory(&self) -> Option<&[u8]> {
        match &self.0 {
            Kind::Empty => Some(&[]),
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Reader(_) | Kind::Stream(_) => None,
        }
    }

    /// The same payload once more, if it is in memory.
    pub(crate) fn again(&self) -> Option<Payload> {
        match &self.0 {
            Kind::Empty => Some(Payload(Kind::Empty)),
            Kind::Bytes(bytes) => Some(Payload(Kind::Bytes(bytes.clone()))),
            Kind::Reader(_) | Kind::Stream(_) => None,
        }
    }

    /// The next piece; `None` at the end. `scratch` is memory that readers read into.
    pub(crate) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
        scratch: &mut BytesMut,
    ) -> Poll<Option<io::Result<Bytes>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Bytes(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Kind::Stream(stream) => loop {
                match ready!(stream.as_mut().poll_next(context)) {
                    Some(Ok(piece)) if piece.is_empty() => {}
                    other => return Poll::Ready(other),
                }
            },
            Kind::Reader(reader) => {
                scratch.reserve(PIECE);
                let read = std::pin::pin!(reader.read_buf(scratch));
                match ready!(read.poll(context)) {
                    Ok(0) => Poll::Ready(None),
                    Ok(_) => Poll::Ready(Some(Ok(scratch.split().freeze()))),
                    Err(error) => Poll::Ready(Some(Err(error))),
                }
            }
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Payload(Kind::Bytes(bytes))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Payload(Kind::Bytes(bytes.into()))
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Payload(Kind::Bytes(Bytes::from_static(bytes)))
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        Payload(Kind::Bytes(Bytes::from_static(text.as_bytes())))
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Payload(Kind::Bytes(text.into()))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length() {
            Some(length) => write!(formatter, "Payload({length} bytes)"),
            None => formatter.write_str("Payload(streamed)"),
        }
    }
}
