//! Creations that nothing can cut in two: they are made by the thread for what is guarded, and what they have made is
//! guarded before anybody hears of it.

use std::future::Future;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use super::registry::{self, Entry};
use super::thing::Thing;
use super::{Hold, keeper, removal};
use crate::docker::Docker;
use crate::error::{Error, ErrorKind, Operation, Result};

/// Something to create.
pub(super) struct Making<C, S> {
    pub(super) docker: Docker,
    pub(super) patience: Duration,
    pub(super) operation: Operation,
    /// Creates it, and tells what it is.
    pub(super) create: C,
    /// Removes what may have been created although the answer did not come.
    pub(super) remove_strays: S,
}

impl<C, S, M> Making<C, S>
where
    C: Future<Output = Result<(Thing, M)>> + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
    M: Send + 'static,
{
    /// Creates the thing. When this is dropped, the creation ends all the same, and what it has made is removed.
    pub(super) async fn make(self) -> Result<(Hold, M)> {
        let operation = self.operation.clone();
        let failed = |message: String| operation.error(ErrorKind::Unavailable, message);
        let Some(number) = registry::begin_making() else {
            return Err(failed("this process is ending".to_owned()));
        };
        let (sender, receiver) = oneshot::channel();
        let (finished, finish) = channel();
        let mut waiting =
            Waiting { receiver, finish, patience: self.patience, operation: self.operation.clone(), done: false };
        let work = async move {
            self.carry_out(number, sender).await;
            registry::end_making(number);
            drop(finished);
        };
        if let Err(error) = keeper::spawn(work) {
            registry::end_making(number);
            return Err(failed(error.to_string()));
        }
        let outcome = (&mut waiting.receiver).await;
        waiting.done = true;
        outcome.unwrap_or_else(|_| Err(failed("all that this process guards was removed meanwhile".to_owned())))
    }

    async fn carry_out(self, number: u64, answer: oneshot::Sender<Result<(Hold, M)>>) {
        match self.create.await {
            Ok((thing, made)) => {
                let hold = Hold::new(Entry::new(&self.docker, thing, self.patience));
                let unwanted = match registry::is_doomed(number) {
                    true => Some(hold),
                    false => answer.send(Ok((hold, made))).err().and_then(Result::ok).map(|(hold, _)| hold),
                };
                if let Some(entry) = unwanted.and_then(|hold| registry::take(hold.number)) {
                    removal::warn_all(removal::take_down(entry).await);
                }
            }
            Err(error) => {
                let is_unsure = may_have_been_made(&error);
                // Nobody may be waiting any more.
                let _ = answer.send(Err(error));
                if is_unsure {
                    self.remove_strays.await;
                }
            }
        }
    }
}

/// Whether the engine may have done what it has not answered to.
fn may_have_been_made(error: &Error) -> bool {
    error.status().is_none()
        && !matches!(error.kind(), ErrorKind::Connect | ErrorKind::Unsupported | ErrorKind::Config | ErrorKind::Invalid)
}

/// A wait for a creation. When it is dropped before the creation is done, that is waited for, and the removal of what was
/// made.
struct Waiting<T> {
    receiver: oneshot::Receiver<T>,
    finish: Receiver<()>,
    patience: Duration,
    operation: Operation,
    done: bool,
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.receiver.close();
        if let Ok(made) = self.receiver.try_recv() {
            // The drop of a guard.
            drop(made);
            return;
        }
        if keeper::is_here() {
            return;
        }
        if let Err(RecvTimeoutError::Timeout) = self.finish.recv_timeout(self.patience) {
            let message = "given up while the engine works on it; what it makes will be removed";
            let error = self.operation.error(ErrorKind::Timeout, message);
            tracing::warn!(%error, "the drop of a creation waits no longer");
        }
    }
}
