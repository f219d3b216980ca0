//! The same over real sockets, where the kernel decides what comes together and which error a broken connection gives.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use longshore::{Docker, ErrorKind};
use longshore_testkit::transcript::wire::{answer, json};
use longshore_testkit::{Direction, FaultProxy, Faults};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// A server on a unix socket that gives the same answer to every request.
struct Server {
    socket: PathBuf,
    _serving: JoinSet<()>,
}

impl Server {
    /// Closes each connection after an answer, without having said so, if `hasty`.
    fn new(answer: Vec<u8>, hasty: bool) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("longshore-sockets-{}-{count}.sock", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, answer.clone(), hasty));
            }
        });
        Server { socket, _serving: serving }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What stays behind is in the folder for temporary files.
        let _ = std::fs::remove_file(&self.socket);
    }
}

async fn serve(mut stream: UnixStream, answer: Vec<u8>, hasty: bool) {
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|count| count > 0) {
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            if stream.write_all(&answer).await.is_err() || hasty {
                return;
            }
        }
    }
}

fn empty_list() -> Vec<u8> {
    json("200 OK", "[]\n")
}

fn connect(host: String) -> Docker {
    let options = longshore::ConnectOptions::default().host(host).version(longshore_testkit::engine::VERSION);
    Docker::connect_with(&options).unwrap()
}

#[tokio::test]
async fn calls_share_a_connection_over_unix_and_tcp() {
    let server = Server::new(empty_list(), false);
    for proxy in [FaultProxy::unix(&server.socket).await.unwrap(), FaultProxy::tcp(&server.socket).await.unwrap()] {
        for piece in [None, Some(1), Some(50)] {
            let direction = Direction { piece, ..Direction::default() };
            proxy.set(Faults { to_engine: direction, to_client: direction });
            let before = proxy.opened();
            let docker = connect(proxy.host());
            for _ in 0..5 {
                assert!(docker.containers().list().await.unwrap().is_empty());
            }
            assert_eq!(proxy.opened() - before, 1);
        }
    }
}

#[tokio::test]
async fn answers_cut_and_reset_over_unix_and_tcp() {
    let whole = empty_list();
    let server = Server::new(whole.clone(), false);
    for proxy in [FaultProxy::unix(&server.socket).await.unwrap(), FaultProxy::tcp(&server.socket).await.unwrap()] {
        let docker = connect(proxy.host());
        for position in 0..whole.len() as u64 {
            let cut = Direction { cut_after: Some(position), ..Direction::default() };
            let reset = Direction { reset_after: Some(position), ..Direction::default() };
            for to_client in [cut, reset] {
                docker.close();
                proxy.set(Faults { to_client, ..Faults::default() });
                let error = docker.containers().list().await.unwrap_err();
                let known = matches!(error.kind(), ErrorKind::Closed | ErrorKind::Truncated);
                assert!(known && error.operation() == "list containers", "{to_client:?}: {error:?}");
                proxy.set(Faults::default());
                docker.containers().list().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_closes_its_connections_unasked_is_none_the_worse() {
    let server = Server::new(empty_list(), true);
    let tcp = FaultProxy::tcp(&server.socket).await.unwrap();
    for host in [format!("unix://{}", server.socket.display()), tcp.host()] {
        let docker = connect(host);
        for _ in 0..200 {
            docker.containers().list().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_closes_its_socket() {
    let fields = ["Content-Type: application/vnd.docker.raw-stream", "Transfer-Encoding: chunked"];
    let server = Server::new(answer("200 OK", &fields, "2\r\na\n\r\n"), false);
    for proxy in [FaultProxy::unix(&server.socket).await.unwrap(), FaultProxy::tcp(&server.socket).await.unwrap()] {
        let docker = connect(proxy.host());
        let mut logs = docker.container("web").logs().follow().await.unwrap();
        assert_eq!(&logs.next().await.unwrap().unwrap().bytes[..], b"a\n");
        assert_eq!(proxy.alive(), 1);
        drop(logs);
        let closed = async {
            while proxy.alive() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), closed).await.unwrap();
    }
}

#[tokio::test]
async fn a_stalled_answer_ends_at_its_deadline() {
    let whole = empty_list();
    let server = Server::new(whole.clone(), false);
    let proxy = FaultProxy::tcp(&server.socket).await.unwrap();
    let deadlines = longshore::Deadlines::default().head(Duration::from_millis(40)).idle(Duration::from_millis(40));
    let docker = connect(proxy.host()).with_deadlines(deadlines);
    for position in [0, 20, whole.len() as u64 - 1] {
        docker.close();
        let to_client = Direction { stall_after: Some(position), ..Direction::default() };
        proxy.set(Faults { to_client, ..Faults::default() });
        assert!(docker.containers().list().await.unwrap_err().is_timeout());
    }
    proxy.set(Faults::default());
    docker.with_deadlines(longshore::Deadlines::default()).containers().list().await.unwrap();
}
