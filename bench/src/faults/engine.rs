//! An engine whose answer has a fault, on a port of this machine.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::recorded::Exchange;

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends.
    Cut,
    /// It is reset.
    Reset,
    /// Nothing more comes.
    Stall,
}

impl Fault {
    pub(crate) const ALL: [Fault; 3] = [Fault::Cut, Fault::Reset, Fault::Stall];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::Cut => "cut",
            Fault::Reset => "reset",
            Fault::Stall => "stall",
        }
    }
}

/// An engine for one call; it ends when this is dropped.
pub(crate) struct FaultyEngine {
    host: String,
    serving: JoinHandle<()>,
}

/// What is answered, and the fault and its place.
struct Script {
    exchanges: Vec<Exchange>,
    fault: Option<(Fault, usize)>,
    has_failed: AtomicBool,
}

impl FaultyEngine {
    pub(crate) async fn start(exchanges: Vec<Exchange>, fault: Option<(Fault, usize)>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = format!("tcp://{}", listener.local_addr()?);
        let script = Arc::new(Script { exchanges, fault, has_failed: AtomicBool::new(false) });
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let script = script.clone();
                // A client that closes its connection early is none of our business.
                connections.spawn(async move { drop(script.serve(stream).await) });
            }
        });
        Ok(FaultyEngine { host, serving })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for FaultyEngine {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Script {
    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut read = Vec::new();
        while let Some(head) = request(&mut stream, &mut read).await? {
            let mut words = head.split([' ', '?']);
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let Some(exchange) = self.exchanges.iter().find(|it| it.method == method && path.ends_with(it.path)) else {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await?;
                continue;
            };
            match self.fault {
                Some((fault, position)) if exchange.faulty => {
                    self.has_failed.store(true, Ordering::Release);
                    stream.write_all(&exchange.answer[..position]).await?;
                    return fail(stream, fault).await;
                }
                _ => {}
            }
            let failed = self.has_failed.load(Ordering::Acquire);
            let answer = exchange.after_fault.as_ref().filter(|_| failed).unwrap_or(&exchange.answer);
            stream.write_all(answer).await?;
            if answer.starts_with(b"HTTP/1.1 101 ") {
                return Ok(());
            }
        }
        Ok(())
    }
}

async fn fail(stream: TcpStream, fault: Fault) -> io::Result<()> {
    match fault {
        Fault::Cut => {}
        Fault::Reset => {
            // Let the client read what was sent: a reset throws away what it has not.
            tokio::time::sleep(Duration::from_millis(2)).await;
            stream.set_zero_linger()?;
        }
        Fault::Stall => std::future::pending::<()>().await,
    }
    Ok(())
}

/// Reads a request; answers its first line, or nothing at the end of the connection.
async fn request(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").and_then(|rest| rest.trim().parse().ok())
            });
            let whole = end + 4 + length.unwrap_or(0usize);
            if read.len() >= whole {
                read.drain(..whole);
                return Ok(head.lines().next().map(str::to_owned));
            }
        }
        if stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}
