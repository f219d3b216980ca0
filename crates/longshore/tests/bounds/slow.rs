//! A reader that pauses: the engine waits, and what it can't send is not kept here.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use longshore::{ConnectOptions, Deadlines, Docker};
use longshore_testkit::tally;
use longshore_testkit::transcript::wire::{frame, upgraded};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use crate::resuming::{self, ID};
use crate::streams::{MULTIPLEXED, chunk, chunked_head};
#[cfg(feature = "websocket")]
use crate::websocket;
use crate::{alone, measured};

/// The most that an engine can send to somebody who does not read, in bytes: what the kernel and the client keep.
const AHEAD: u64 = 2 << 20;

/// An engine on a unix socket that sends as fast as it can, for ever.
struct Endless {
    socket: PathBuf,
    sent: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

impl Endless {
    /// One that gives this head in answer to that of a request.
    fn new(head: fn(&str) -> Vec<u8>, piece: impl Into<Bytes>) -> Self {
        let piece = piece.into();
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("longshore-endless-{}-{count}.sock", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let counted = sent.clone();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(&head(std::str::from_utf8(&request).unwrap())).await.unwrap();
            let mut rest = piece.clone();
            while let Ok(written) = stream.write_buf(&mut rest).await {
                counted.fetch_add(written as u64, Ordering::SeqCst);
                if rest.is_empty() {
                    rest = piece.clone();
                }
            }
        });
        Endless { socket, sent, serving }
    }

    fn docker(&self) -> Docker {
        let options = ConnectOptions::default().host(format!("unix://{}", self.socket.display()));
        let options = options.version(longshore_testkit::engine::VERSION).deadlines(Deadlines::default());
        Docker::connect_with(&options).unwrap()
    }

    /// How much it has sent once it can send no more.
    async fn sent(&self) -> u64 {
        let mut before = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = self.sent.load(Ordering::SeqCst);
            if now == before {
                return now;
            }
            before = now;
        }
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.serving.abort();
        // What stays behind is in the folder for temporary files.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Reads an item, pauses, and reads on until much more has come.
macro_rules! assert_waits {
    ($name:literal, $engine:expr, $stream:expr) => {{
        let engine = $engine;
        let ((), taken) = measured($name, async {
            let mut stream = $stream(engine.docker()).await;
            stream.next().await.unwrap().unwrap();
            let first = engine.sent().await;
            assert!(first < AHEAD, "{}: {first} bytes were sent to nobody", $name);
            while engine.sent.load(Ordering::SeqCst) < first + 8 * AHEAD {
                stream.next().await.unwrap().unwrap();
            }
            let read = engine.sent.load(Ordering::SeqCst);
            let then = engine.sent().await;
            assert!(then < read + AHEAD, "{}: {} bytes were sent to nobody", $name, then - read);
        })
        .await;
        assert!(taken < 2 * AHEAD, "{} took {taken} bytes of memory", $name);
        tally("bounds", "slow readers", 1);
    }};
}

#[tokio::test]
async fn an_engine_waits_for_a_slow_reader() {
    let _alone = alone().await;
    let output = || Bytes::from(frame(1, "a line\n".repeat(1000)));
    let logs = || Endless::new(|_| chunked_head(MULTIPLEXED), chunk(output()));
    let values = |value: &str| Endless::new(|_| chunked_head("application/json"), chunk(value));
    assert_waits!("logs", logs(), async |docker: Docker| docker.container("web").logs().follow().await.unwrap());
    assert_waits!("lines", logs(), async |docker: Docker| docker.container("web").logs().await.unwrap().lines());
    assert_waits!("attach", Endless::new(|_| upgraded(MULTIPLEXED), output()), async |docker: Docker| {
        docker.container("web").attach().await.unwrap()
    });
    assert_waits!("stats", values("{\"memory_stats\":{\"usage\":7}}\n"), async |docker: Docker| {
        docker.container("web").stats().await.unwrap()
    });
    assert_waits!("events", values("{\"Type\":\"container\",\"Action\":\"die\"}\n"), async |docker: Docker| {
        docker.events().await.unwrap()
    });
    assert_waits!("a pull", values("{\"status\":\"Downloading\",\"id\":\"4abc\"}\r\n"), async |docker: Docker| {
        docker.images().pull("a").await.unwrap()
    });
    let tar = Endless::new(|_| chunked_head("application/x-tar"), chunk(vec![b'x'; 30_000]));
    assert_waits!("an export", tar, async |docker: Docker| docker.container("web").export().await.unwrap());
    let messages = Endless::new(|_| chunked_head(MULTIPLEXED), resuming::messages()(0));
    assert_waits!("resuming lines", messages, async |docker: Docker| {
        docker.container(ID).logs().follow().resuming().lines().await.unwrap()
    });
}

#[cfg(feature = "websocket")]
#[tokio::test]
async fn an_engine_waits_for_a_slow_reader_over_a_websocket() {
    let _alone = alone().await;
    let engine = Endless::new(websocket::opened, websocket::message(&b"a line\n".repeat(1000)));
    assert_waits!("a WebSocket", engine, async |docker: Docker| {
        docker.container("web").attach_websocket().await.unwrap()
    });
}
