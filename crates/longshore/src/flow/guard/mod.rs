//! Things that are removed when the program has done with them, however that comes.
//!
//! A [`Guard`] holds a container, network, volume or image, and removes it when it is dropped: at the end of its scope, by
//! a panic that unwinds, by the cancellation of the future that holds it. An [`Owner`] guards what it creates from before
//! the creation on, and marks it with labels, by which [`Owner::reap`] finds what a process has left that was killed. On
//! Ctrl-C and its like a program removes what it guards by [`exit_on_signals`], or by [`signals`] and [`remove_all`].
//!
//! # How a drop removes
//! Dropping can't await, and the runtime may be gone. So one thread of this library's, which the first guard that needs it
//! starts, has a runtime of its own and opens connections of its own, by the same way as the client of the guard. The drop
//! waits for it: until the thing is removed, [10 seconds](Guard::within) at most, since the process may end right after.
//! Meanwhile the thread that drops does nothing else, so in a program with many tasks [`Guard::remove`] is kinder. What
//! can't be removed is told by a warning of `tracing`.
//!
//! Guards may be dropped in any order. A network, volume or image that a guarded container of this process still uses
//! waits for it, without holding the drop up: whoever removes the container removes them too.
//!
//! # What is not removed
//! Nothing runs when a process is killed, aborts, or ends by [`std::process::exit`]; [`Owner::reap`] is for the first two
//! and [`remove_all`] for the last. A guard in a `static` is never dropped, nor is one that was given to
//! [`std::mem::forget`]; [`remove_all`] removes what they hold as well. In a copy of the process that `fork` has made,
//! guards do nothing.

mod handles;
mod keeper;
mod make;
mod owner;
mod process;
mod reap;
mod registry;
mod removal;
mod signals;
mod strays;
mod thing;

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

pub use owner::Owner;
pub use removal::{Removed, remove_all};
pub use signals::{Signal, Signals, exit_on_signals, signals};

use self::registry::Entry;
use crate::error::Result;

/// How long the removal of a thing may take, unless another time is set.
const PATIENCE: Duration = Duration::from_secs(10);

/// A container, network, volume or image that is removed when this is dropped. Use it as the handle that it holds.
///
/// The drop waits until the thing is removed; see [the module](self) for how, and what it does not cover.
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// use longshore::Spec;
/// use longshore::condition::port;
///
/// let spec = Spec::image("postgres:17").env("POSTGRES_PASSWORD", "x");
/// let db = docker.containers().run(spec).await?.guard();
/// db.wait_until(port(5432)).await?;
/// // Removed here, or by whatever ends this function before.
/// # Ok(())
/// # }
/// ```
///
/// | thing | removed |
/// |---|---|
/// | container | by its id, running or not, with its anonymous volumes |
/// | network | by its id, once no container is connected to it |
/// | volume | by its name, if it is the same volume still, once no container uses it |
/// | image | its name is taken off, if it is that of the same image still, and with its last name the image goes; one that was guarded by its id loses the names that it had then, and stays if it has got others since. Never one that a container uses |
///
/// What is gone already is fine.
#[must_use = "what it holds is removed when it is dropped"]
pub struct Guard<T> {
    handle: T,
    hold: Hold,
}

impl<T> Guard<T> {
    fn new(handle: T, hold: Hold) -> Self {
        Guard { handle, hold }
    }

    /// Lets the removal take so long, instead of 10 seconds; a drop waits no longer than that.
    pub fn within(self, limit: Duration) -> Self {
        registry::set_patience(self.hold.number, limit);
        self
    }

    /// Removes the thing now. While containers use it, this is tried again until the guard's time is over.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is still used then; [`Timeout`](crate::ErrorKind::Timeout), and
    /// whatever the removal itself can fail with. It is not tried again: the guard is gone.
    ///
    /// # Cancel safety
    /// When the future is dropped, the guard is dropped, which removes the thing.
    pub async fn remove(self) -> Result<()> {
        let Some(entry) = registry::look(self.hold.number) else { return Ok(()) };
        let outcome = removal::remove_for_caller(&entry).await;
        self.hold.release();
        removal::remove_postponed(registry::take_postponed(&entry.thing)).await;
        outcome
    }

    /// Gives the guard up: the thing stays.
    #[doc(alias = "into_inner")]
    pub fn keep(self) -> T {
        let postponed = self.hold.release().map(|entry| registry::take_postponed(&entry.thing)).unwrap_or_default();
        if !postponed.is_empty() {
            // What waited for this to be removed waits no longer, though it may be in vain.
            let _ = keeper::spawn(removal::remove_postponed(postponed));
        }
        self.handle
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.handle
    }
}

impl<T: fmt::Debug> fmt::Debug for Guard<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Guard").field(&self.handle).finish()
    }
}

/// What a guard does, whatever it holds: the thing of this number is removed when this is dropped.
struct Hold {
    number: u64,
}

impl Hold {
    fn new(entry: Entry) -> Self {
        Hold { number: registry::add(entry) }
    }

    /// The thing is not to be removed by this any more.
    fn release(&self) -> Option<Entry> {
        registry::take(self.number)
    }
}

impl Drop for Hold {
    #[inline]
    fn drop(&mut self) {
        if let Some(entry) = registry::take(self.number) {
            removal::remove_now(entry);
        }
    }
}
