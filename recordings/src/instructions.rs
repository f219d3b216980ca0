//! Goes a hot path with what is recorded, in memory and with one thread: `instructions PATH ITEMS TIMES`.
//!
//! `cargo xtask instructions` counts what a processor does for it. The engine is a connection that answers every request
//! with the same bytes.

use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use longshore::container::ListOptions;
use longshore::transport::{Dial, Dialing, Io};
use longshore::{ApiVersion, ConnectOptions, Docker, Environment};
use recordings::{CONTAINER, Recording, Result};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [path, items, times] => run(path, items, times),
        _ => Err("tell a path, of how many items it is, and how many times it is gone".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str, items: &str, times: &str) -> Result<()> {
    let (count, times): (usize, usize) = (items.parse()?, times.parse()?);
    let recording = match path {
        "log-line" => Recording::log(count),
        "large-frame" => Recording::frames(count),
        "terminal-chunk" => Recording::terminal(count),
        "stats-sample" => Recording::stats(count)?,
        "event" => Recording::events(count)?,
        "progress-message" => Recording::progress(count)?,
        "listed-container" => Recording::list(count)?,
        "inspect" => Recording::inspect()?,
        "ping" => Recording::ping(),
        _ => return Err(format!("there is no path {path}").into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let options = ConnectOptions::default().version(ApiVersion::new(1, 45)).environment(Environment::default());
    let docker = Docker::connect_through_with(Engine(Arc::new(recording.bytes())), &options);
    runtime.block_on(async {
        for _ in 0..times {
            go(path, count, &docker).await?;
        }
        Ok(())
    })
}

async fn go(path: &str, count: usize, docker: &Docker) -> Result<()> {
    let container = docker.container(CONTAINER);
    match path {
        "log-line" | "large-frame" | "terminal-chunk" => {
            let mut output = container.logs().await?;
            while let Some(chunk) = output.next().await {
                chunk?;
            }
        }
        "stats-sample" => {
            let mut stats = container.stats().await?;
            for _ in 0..count {
                stats.next().await.ok_or("the samples ended")??;
            }
        }
        "event" => {
            let mut events = docker.events().await?;
            for _ in 0..count {
                events.next().await.ok_or("the events ended")??;
            }
        }
        "progress-message" => {
            let mut progress = docker.images().pull("busybox").await?;
            for _ in 0..count {
                progress.next().await.ok_or("the progress ended")??;
            }
        }
        "listed-container" => {
            let found = docker.containers().list_with(&ListOptions::default().all()).await?.len();
            if found != count {
                return Err(format!("{found} containers came instead of {count}").into());
            }
        }
        "inspect" => {
            for _ in 0..count {
                container.inspect().await?;
            }
        }
        _ => {
            for _ in 0..count {
                docker.ping().await?;
            }
        }
    }
    Ok(())
}

/// An engine that has one answer.
struct Engine(Arc<Vec<u8>>);

impl Dial for Engine {
    fn dial(&self) -> Dialing<'_> {
        let connection = Connection { answer: self.0.clone(), sent: self.0.len(), end: [0; 4], reader: None };
        Box::pin(async { Ok(Box::new(connection) as Box<dyn Io>) })
    }

    fn describe(&self) -> String {
        "a recording".to_owned()
    }
}

struct Connection {
    answer: Arc<Vec<u8>>,
    /// How much of the answer has been sent.
    sent: usize,
    /// The last bytes of the request.
    end: [u8; 4],
    reader: Option<Waker>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = &self.answer[self.sent..];
        if rest.is_empty() {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let length = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..length]);
        self.sent += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        for byte in &bytes[bytes.len().saturating_sub(4)..] {
            self.end.rotate_left(1);
            self.end[3] = *byte;
        }
        // No request here has a body.
        if self.end == *b"\r\n\r\n" {
            self.sent = 0;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
