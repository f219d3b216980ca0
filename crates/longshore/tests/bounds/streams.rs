//! What comes: 1 MB of it takes as much memory as 200 MB.

use std::future::Future;
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use longshore::stream::OutputStream;
use longshore::{Docker, EventsOptions, Method, Result};
use longshore_testkit::tally;
use longshore_testkit::transcript::wire::{answer, frame, upgraded};
use serde_json::Value;

use crate::resuming::{self, ID};
use crate::source::{Making, Script, Source, same};
#[cfg(feature = "websocket")]
use crate::websocket;
use crate::{alone, fan_out, measured};

const SHORT: u64 = 1_000_000;
const LONG: u64 = 200_000_000;

/// How much more memory the long one may take, in bytes: pages that the allocator keeps.
pub(crate) const SLACK: u64 = 2 << 20;

/// The most memory that either may take, in bytes.
pub(crate) const MOST: u64 = 8 << 20;

pub(crate) const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

type Reading = Pin<Box<dyn Future<Output = Result<u64>>>>;

/// A stream that is read to its end: what comes, and what reads it and tells how many bytes or items there were.
struct Stream {
    name: &'static str,
    /// What comes before it, in answer to the head of a request.
    head: fn(&str) -> Vec<u8>,
    piece: Making,
    tail: &'static [u8],
    read: fn(Docker) -> Reading,
}

/// A chunk of HTTP.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Bytes {
    let bytes = bytes.as_ref();
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat().into()
}

pub(crate) fn chunked_head(content_type: &str) -> Vec<u8> {
    answer("200 OK", &[&format!("Content-Type: {content_type}"), "Transfer-Encoding: chunked"], "")
}

pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The fields of a tar of a folder.
pub(crate) const TAR: &str = "Content-Type: application/x-tar";
pub(crate) const STAT: &str = "X-Docker-Container-Path-Stat: eyJuYW1lIjoiZXRjIiwic2l6ZSI6NDIsIm1vZGUiOjIxNDc0ODQxNDF9";

fn multiplexed(_: &str) -> Vec<u8> {
    chunked_head(MULTIPLEXED)
}

fn json_values(_: &str) -> Vec<u8> {
    chunked_head("application/json")
}

/// Output as a container writes it that writes much: lines, and a frame for many of them.
fn output() -> Vec<u8> {
    let line = "a line of a hundred bytes, more or less, as a service may write it for each of its many requests\n";
    frame(1, line.repeat(300))
}

/// A JSON value, most of which is a text.
fn value(beginning: &str) -> Bytes {
    chunk(format!("{{{beginning},\"unknown\":\"{}\"}}\r\n", "x".repeat(60_000)))
}

async fn count_bytes(mut output: OutputStream) -> Result<u64> {
    let mut count = 0;
    while let Some(chunk) = output.next().await {
        count += chunk?.bytes.len() as u64;
    }
    Ok(count)
}

/// Counts the items of anything that has a `next`.
macro_rules! count {
    ($stream:expr) => {{
        let mut stream = $stream;
        let mut count = 0;
        while let Some(item) = stream.next().await {
            item?;
            count += 1;
        }
        Ok(count)
    }};
}

