//! Between the runtime, which moves bytes, and a thread, which may block on files. Few pieces are under way at a time,
//! so memory stays flat. A side that goes away before the end has given up, and the other one learns it at once.

#[cfg(feature = "archive")]
use std::io::Read;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

#[cfg(feature = "archive")]
use bytes::Buf;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::sync::mpsc;

/// How large the pieces are that a thread makes, in bytes.
const PIECE: usize = 64 * 1024;

/// How many pieces may wait for the other side.
const WAITING: usize = 4;

enum Message {
    Piece(Bytes),
    Failed(io::Error),
    End,
}

/// From a thread that writes to a stream.
pub(super) fn from_thread() -> (PieceWriter, Pieces) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (PieceWriter { sender, piece: BytesMut::new() }, Pieces { receiver: Some(receiver) })
}

/// From the runtime to a thread that reads.
#[cfg(feature = "archive")]
pub(super) fn to_thread() -> (PieceSender, PieceReader) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (PieceSender { sender }, PieceReader { receiver: Some(receiver), piece: Bytes::new() })
}

/// The writing end, in a thread. It fails as soon as nobody reads any more.
pub(super) struct PieceWriter {
    sender: mpsc::Sender<Message>,
    piece: BytesMut,
}

impl PieceWriter {
    /// Ends the stream, or lets it fail.
    pub(super) fn finish(mut self, outcome: io::Result<()>) {
        let message = match outcome.and_then(|()| self.flush()) {
            Ok(()) => Message::End,
            Err(error) => Message::Failed(error),
        };
        // Nobody may be there to learn it.
        let _ = self.sender.blocking_send(message);
    }
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.capacity() == 0 {
            self.piece.reserve(PIECE);
        }
        let count = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(bytes.get(..count).unwrap_or_default());
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece).freeze();
        match piece.is_empty() {
            true => Ok(()),
            false => self.sender.blocking_send(Message::Piece(piece)).map_err(|_| given_up()),
        }
    }
}

/// The stream of what a thread writes. Dropping it ends the thread's work.
pub(super) struct Pieces {
    receiver: Option<mpsc::Receiver<Message>>,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(receiver) = &mut self.receiver else { return Poll::Ready(None) };
        let item = match ready!(receiver.poll_recv(context)) {
            Some(Message::Piece(piece)) => return Poll::Ready(Some(Ok(piece))),
            Some(Message::Failed(error)) => Some(Err(error)),
            Some(Message::End) => None,
            // A thread that stopped without a word must not make half an archive look whole.
            None => Some(Err(given_up())),
        };
        self.receiver = None;
        Poll::Ready(item)
    }
}

/// The sending end, in the runtime. Dropping it ends the thread's work.
#[cfg(feature = "archive")]
pub(super) struct PieceSender {
    sender: mpsc::Sender<Message>,
}

#[cfg(feature = "archive")]
impl PieceSender {
    /// Hands a piece over; whether the thread still wants any.
    pub(super) async fn send(&self, piece: Bytes) -> bool {
        self.sender.send(Message::Piece(piece)).await.is_ok()
    }

    /// Tells the thread that nothing more comes.
    pub(super) async fn finish(self) {
        // The thread may have ended first; what it says counts.
        let _ = self.sender.send(Message::End).await;
    }
}

/// The reading end, in a thread.
#[cfg(feature = "archive")]
pub(super) struct PieceReader {
    receiver: Option<mpsc::Receiver<Message>>,
    piece: Bytes,
}

#[cfg(feature = "archive")]
impl Read for PieceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(receiver) = &mut self.receiver else { return Ok(0) };
            match receiver.blocking_recv() {
                Some(Message::Piece(piece)) => self.piece = piece,
                Some(Message::End) => self.receiver = None,
                Some(Message::Failed(error)) => return Err(error),
                None => return Err(given_up()),
            }
        }
        let count = self.piece.len().min(buffer.len());
        self.piece.split_to(count).copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

fn given_up() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the other side has given up")
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn next(pieces: &mut Pieces) -> Option<io::Result<Bytes>> {
        poll_fn(|context| Pin::new(&mut *pieces).poll_next(context)).await
    }

    #[tokio::test]
    async fn what_a_thread_writes_is_streamed_to_its_end() {
        let (mut writer, mut pieces) = from_thread();
        let thread = tokio::task::spawn_blocking(move || {
            let outcome = writer.write_all(&vec![7; 5 * PIECE + 1]);
            writer.finish(outcome);
        });
        let mut lengths = Vec::new();
        while let Some(piece) = next(&mut pieces).await {
            lengths.push(piece.unwrap().len());
        }
        assert_eq!(lengths, [PIECE, PIECE, PIECE, PIECE, PIECE, 1]);
        assert!(next(&mut pieces).await.is_none());
        thread.await.unwrap();
    }

    #[tokio::test]
    async fn a_failure_and_a_thread_that_is_gone_end_the_stream_with_an_error() {
        let (writer, mut pieces) = from_thread();
        tokio::task::spawn_blocking(move || writer.finish(Err(io::Error::other("no disk"))));
        assert_eq!(next(&mut pieces).await.unwrap().unwrap_err().to_string(), "no disk");
        assert!(next(&mut pieces).await.is_none());
        let (writer, mut pieces) = from_thread();
        drop(writer);
        assert!(next(&mut pieces).await.unwrap().is_err());
        assert!(next(&mut pieces).await.is_none());
    }

    #[tokio::test]
    async fn a_thread_ends_when_nobody_reads() {
        let (mut writer, pieces) = from_thread();
        let thread = tokio::task::spawn_blocking(move || io::copy(&mut io::repeat(1), &mut writer));
        drop(pieces);
        assert_eq!(thread.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[cfg(feature = "archive")]
    #[tokio::test]
    async fn a_thread_reads_what_is_sent_and_learns_when_it_is_cut() {
        let read = |mut reader: PieceReader| {
            tokio::task::spawn_blocking(move || {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).map(|_| all)
            })
        };
        let (sender, reader) = to_thread();
        let thread = read(reader);
        for piece in [&b"abc"[..], b"", b"d"] {
            assert!(sender.send(Bytes::from_static(piece)).await);
        }
        sender.finish().await;
        assert_eq!(thread.await.unwrap().unwrap(), b"abcd");
        let (sender, reader) = to_thread();
        let thread = read(reader);
        assert!(sender.send(Bytes::from_static(b"abc")).await);
        drop(sender);
        assert_eq!(thread.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        let (sender, reader) = to_thread();
        drop(reader);
        assert!(!sender.send(Bytes::from_static(b"abc")).await);
    }
}
