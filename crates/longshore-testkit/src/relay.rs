//! A relay that makes the way to a port longer.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A port before another: what comes to it arrives later, but as fast. It ends when it is dropped.
///
/// It counts round trips, which tell what a call costs on any way, whatever else the machine is doing.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let relay = longshore_testkit::Relay::start(22, std::time::Duration::from_millis(50)).await?;
/// println!("a round trip through 127.0.0.1:{} takes 100 ms", relay.port());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Relay {
    port: u16,
    listening: JoinHandle<()>,
    trips: Arc<Mutex<Trips>>,
}

/// How often the far side has answered.
#[derive(Debug, Default)]
struct Trips {
    count: usize,
    asked: bool,
}

impl Relay {
    /// Leads to a port of 127.0.0.1; each way takes so long.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(to: u16, delay: Duration) -> io::Result<Self> {
        Relay::closing(0, to, delay).await
    }

    /// The same without a delay, where so many connections are closed as soon as they come.
    ///
    /// # Errors
    /// As [`start`](Relay::start).
    pub async fn closing_first(count: usize, to: u16) -> io::Result<Self> {
        Relay::closing(count, to, Duration::ZERO).await
    }

    async fn closing(count: usize, to: u16, delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let trips = Arc::<Mutex<Trips>>::default();
        let counting = trips.clone();
        let listening = tokio::spawn(async move {
            for number in 0.. {
                let Ok((near, _)) = listener.accept().await else { return };
                if number >= count {
                    tokio::spawn(relay(near, to, delay, counting.clone()));
                }
            }
        });
        Ok(Relay { port, listening, trips })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How often something came back after something had gone out.
    pub fn round_trips(&self) -> usize {
        lock(&self.trips).count
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn lock(trips: &Mutex<Trips>) -> MutexGuard<'_, Trips> {
    trips.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn relay(near: TcpStream, to: u16, delay: Duration, trips: Arc<Mutex<Trips>>) -> io::Result<()> {
    let far = TcpStream::connect(("127.0.0.1", to)).await?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    let asking = || lock(&trips).asked = true;
    let answering = || {
        let mut trips = lock(&trips);
        trips.count += usize::from(std::mem::take(&mut trips.asked));
    };
    tokio::try_join!(carry(from_near, to_far, delay, asking), carry(from_far, to_near, delay, answering)).map(drop)
}

/// Hands on what comes, each piece when it is due; others come meanwhile.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
    note: impl Fn(),
) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async move {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            if count > 0 {
                note();
            }
            // Whoever writes has ended for an error that is told there.
            if count == 0 || sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
                return Ok(());
            }
        }
    };
    let writing = async move {
        while let Some((due, bytes)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reading, writing).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_way_takes_as_long_as_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let delay = Duration::from_millis(30);
        let relay = Relay::start(listener.local_addr().unwrap().port(), delay).await.unwrap();
        let mut near = TcpStream::connect(("127.0.0.1", relay.port())).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let begun = Instant::now();
        near.write_all(b"x").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'x');
        assert!(begun.elapsed() >= delay, "{:?}", begun.elapsed());
        far.write_all(b"y").await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), b'y');
        assert!(begun.elapsed() >= delay * 2, "{:?}", begun.elapsed());
        assert_eq!(relay.round_trips(), 1);
        drop(near);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    }
}
