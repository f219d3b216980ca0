//! The thread that removes and creates what is guarded, with a runtime of its own: one for a process.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// It lives as long as the process, since connections may have been opened by it that others still use.
static KEEPER: Mutex<Option<Keeper>> = Mutex::new(None);

struct Keeper {
    jobs: UnboundedSender<Job>,
    thread: ThreadId,
    /// A process that `fork` has made has none of its parent's threads.
    process: u32,
}

impl Keeper {
    fn start() -> io::Result<Keeper> {
        let (jobs, mut coming) = unbounded_channel::<Job>();
        let (started, starting) = sync_channel(1);
        let work = async move {
            while let Some(job) = coming.recv().await {
                tokio::spawn(job);
            }
        };
        // A runtime must not be dropped by a thread that may be another's, as it would be if it were made here.
        let run = move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let _ = started.send(Ok(()));
                runtime.block_on(work);
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        };
        let thread = thread::Builder::new().name("longshore guard".to_owned()).spawn(run)?;
        starting.recv().map_err(io::Error::other)??;
        Ok(Keeper { jobs, thread: thread.thread().id(), process: std::process::id() })
    }
}

/// Lets the thread do something.
pub(super) fn spawn(job: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    if keeper.as_ref().is_some_and(|keeper| keeper.process != std::process::id()) {
        // It is not this process's to end.
        std::mem::forget(keeper.take());
    }
    let keeper = match &mut *keeper {
        Some(keeper) => keeper,
        none => none.insert(Keeper::start()?),
    };
    keeper.jobs.send(Box::pin(job)).map_err(|_| io::Error::other("the thread for what is guarded has ended"))
}

/// Whether this is the thread itself, which must not wait for itself.
pub(super) fn is_here() -> bool {
    let keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    keeper.as_ref().is_some_and(|keeper| keeper.thread == thread::current().id())
}

/// Lets the thread do something, and waits for what comes of it, but no longer than `limit`. What comes later is given
/// to `late`, on that thread.
pub(super) fn wait_for<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    limit: Duration,
    late: fn(T),
) -> io::Result<T> {
    let (sender, receiver) = sync_channel(1);
    spawn(async move {
        if let Err(unsent) = sender.send(work.await) {
            late(unsent.0);
        }
    })?;
    if is_here() {
        return Err(io::Error::other("it was dropped by the thread that removes it"));
    }
    receiver.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => io::ErrorKind::TimedOut.into(),
        RecvTimeoutError::Disconnected => io::Error::other("the removal has panicked"),
    })
}
