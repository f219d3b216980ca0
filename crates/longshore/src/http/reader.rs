use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadHalf, WriteHalf};
use tokio::time::{Sleep, sleep_until};

use super::timer::Timer;
use crate::error::{Operation, Result};
use crate::transport::Io;

/// What a connection keeps while nothing comes: a thousand silent followers must stay cheap.
const IDLE: usize = 2 * 1024;

/// The most that is asked of the socket at a time.
const LARGEST: usize = 128 * 1024;

/// A source of bytes and the buffer they are read into.
///
/// What has been read is handed out as slices of the buffer, without copying. The buffer grows while reads fill it and
/// is given back when there is nothing to read.
pub(crate) struct Reader<R> {
    pub(crate) io: R,
    pub(crate) buffer: BytesMut,
    /// How much room the buffer was last given.
    allocated: usize,
    /// How much room the next buffer gets.
    room: usize,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(io: R) -> Self {
        Reader { io, buffer: BytesMut::new(), allocated: 0, room: IDLE }
    }

    /// Reads more into the buffer; answers how many bytes came, 0 at the end.
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.make_room();
        let spare = self.buffer.capacity() - self.buffer.len();
        let read = pin!(self.io.read_buf(&mut self.buffer)).poll(context);
        match read {
            Poll::Pending => self.give_back(),
            Poll::Ready(Ok(count)) if count == spare => self.room = (self.room * 4).min(LARGEST),
            Poll::Ready(Ok(count)) if count < self.room / 4 => self.room = (self.room / 2).max(IDLE),
            Poll::Ready(_) => {}
        }
        read
    }

    fn make_room(&mut self) {
        let spare = self.buffer.capacity() - self.buffer.len();
        if spare < (self.room / 2).min(IDLE) {
            self.buffer.reserve(self.room);
            self.allocated = self.buffer.capacity();
        }
    }

    fn give_back(&mut self) {
        if self.buffer.is_empty() && self.allocated > IDLE {
            self.buffer = BytesMut::with_capacity(IDLE);
            self.allocated = IDLE;
        }
    }

    /// Moves the window on: to what has been read, or else reads and puts it behind what is left. Answers whether there
    /// was anything before the end.
    pub(crate) fn poll_window(&mut self, window: &mut Window, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.buffer.is_empty() || !window.is_empty() {
            // The buffer has been empty since the window was taken from it.
            self.buffer.extend_from_slice(&window.bytes);
            *window = Window::default();
            if ready!(self.poll_fill(context))? == 0 {
                return Poll::Ready(Ok(false));
            }
        }
        window.bytes = self.buffer.split().freeze();
        Poll::Ready(Ok(true))
    }

    /// Whether the other side has closed the connection, or sent what nobody asked for.
    pub(crate) fn is_stale(&mut self) -> bool {
        let mut context = Context::from_waker(std::task::Waker::noop());
        !self.buffer.is_empty() || self.poll_fill(&mut context).is_ready()
    }
}

/// What has been read and has yet to be taken: data, and behind it what is not known yet to be data or framing.
///
/// It is looked at as a slice, and only what is handed out becomes [`Bytes`]: this is done for every line of a log.
#[derive(Default)]
pub(crate) struct Window {
    bytes: Bytes,
    data: usize,
}

impl Window {
    /// Whether all of it has been taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The data at the front.
    pub(crate) fn data(&self) -> &[u8] {
        self.bytes.get(..self.data).unwrap_or_default()
    }

    /// Takes data from the front.
    pub(crate) fn take(&mut self, length: usize) -> Bytes {
        self.data -= length;
        self.bytes.split_to(length)
    }

    /// Drops data from the front.
    pub(crate) fn skip(&mut self, length: usize) {
        self.data -= length;
        self.bytes.advance(length);
    }

    /// What is not known yet to be data or framing, once all data before it has been taken.
    pub(super) fn unknown(&self) -> &[u8] {
        &self.bytes
    }

    /// Says how much of the unknown is framing, which is dropped, and how much behind it is data.
    pub(super) fn set_known(&mut self, framing: usize, data: usize) {
        self.bytes.advance(framing);
        self.data = data;
    }
}

/// A connection that has left HTTP: bytes both ways.
pub(crate) struct Upgraded {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
}

impl Upgraded {
    /// A connection that never was HTTP's.
    #[cfg(feature = "websocket")]
    pub(crate) fn from_io(io: Box<dyn Io>, timer: Timer) -> Self {
        Upgraded::new(Reader::new(io), timer, true)
    }

