//! A proxy before a real engine that breaks connections.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// What is done to a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// To what the client sends.
    pub to_engine: Direction,
    /// To what the engine sends.
    pub to_client: Direction,
}

/// What is done to the bytes that go one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Closes the connection, both ways, after so many bytes.
    pub cut_after: Option<u64>,
    /// Resets the client's connection after so many bytes. A unix socket knows no reset: there it is closed.
    pub reset_after: Option<u64>,
    /// Forwards nothing more after so many bytes, and leaves the connection open.
    pub stall_after: Option<u64>,
    /// Forwards so many bytes at a time, each with a system call of its own.
    pub piece: Option<usize>,
    /// Waits so long before each of these.
    pub delay: Option<Duration>,
}

/// A proxy before the unix socket of an engine. It ends, and cuts its connections, when it is dropped.
///
/// Its address is a unix socket or a TCP port of this machine, so that it serves to reach an engine over TCP too.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use longshore_testkit::{Direction, FaultProxy, Faults};
///
/// let proxy = FaultProxy::tcp("/run/engine.sock").await?;
/// let docker = longshore::Docker::connect_to(proxy.host())?;
/// docker.ping().await?;
/// let to_client = Direction { reset_after: Some(100), ..Direction::default() };
/// proxy.set(Faults { to_client, ..Faults::default() });
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: Address,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
enum Address {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

#[derive(Debug)]
struct Shared {
    engine: PathBuf,
    faults: Mutex<Faults>,
    opened: AtomicUsize,
    alive: AtomicUsize,
    /// The most bytes that a connection has brought to a client.
    longest: AtomicU64,
    connections: Mutex<JoinSet<()>>,
}

impl FaultProxy {
    /// Listens on a unix socket of its own, in the folder for temporary files.
    ///
    /// # Errors
    /// When the socket can't be made.
    pub async fn unix(engine: impl AsRef<Path>) -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("longshore-proxy-{}-{count}.sock", std::process::id()));
        let listener = UnixListener::bind(&path)?;
        let shared = Shared::new(engine);
        let listening = tokio::spawn(shared.clone().serve_unix(listener));
        Ok(FaultProxy { shared, address: Address::Unix(path), listening })
    }

    /// Listens on a TCP port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn tcp(engine: impl AsRef<Path>) -> io::Result<Self> {
        FaultProxy::over(std::net::TcpListener::bind("127.0.0.1:0")?, engine)
    }

    /// Listens on a TCP port that there is already, maybe of another network namespace.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub fn over(listener: std::net::TcpListener, engine: impl AsRef<Path>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = Address::Tcp(listener.local_addr()?);
        let shared = Shared::new(engine);
        let listening = tokio::spawn(shared.clone().serve_tcp(listener));
        Ok(FaultProxy { shared, address, listening })
    }

    /// The address to connect to, such as `tcp://127.0.0.1:40000`.
    pub fn host(&self) -> String {
        match &self.address {
            Address::Unix(path) => format!("unix://{}", path.display()),
            Address::Tcp(address) => format!("tcp://{address}"),
        }
    }

    /// Whether a reset is one for the client: a unix socket is closed instead, as by a cut.
    pub fn has_resets(&self) -> bool {
        matches!(self.address, Address::Tcp(_))
    }

    /// Says what is done to the connections that are opened from now on.
    pub fn set(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Cuts the connections that are open now. One that has fallen silent ends in no other way.
    pub fn cut_all(&self) {
        self.shared.end_all();
    }

    /// How many connections were opened in all.
    pub fn opened(&self) -> usize {
        self.shared.opened.load(Ordering::SeqCst)
    }

    /// The most bytes that one connection has brought to a client since this was last asked.
    pub fn longest(&self) -> u64 {
        self.shared.longest.swap(0, Ordering::SeqCst)
    }

    /// How many connections are open now.
    pub fn alive(&self) -> usize {
        self.shared.alive.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.shared.end_all();
        if let Address::Unix(path) = &self.address {
            // Nothing can be done about a socket that stays behind.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Shared {
    fn new(engine: impl AsRef<Path>) -> Arc<Self> {
        Arc::new(Shared {
            engine: engine.as_ref().to_owned(),
            faults: Mutex::default(),
            opened: AtomicUsize::new(0),
            alive: AtomicUsize::new(0),
            longest: AtomicU64::new(0),
            connections: Mutex::default(),
        })
    }

    async fn serve_unix(self: Arc<Self>, listener: UnixListener) {
        while let Ok((client, _)) = listener.accept().await {
            self.keep(self.clone().forward(client, |_| {}));
        }
    }

    async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            // What can't be set here only makes segments larger.
            let _ = client.set_nodelay(true);
            self.keep(self.clone().forward(client, reset));
        }
    }

    fn keep(&self, forwarding: impl Future<Output = ()> + Send + 'static) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.spawn(forwarding);
        while connections.try_join_next().is_some() {}
    }

    fn end_all(&self) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Carries bytes both ways until both have ended or a fault ends them.
    async fn forward<C: AsyncRead + AsyncWrite + Unpin>(self: Arc<Self>, mut client: C, reset: fn(&C)) {
        let faults = *self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        self.opened.fetch_add(1, Ordering::SeqCst);
        let _alive = Alive::new(&self.alive);
        let Ok(mut engine) = UnixStream::connect(&self.engine).await else { return };
        let ended = {
            let (from_client, to_client) = tokio::io::split(&mut client);
            let (from_engine, to_engine) = engine.split();
            let nobody = AtomicU64::new(0);
            let up = carry(from_client, to_engine, faults.to_engine, &nobody);
            let down = carry(from_engine, to_client, faults.to_client, &self.longest);
            let both = async { tokio::try_join!(up, down) };
            both.await.err()
        };
        if let Some(End::Reset) = ended {
            reset(&client);
        }
    }
}

