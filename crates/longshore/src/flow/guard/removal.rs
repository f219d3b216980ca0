use std::io;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::registry::{self, Entry};
use super::thing::Thing;
use super::{PATIENCE, keeper};
use crate::error::{Error, ErrorKind, Operation, Result};

/// How long to wait before the next try: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// How often an engine's failure is taken for one that may pass. What is in use is tried until the time is over.
const TRIES: u32 = 6;

/// How much longer than a removal may take a drop waits for it, so that it is told what came of it.
const MARGIN: Duration = Duration::from_millis(250);

/// What [`remove_all`] or [`Owner::reap`](super::Owner::reap) did: ids, or names of what has none.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "it tells what could not be removed"]
pub struct Removed {
    /// The containers that were removed.
    pub containers: Vec<String>,
    /// The networks that were removed.
    pub networks: Vec<String>,
    /// The volumes that were removed.
    pub volumes: Vec<String>,
    /// The images that were removed, or a name of which was.
    pub images: Vec<String>,
    /// Why something could not be removed: an error for each.
    pub failures: Vec<Error>,
}

impl Removed {
    /// How many things were removed.
    pub fn len(&self) -> usize {
        self.containers.len() + self.networks.len() + self.volumes.len() + self.images.len()
    }

    /// Whether nothing was removed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn note(&mut self, thing: &Thing, outcome: Result<()>) {
        let names = match thing {
            Thing::Container(_) => &mut self.containers,
            Thing::Network(_) => &mut self.networks,
            Thing::Volume { .. } => &mut self.volumes,
            Thing::Image { .. } => &mut self.images,
        };
        match outcome {
            Ok(()) => names.push(thing.name().to_owned()),
            Err(error) => self.failures.push(error),
        }
    }
}

/// Removes all that is guarded in this process, containers first: for programs that end without dropping their guards,
/// such as by [`std::process::exit`].
///
/// The guards stay, and guard nothing any more. Creations of an [`Owner`](super::Owner) that are under way end with an
/// error, and what they have made is removed. Nothing is created anew by this, but the program may do so meanwhile: what
/// is guarded after the call has begun stays.
///
/// ```no_run
/// # async fn example() {
/// let removed = longshore::guard::remove_all().await;
/// for failure in &removed.failures {
///     eprintln!("{failure}");
/// }
/// std::process::exit(1);
/// # }
/// ```
///
/// # Cancel safety
/// When the future is dropped after it was polled, the removal goes on, as long as the process lives.
pub async fn remove_all() -> Removed {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = async move {
        // Nobody may be waiting any more.
        let _ = sender.send(clear().await);
    };
    let failed = |message: &str| Removed { failures: vec![trouble(message)], ..Removed::default() };
    match keeper::spawn(work) {
        Ok(()) => receiver.await.unwrap_or_else(|_| failed("the removal has panicked")),
        Err(error) => failed(&error.to_string()),
    }
}

fn trouble(message: &str) -> Error {
    Operation::new("remove all that is guarded").error(ErrorKind::Io, message)
}

/// Removes all that is guarded, on the thread for it.
pub(super) async fn clear() -> Removed {
    registry::doom_makings();
    let mut removed = Removed::default();
    remove_in_order(registry::take_all(), &mut removed).await;
    let end = Instant::now() + PATIENCE;
    while registry::is_making() && Instant::now() < end {
        tokio::time::sleep(PAUSES.0).await;
    }
    removed
}

/// Removes these, which are in order: all containers at once, then all networks and so on.
async fn remove_in_order(entries: Vec<Entry>, removed: &mut Removed) {
    for same in entries.chunk_by(|one, other| one.thing.rank() == other.thing.rank()) {
        let mut removals = JoinSet::new();
        for entry in same.iter().cloned() {
            removals.spawn(async move {
                let outcome = remove(&entry).await.into_result();
                (entry.thing, outcome)
            });
        }
        while let Some(outcome) = removals.join_next().await {
            match outcome {
                Ok((thing, outcome)) => removed.note(&thing, outcome),
                Err(error) => removed.failures.push(trouble(&error.to_string())),
            }
        }
    }
}

/// What came of a removal.
pub(super) enum Outcome {
    Removed,
    /// Containers use it, of which one is guarded itself.
    InUse(Error, Vec<String>),
    Failed(Error),
}

impl Outcome {
    pub(super) fn into_result(self) -> Result<()> {
        match self {
            Outcome::Removed => Ok(()),
            Outcome::InUse(error, _) | Outcome::Failed(error) => Err(error),
        }
    }
}