fn outputs() -> Vec<Stream> {
    let logs = |name, read| Stream { name, head: multiplexed, piece: same(chunk(output())), tail: LAST_CHUNK, read };
    let terminal = Stream {
        name: "logs of a terminal",
        head: |_| chunked_head("application/vnd.docker.raw-stream"),
        piece: same(chunk("x".repeat(30_000))),
        tail: LAST_CHUNK,
        read: |docker| Box::pin(async move { count_bytes(docker.container("web").logs().await?).await }),
    };
    let attach = Stream {
        name: "attach",
        head: |_| upgraded(MULTIPLEXED),
        piece: same(output()),
        tail: b"",
        read: |docker| {
            Box::pin(async move { count_bytes(docker.container("web").attach().await?.into_output()).await })
        },
    };
    let exec = Stream {
        name: "exec",
        read: |docker| {
            Box::pin(
                async move { count_bytes(docker.container("web").exec(["ls"]).start().await?.into_output()).await },
            )
        },
        piece: attach.piece.clone(),
        ..attach
    };
    let session = Stream {
        name: "session",
        head: |_| upgraded("application/vnd.docker.raw-stream"),
        piece: same(output()),
        tail: b"",
        read: |docker| Box::pin(async move { count!(docker.grpc().await?) }),
    };
    vec![
        logs("logs", |docker| Box::pin(async move { count_bytes(docker.container("web").logs().await?).await })),
        logs("lines", |docker| Box::pin(async move { count!(docker.container("web").logs().await?.lines()) })),
        logs("text", |docker| Box::pin(async move { count!(docker.container("web").logs().await?.text()) })),
        logs("copied output", |docker| {
            Box::pin(async move {
                let mut output = docker.container("web").logs().await?;
                output.copy_to(&mut tokio::io::sink(), &mut tokio::io::sink()).await?;
                Ok(1)
            })
        }),
        terminal,
        attach,
        exec,
        session,
    ]
}

/// Output that is read by many, and output over a WebSocket.
fn other_outputs() -> Vec<Stream> {
    vec![
        Stream {
            name: "logs for many",
            head: multiplexed,
            piece: same(chunk(frame(1, "x".repeat(2_000)).repeat(15))),
            tail: LAST_CHUNK,
            read: |docker| Box::pin(fan_out::read(docker)),
        },
        #[cfg(feature = "websocket")]
        Stream {
            name: "attach over a WebSocket",
            head: websocket::opened,
            piece: same(websocket::message(&output())),
            tail: websocket::PARTING,
            read: |docker| {
                Box::pin(
                    async move { count_bytes(docker.container("web").attach_websocket().await?.into_output()).await },
                )
            },
        },
    ]
}

fn resuming() -> Vec<Stream> {
    vec![
        Stream {
            name: "resuming lines",
            head: multiplexed,
            piece: resuming::messages(),
            tail: LAST_CHUNK,
            read: |docker| Box::pin(async move { count!(docker.container(ID).logs().resuming().lines().await?) }),
        },
        Stream {
            name: "resuming lines of one time",
            head: multiplexed,
            piece: resuming::messages_of_one_time(),
            tail: LAST_CHUNK,
            // At the edge of a tail more of them is remembered.
            read: |docker| {
                Box::pin(async move { count!(docker.container(ID).logs().tail(u64::MAX).resuming().lines().await?) })
            },
        },
        Stream {
            name: "resuming events",
            head: json_values,
            piece: resuming::events(),
            tail: LAST_CHUNK,
            read: |docker| {
                let past = EventsOptions::default().until(SystemTime::UNIX_EPOCH);
                Box::pin(async move { count!(docker.events_with(&past).resuming().await?) })
            },
        },
    ]
}

fn values() -> Vec<Stream> {
    let of = |name, beginning: &str, read| Stream {
        name,
        head: json_values,
        piece: same(value(beginning)),
        tail: LAST_CHUNK,
        read,
    };
    vec![
        of("stats", r#""memory_stats":{"usage":7}"#, |docker| {
            Box::pin(async move { count!(docker.container("web").stats().await?) })
        }),
        of("events", r#""Type":"container","Action":"start""#, |docker| {
            Box::pin(async move { count!(docker.events().await?) })
        }),
        of(
            "pull progress",
            r#""status":"Downloading","id":"4abc","progressDetail":{"current":1,"total":2}"#,
            |docker| Box::pin(async move { count!(docker.images().pull("a").await?) }),
        ),
        of("push progress", r#""status":"Pushing","id":"4abc","progressDetail":{"current":1,"total":2}"#, |docker| {
            Box::pin(async move { count!(docker.image("a").push().await?) })
        }),
        of("load progress", r#""status":"Loading layer","id":"4abc""#, |docker| {
            Box::pin(async move { count!(docker.images().load("tar").await?) })
        }),
        of("build progress", r#""stream":"Step 1""#, |docker| {
            Box::pin(async move { count!(docker.images().build("tar").await?) })
        }),
    ]
}

