use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use longshore::transport::{Dial, Dialing, Io};
use longshore::{ApiVersion, ConnectOptions, Docker, Environment};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Makes a piece of what an engine sends; it is told how many came before.
pub(crate) type Making = Arc<dyn Fn(u64) -> Bytes + Send + Sync>;

/// Makes the same piece again and again.
pub(crate) fn same(piece: impl Into<Bytes>) -> Making {
    let piece = piece.into();
    Arc::new(move |_| piece.clone())
}

/// What an engine sends: a head, pieces, and an end, after which it closes the connection.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) head: Bytes,
    piece: Making,
    pieces: Range<u64>,
    tail: Bytes,
}

impl Script {
    pub(crate) fn new(head: impl Into<Bytes>) -> Self {
        Script { head: head.into(), piece: same(""), pieces: 0..0, tail: Bytes::new() }
    }

    pub(crate) fn repeated(self, piece: impl Into<Bytes>, times: u64) -> Self {
        self.made(same(piece), times)
    }

    pub(crate) fn made(mut self, piece: Making, times: u64) -> Self {
        (self.piece, self.pieces) = (piece, 0..times);
        self
    }

    pub(crate) fn then(mut self, tail: impl Into<Bytes>) -> Self {
        self.tail = tail.into();
        self
    }
}

/// What answers a request, by its head.
type Answering = Arc<dyn Fn(&str) -> Script + Send + Sync>;

/// An engine that keeps nothing of what it is sent, and makes what it sends as it is read.
#[derive(Clone)]
pub(crate) struct Source {
    answering: Answering,
    taken: Arc<AtomicU64>,
}

impl Source {
    pub(crate) fn new(answering: impl Fn(&str) -> Script + Send + Sync + 'static) -> Self {
        Source { answering: Arc::new(answering), taken: Arc::default() }
    }

    /// One that gives the same answer to all.
    pub(crate) fn of(script: Script) -> Self {
        Source::new(move |_| script.clone())
    }

    pub(crate) fn docker(&self) -> Docker {
        let options = ConnectOptions::default().version(ApiVersion::new(1, 44)).environment(Environment::default());
        Docker::connect_through_with(self.clone(), &options)
    }

    /// How many bytes the client has sent.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Dial for Source {
    fn dial(&self) -> Dialing<'_> {
        let connection = Connection { source: self.clone(), request: Vec::new(), body: Body::None, sending: None };
        Box::pin(async { Ok(Box::new(connection) as Box<dyn Io>) })
    }

    fn describe(&self) -> String {
        "a source in memory".to_owned()
    }
}

struct Connection {
    source: Source,
    /// The head of the request that comes, or the last bytes of its body.
    request: Vec<u8>,
    body: Body,
    sending: Option<Script>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    None,
    Length(usize),
    Chunked,
}

const END_OF_CHUNKS: &[u8] = b"0\r\n\r\n";

impl Connection {
    fn take(&mut self, bytes: &[u8]) {
        if self.body == Body::None {
            self.request.extend_from_slice(bytes);
            let Some(end) = self.request.windows(4).position(|window| window == b"\r\n\r\n") else { return };
            let body = self.request.split_off(end + 4);
            let head = String::from_utf8(std::mem::take(&mut self.request)).unwrap();
            let script = (self.source.answering)(&head);
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            self.sending = Some(script);
            if head.contains("Transfer-Encoding: chunked") {
                self.body = Body::Chunked;
            } else if let Some(length) = length {
                self.body = Body::Length(length.parse().unwrap());
            }
            return self.take_body(&body);
        }
        self.take_body(bytes);
    }

    fn take_body(&mut self, bytes: &[u8]) {
        match &mut self.body {
            Body::None => {}
            Body::Length(left) => {
                *left = left.saturating_sub(bytes.len());
                if *left == 0 {
                    self.body = Body::None;
                }
            }
            Body::Chunked => {
                self.request.extend_from_slice(&bytes[bytes.len().saturating_sub(END_OF_CHUNKS.len())..]);
                let surplus = self.request.len().saturating_sub(END_OF_CHUNKS.len());
                self.request.drain(..surplus);
                if self.request == END_OF_CHUNKS {
                    self.request.clear();
                    self.body = Body::None;
                }
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let body = self.body;
        let Some(script) = self.sending.as_mut().filter(|_| body == Body::None) else { return Poll::Pending };
        while script.head.is_empty() {
            if let Some(before) = script.pieces.next() {
                script.head = (script.piece)(before);
            } else if script.tail.is_empty() {
                return Poll::Ready(Ok(()));
            } else {
                script.head = std::mem::take(&mut script.tail);
            }
        }
        let count = script.head.len().min(buffer.remaining());
        buffer.put_slice(&script.head.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.source.taken.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        self.take(bytes);
        // Whoever waits for an answer may read now.
        context.waker().wake_by_ref();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