/// Removes a thing from a `drop`, and waits for it.
#[inline]
pub(super) fn remove_now(entry: Entry) {
    if entry.process != std::process::id() {
        return;
    }
    let (thing, limit) = (entry.thing.clone(), entry.patience.saturating_add(MARGIN));
    match keeper::wait_for(take_down(entry), limit, warn_all) {
        Ok(failures) => warn_all(failures),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            tracing::warn!(%thing, "what was guarded is not removed yet; its drop waits no longer");
        }
        Err(error) => tracing::warn!(%thing, %error, "nothing waits for the removal of what was guarded"),
    }
}

pub(super) type Failures = Vec<(Thing, Error)>;

pub(super) fn warn_all(failures: Failures) {
    for (thing, error) in failures {
        tracing::warn!(%thing, %error, "what was guarded is left behind");
    }
}

/// Removes a thing, and what was waiting for that.
pub(super) async fn take_down(entry: Entry) -> Failures {
    let mut failures = Vec::new();
    let thing = entry.thing.clone();
    settle(entry, &mut failures).await;
    for entry in registry::take_postponed(&thing) {
        settle(entry, &mut failures).await;
    }
    failures
}

/// Removes what was waiting for a thing that is gone, or that is not guarded any more.
pub(super) async fn remove_postponed(entries: Vec<Entry>) {
    let mut failures = Vec::new();
    for entry in entries {
        settle(entry, &mut failures).await;
    }
    warn_all(failures);
}

async fn settle(mut entry: Entry, failures: &mut Failures) {
    loop {
        match remove(&entry).await {
            Outcome::Removed => return tracing::debug!(thing = %entry.thing, "removed what was guarded"),
            Outcome::Failed(error) => return failures.push((entry.thing, error)),
            Outcome::InUse(_, users) => {
                tracing::debug!(thing = %entry.thing, "a guarded container uses it; it is removed after that");
                // One that was guarded a moment ago may be gone by now.
                let Some(again) = registry::postpone(entry, users) else { return };
                entry = again;
            }
        }
    }
}

/// Removes a thing, and tries again for as long as its guard says while that may help.
pub(super) async fn remove(entry: &Entry) -> Outcome {
    let attempts = Attempts { entry, yields: true };
    attempts.run().await
}

/// Removes a thing for a caller that waits, whether a guarded container uses it or not.
pub(super) async fn remove_for_caller(entry: &Entry) -> Result<()> {
    let attempts = Attempts { entry, yields: false };
    attempts.run().await.into_result()
}

struct Attempts<'a> {
    entry: &'a Entry,
    /// Whether to end as soon as it is known that a guarded container uses the thing.
    yields: bool,
}

impl Attempts<'_> {
    async fn run(&self) -> Outcome {
        let Entry { docker, thing, patience, .. } = self.entry;
        let begun = Instant::now();
        let left = || patience.saturating_sub(begun.elapsed());
        let mut pause = PAUSES.0;
        let mut last = None;
        for tries in 1.. {
            let error = match tokio::time::timeout(left(), thing.remove(docker)).await {
                Ok(Ok(())) => return Outcome::Removed,
                Ok(Err(error)) => error,
                Err(_) => break,
            };
            let in_use = matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Server);
            if self.yields && in_use {
                let users = tokio::time::timeout(left(), thing.users(docker)).await.unwrap_or_default();
                if registry::guards_any(&users) {
                    return Outcome::InUse(error, users);
                }
            }
            if left().is_zero() || !may_pass(&error, tries) {
                return Outcome::Failed(error);
            }
            last = Some(error);
            tokio::time::sleep(pause.min(left())).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        Outcome::Failed(last.unwrap_or_else(|| late(thing, *patience)))
    }
}

/// Whether a removal that failed so may succeed a little later.
fn may_pass(error: &Error, tries: u32) -> bool {
    match error.kind() {
        ErrorKind::Conflict => true,
        ErrorKind::Server | ErrorKind::Unavailable | ErrorKind::Closed | ErrorKind::Truncated => tries < TRIES,
        _ => false,
    }
}

fn late(thing: &Thing, limit: Duration) -> Error {
    let name = match thing {
        Thing::Container(_) => "remove container",
        Thing::Network(_) => "remove network",
        Thing::Volume { .. } => "remove volume",
        Thing::Image { .. } => "remove image",
    };
    Operation::on(name, thing.name()).error(ErrorKind::Timeout, format!("not removed within {limit:?}"))
}