    /// `both_ways` says whether what is sent is part of the session.
    pub(crate) fn new(connection: Reader<Box<dyn Io>>, timer: Timer, both_ways: bool) -> Self {
        let Reader { io, buffer, allocated, room } = connection;
        let (io, writer) = tokio::io::split(io);
        let outgoing = Outgoing { writer, both_ways, end: timer.end().map(|end| Box::pin(sleep_until(end))) };
        let reader = Reader { io, buffer, allocated, room };
        let incoming = Incoming { reader, window: Window::default(), timer };
        Upgraded { incoming, outgoing }
    }
}

/// What comes on a connection that has left HTTP, within its deadlines; at first what came right behind the head.
pub(crate) struct Incoming {
    reader: Reader<ReadHalf<Box<dyn Io>>>,
    pub(crate) window: Window,
    timer: Timer,
}

impl Incoming {
    /// Brings data into the window, once all before it has been taken; answers whether there was any before the end.
    pub(crate) fn poll_data(&mut self, operation: &Operation, context: &mut Context<'_>) -> Poll<Result<bool>> {
        if self.timer.has_ended() {
            return Poll::Ready(Err(operation.late()));
        }
        match self.reader.poll_window(&mut self.window, context) {
            Poll::Ready(outcome) => {
                self.timer.rest();
                self.window.set_known(0, self.window.unknown().len());
                Poll::Ready(outcome.map_err(|error| operation.broken(error)))
            }
            Poll::Pending => {
                ready!(self.timer.poll(context));
                Poll::Ready(Err(self.timer.error(operation)))
            }
        }
    }
}

/// What is sent on a connection that has left HTTP, until the whole call is to have ended.
pub(crate) struct Outgoing {
    writer: WriteHalf<Box<dyn Io>>,
    both_ways: bool,
    end: Option<Pin<Box<Sleep>>>,
}

impl Outgoing {
    /// Engines that hand a connection over when asked to say so with 101. After another answer the request was over for
    /// whatever stands between, and what is sent now would reach nobody.
    fn check(&self) -> io::Result<()> {
        const DROPPED: &str = "the connection was not handed over: an HTTP proxy on the way has dropped the upgrade";
        self.both_ways.then_some(()).ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, DROPPED))
    }

    /// What a write that has to wait gives at the deadline.
    fn in_time<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let (Poll::Pending, Some(end)) = (&written, &mut self.end) else { return written };
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Outgoing {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.writer).poll_write(context, bytes);
        self.in_time(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = Pin::new(&mut self.writer).poll_flush(context);
        self.in_time(written, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        let written = Pin::new(&mut self.writer).poll_shutdown(context);
        self.in_time(written, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    async fn fill(reader: &mut Reader<tokio::io::DuplexStream>) -> usize {
        std::future::poll_fn(|context| reader.poll_fill(context)).await.unwrap()
    }

    #[tokio::test]
    async fn the_buffer_grows_with_the_traffic_and_is_given_back() {
        let (mut far, near) = tokio::io::duplex(1024 * 1024);
        let mut reader = Reader::new(near);
        far.write_all(&vec![b'x'; 600 * 1024]).await.unwrap();
        let mut largest = 0;
        let mut left = 600 * 1024;
        while left > 0 {
            let count = fill(&mut reader).await;
            largest = largest.max(count);
            left -= count;
            drop(reader.buffer.split());
        }
        assert!(largest >= LARGEST, "{largest}");
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(reader.poll_fill(&mut context).is_pending());
        assert!(reader.buffer.capacity() <= IDLE, "{}", reader.buffer.capacity());

        for _ in 0..8 {
            far.write_all(b"short").await.unwrap();
            assert_eq!(fill(&mut reader).await, 5);
            drop(reader.buffer.split());
        }
        assert_eq!(reader.room, IDLE);
    }

    #[tokio::test]
    async fn staleness_is_an_end_or_uncalled_for_bytes() {
        let (mut far, near) = tokio::io::duplex(64);
        let mut reader = Reader::new(near);
        assert!(!reader.is_stale());
        far.write_all(b"x").await.unwrap();
        assert!(reader.is_stale());

        let (far, near) = tokio::io::duplex(64);
        let mut reader = Reader::new(near);
        drop(far);
        assert!(reader.is_stale());
    }
}
