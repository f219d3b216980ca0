//! A scripted engine on a unix socket.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use longshore::transport::{Dial, Io};
use longshore_testkit::ScriptedEngine;
use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// What becomes of a connection before the engine has it.
pub(crate) type Accepting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>>;

/// The socket. It ends, and cuts its connections, when it is dropped.
pub(crate) struct Served {
    socket: PathBuf,
    playing: Arc<Mutex<Playing>>,
    serving: JoinHandle<()>,
}

/// An engine and the connections to it.
#[derive(Default)]
struct Playing {
    engine: ScriptedEngine,
    connections: JoinSet<io::Result<()>>,
}

impl Served {
    pub(crate) fn plain() -> Self {
        Served::through(|stream| Box::pin(async { Ok(Box::new(stream) as Box<dyn Io>) }))
    }

    pub(crate) fn through(accept: impl Fn(UnixStream) -> Accepting + Send + 'static) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("longshore-served-{}-{count}.sock", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        let playing = Arc::new(Mutex::new(Playing::default()));
        let played = playing.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let accepting = accept(stream);
                let mut playing = played.lock().unwrap();
                let engine = playing.engine.clone();
                playing.connections.spawn(async move {
                    let (mut near, mut far) = (accepting.await?, engine.dial().await?);
                    copy_bidirectional(&mut near, &mut far).await.map(drop)
                });
            }
        });
        Served { socket, playing, serving }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Lets this engine have the connections that are opened from now on. Those to the last one are cut.
    pub(crate) fn play(&self, engine: ScriptedEngine) {
        *self.playing.lock().unwrap() = Playing { engine, ..Playing::default() };
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
        // What stays behind is in the folder for temporary files.
        let _ = std::fs::remove_file(&self.socket);
    }
}