fn archives() -> Vec<Stream> {
    let tar = |name, read| Stream {
        name,
        head: |_| answer("200 OK", &[TAR, STAT, "Transfer-Encoding: chunked"], ""),
        piece: same(chunk([b"x".repeat(31_000), vec![0; 1000]].concat())),
        tail: LAST_CHUNK,
        read,
    };
    vec![
        tar("archive", |docker| {
            Box::pin(
                async move { docker.container("web").archive("/etc").await?.copy_to(&mut tokio::io::sink()).await },
            )
        }),
        tar("export", |docker| {
            Box::pin(async move { docker.container("web").export().await?.copy_to(&mut tokio::io::sink()).await })
        }),
        tar("save", |docker| {
            Box::pin(async move { docker.image("a").save().await?.copy_to(&mut tokio::io::sink()).await })
        }),
    ]
}

fn customs() -> Vec<Stream> {
    let new = |name, head, piece, tail, read| Stream { name, head, piece: same(piece), tail, read };
    let connection = |name, read| new(name, |_| upgraded("text/plain"), output().into(), b"", read);
    vec![
        new("custom values", json_values, value(r#""a":1"#), LAST_CHUNK, |docker| {
            Box::pin(async move { count!(docker.request(Method::Get, "/new").json_stream::<Value>().await?) })
        }),
        new("custom bytes", json_values, chunk(output()), LAST_CHUNK, |docker| {
            Box::pin(async move { count!(docker.request(Method::Get, "/new").byte_stream().await?) })
        }),
        connection("custom connection", |docker| {
            Box::pin(async move { count!(docker.request(Method::Post, "/new").connection("new").await?) })
        }),
        connection("custom connection as a reader", |docker| {
            Box::pin(async move {
                let mut connection = docker.request(Method::Post, "/new").connection("new").await?;
                Ok(tokio::io::copy(&mut connection, &mut tokio::io::sink()).await.unwrap())
            })
        }),
    ]
}

impl Stream {
    async fn read(&self, length: u64) -> u64 {
        let (head, piece, tail) = (self.head, self.piece.clone(), self.tail);
        let times = length.div_ceil(piece(0).len() as u64);
        let source = Source::new(move |request| match request.starts_with("POST /v1.44/containers/web/exec ") {
            true => Script::new(answer(
                "201 Created",
                &["Content-Type: application/json", "Content-Length: 11"],
                r#"{"Id":"e1"}"#,
            )),
            false => Script::new(head(request)).made(piece.clone(), times).then(tail),
        });
        let what = format!("{} of {length} bytes", self.name);
        let (read, taken) = measured(&what, (self.read)(source.docker())).await;
        assert!(read.unwrap() > 0, "{what}: nothing came");
        assert!(taken < MOST, "{what} took {taken} bytes of memory");
        taken
    }
}

#[tokio::test]
async fn memory_does_not_depend_on_how_much_comes() {
    let _alone = alone().await;
    let all = [outputs(), other_outputs(), resuming(), values(), archives(), customs()].into_iter().flatten();
    let mut streams = 0;
    for stream in all {
        // What is allocated once, such as tables of the allocator, is allocated before it is measured.
        stream.read(SHORT).await;
        let (short, long) = (stream.read(SHORT).await, stream.read(LONG).await);
        assert!(long <= short + SLACK, "{}: {short} bytes of memory, then {long}", stream.name);
        streams += 1;
    }
    tally("bounds", "streams measured", streams);
}
