//! TLS that fails on the way: at every byte of what an engine has encrypted, from the first of the handshake on.

use std::path::Path;
use std::time::Duration;

use longshore::config::Tls;
use longshore::{ApiVersion, ConnectOptions, Deadlines, Docker, ErrorKind, Result};
use longshore_testkit::certificates::{Authority, Identity, Key, Usage};
use longshore_testkit::{Direction, FaultCount, FaultProxy, Faults, Folder};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::rustls::SupportedProtocolVersion;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::tls::{acceptor, read_head, sign, trusting};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n";
const FRAMES: [&[u8]; 2] = [b"\x01\0\0\0\0\0\0\x04one\n", b"\x02\0\0\0\0\0\0\x04two\n"];

/// A silence is made at one byte of so many, since each takes as long as it is waited for.
const BETWEEN_SILENCES: u64 = 40;

const SILENCE: Duration = Duration::from_millis(60);

/// How long anything may take. It is a hang then.
const PATIENCE: Duration = Duration::from_secs(30);

/// An engine that sends a log on every connection, which is over when the connection is.
fn engine(server: &Identity, version: &'static SupportedProtocolVersion, socket: &Path) -> JoinHandle<()> {
    let (acceptor, listener) = (acceptor(server, None, version), UnixListener::bind(socket).unwrap());
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let accepting = acceptor.accept(stream);
            connections.spawn(async move {
                let mut stream = accepting.await?;
                read_head(&mut stream).await?;
                for part in [HEAD, FRAMES[0], FRAMES[1]] {
                    stream.write_all(part).await?;
                    stream.flush().await?;
                }
                stream.shutdown().await
            });
        }
    })
}

async fn read(proxy: &FaultProxy, tls: &Tls, to_client: Direction, deadlines: Deadlines) -> Result<String> {
    proxy.set(Faults { to_client, ..Faults::default() });
    let options = ConnectOptions::default().host(proxy.host()).version(ApiVersion::new(1, 44));
    let docker = Docker::connect_with(&options.tls(tls.clone()).deadlines(deadlines))?;
    let reading = async { docker.container("web").logs().await?.collect().await };
    let output = tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("{to_client:?}: it hangs"))?;
    Ok(format!("{}{}", output.stdout, output.stderr))
}

async fn try_all(version: &'static SupportedProtocolVersion) {
    let authority = Authority::new().unwrap();
    let (server, tls) = (sign(&authority, Usage::Server, Key::Ec), trusting(&authority));
    let folder = Folder::new();
    let socket = folder.path().join("tls.sock");
    let engine = engine(&server, version, &socket);
    let proxy = FaultProxy::tcp(&socket).await.unwrap();
    let usual = Deadlines::default();
    let impatient = Deadlines::default().connect(SILENCE).head(SILENCE).idle(SILENCE).total(4 * SILENCE);

    assert_eq!(read(&proxy, &tls, Direction::default(), usual).await.unwrap(), "one\ntwo\n");
    let length = proxy.longest();
    let mut counted = FaultCount::default();
    counted.exchange(usize::try_from(length).unwrap());
    for position in 0..length {
        let cut = Direction { cut_after: Some(position), ..Direction::default() };
        let reset = Direction { reset_after: Some(position), ..Direction::default() };
        let stall = Direction { stall_after: Some(position), ..Direction::default() };
        let silent = position % BETWEEN_SILENCES == 0;
        for (fault, deadlines) in [(cut, usual), (reset, usual), (stall, impatient)] {
            if fault.stall_after.is_some() && !silent {
                continue;
            }
            let outcome = read(&proxy, &tls, fault, deadlines).await;
            counted.fault(&outcome);
            match outcome {
                Ok(text) => assert_eq!(text, "one\ntwo\n", "{fault:?}: a short success"),
                Err(error) => assert!(is_documented(error.kind(), &fault), "{fault:?}: {error:?}"),
            }
        }
        proxy.cut_all();
    }
    engine.abort();
    counted.tally();
}

fn is_documented(kind: ErrorKind, fault: &Direction) -> bool {
    match fault.stall_after {
        Some(_) => kind == ErrorKind::Timeout,
        None => matches!(kind, ErrorKind::Connect | ErrorKind::Closed | ErrorKind::Truncated),
    }
}

#[tokio::test]
async fn tls_1_2_fails_as_it_should_at_every_byte() {
    try_all(&TLS12).await;
}

#[tokio::test]
async fn tls_1_3_fails_as_it_should_at_every_byte() {
    try_all(&TLS13).await;
}
