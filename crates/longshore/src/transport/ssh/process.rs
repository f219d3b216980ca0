use std::io;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::process::Child;

/// Processes that were killed and have yet to be reaped.
static KILLED: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// A process that is killed when this is dropped, and reaped even where no runtime is left to do so.
pub(super) struct Process(Option<Child>);

impl Process {
    pub(super) fn new(child: Child) -> Self {
        Process(Some(child))
    }

    /// How it has ended, once it has.
    #[cfg(unix)]
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// Waits until it ends.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        match &mut self.0 {
            Some(child) => child.wait().await,
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        // One that has just ended by itself is as good.
        let _ = child.start_kill();
        let mut killed = killed();
        killed.push(child);
        // Whoever finds the list empty starts the thread, which ends when it leaves it so.
        if killed.len() == 1 && thread::Builder::new().name("longshore ssh".to_owned()).spawn(reap).is_err() {
            killed.clear();
        }
    }
}

/// Reaps what was killed: within a moment, since nothing can put off its end.
fn reap() {
    let mut pause = Duration::from_millis(1);
    loop {
        {
            let mut killed = killed();
            killed.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
            if killed.is_empty() {
                return;
            }
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn killed() -> MutexGuard<'static, Vec<Child>> {
    KILLED.lock().unwrap_or_else(PoisonError::into_inner)
}