/// Lets the connection be reset when it is dropped.
fn reset(client: &TcpStream) {
    // Without it the connection is closed, which the test will tell.
    let _ = socket2::SockRef::from(client).set_linger(Some(Duration::ZERO));
}

/// Counts a connection as long as it lives.
struct Alive<'a>(&'a AtomicUsize);

impl<'a> Alive<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Alive(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Why a connection is ended before both sides have.
enum End {
    Cut,
    Reset,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        End::Cut
    }
}

async fn carry<R, W>(mut from: R, mut to: W, direction: Direction, longest: &AtomicU64) -> Result<(), End>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; direction.piece.unwrap_or(64 * 1024).max(1)];
    let mut count = 0;
    loop {
        let left = |limit: Option<u64>| limit.map(|limit| limit.saturating_sub(count));
        match [left(direction.cut_after), left(direction.reset_after), left(direction.stall_after)] {
            [Some(0), _, _] => return Err(End::Cut),
            [_, Some(0), _] => return Err(End::Reset),
            [_, _, Some(0)] => std::future::pending().await,
            limits => {
                let limit = limits.into_iter().flatten().min().unwrap_or(u64::MAX);
                let most = usize::try_from(limit).unwrap_or(usize::MAX).min(buffer.len());
                let read = from.read(&mut buffer[..most]).await?;
                if read == 0 {
                    to.shutdown().await?;
                    return Ok(());
                }
                if let Some(delay) = direction.delay {
                    tokio::time::sleep(delay).await;
                }
                to.write_all(&buffer[..read]).await?;
                count += read as u64;
                longest.fetch_max(count, Ordering::SeqCst);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine that sends back what it gets.
    async fn echo() -> (tempfile::Folder, JoinHandle<()>) {
        let folder = tempfile::Folder::new();
        let listener = UnixListener::bind(folder.socket()).unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        (folder, serving)
    }

    mod tempfile {
        use std::path::PathBuf;
        use std::sync::atomic::{AtomicUsize, Ordering};

        pub(super) struct Folder(PathBuf);

        impl Folder {
            pub(super) fn new() -> Self {
                static COUNT: AtomicUsize = AtomicUsize::new(0);
                let count = COUNT.fetch_add(1, Ordering::Relaxed);
                let path = std::env::temp_dir().join(format!("longshore-testkit-{}-{count}", std::process::id()));
                std::fs::create_dir(&path).unwrap();
                Folder(path)
            }

            pub(super) fn socket(&self) -> PathBuf {
                self.0.join("engine.sock")
            }
        }

        impl Drop for Folder {
            fn drop(&mut self) {
                let _ = std::fs::remove_dir_all(&self.0);
            }
        }
    }

    async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut received = Vec::new();
        if let Err(error) = stream.write_all(b"0123456789").await {
            return (received, Some(error.kind()));
        }
        let _ = stream.shutdown().await;
        let outcome = stream.read_to_end(&mut received).await;
        (received, outcome.err().map(|error| error.kind()))
    }

    async fn connect(proxy: &FaultProxy) -> TcpStream {
        let Address::Tcp(address) = proxy.address else { panic!("not a TCP port") };
        TcpStream::connect(address).await.unwrap()
    }

    #[tokio::test]
    async fn without_faults_everything_is_carried_both_ways() {
        let (folder, serving) = echo().await;
        let unix = FaultProxy::unix(folder.socket()).await.unwrap();
        let Address::Unix(path) = &unix.address else { panic!("not a unix socket") };
        let path = path.clone();
        assert_eq!(exchange(UnixStream::connect(&path).await.unwrap()).await, (b"0123456789".to_vec(), None));
        let tcp = FaultProxy::tcp(folder.socket()).await.unwrap();
        assert_eq!(exchange(connect(&tcp).await).await, (b"0123456789".to_vec(), None));
        assert_eq!((unix.opened(), tcp.opened()), (1, 1));
        drop(unix);
        assert!(!path.exists());
        serving.abort();
    }

    #[tokio::test]
    async fn connections_are_cut_and_reset_after_exactly_so_many_bytes() {
        let (folder, serving) = echo().await;
        let proxy = FaultProxy::tcp(folder.socket()).await.unwrap();
        for piece in [None, Some(1), Some(3)] {
            let to_client = Direction { cut_after: Some(4), piece, ..Direction::default() };
            proxy.set(Faults { to_client, ..Faults::default() });
            assert_eq!(exchange(connect(&proxy).await).await, (b"0123".to_vec(), None));
            let to_engine = Direction { stall_after: Some(7), piece, ..Direction::default() };
            proxy.set(Faults { to_engine, to_client });
            assert_eq!(exchange(connect(&proxy).await).await.0, b"0123");
        }
        let to_client = Direction { reset_after: Some(4), ..Direction::default() };
        proxy.set(Faults { to_client, ..Faults::default() });
        let (received, error) = exchange(connect(&proxy).await).await;
        // A reset may overtake what was sent before it.
        assert!(b"0123".starts_with(&received), "{received:?}");
        assert_eq!(error, Some(io::ErrorKind::ConnectionReset));
        serving.abort();
    }

    #[tokio::test]
    async fn a_dropped_proxy_cuts_its_connections() {
        let (folder, serving) = echo().await;
        let proxy = FaultProxy::tcp(folder.socket()).await.unwrap();
        let mut stream = connect(&proxy).await;
        stream.write_all(b"a").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'a');
        assert_eq!(proxy.alive(), 1);
        drop(proxy);
        assert_eq!(stream.read(&mut [0]).await.unwrap_or_default(), 0);
        serving.abort();
    }
}
