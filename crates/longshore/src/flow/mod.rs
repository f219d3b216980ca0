//! What takes more than one call: running, replacing, copying, building, resuming.

#[cfg(any(feature = "archive", feature = "build"))]
mod bridge;
#[cfg(feature = "build")]
mod build;
#[cfg(feature = "archive")]
mod copy;
#[cfg(any(feature = "archive", feature = "build"))]
mod files;
pub mod guard;
pub(crate) mod ready;
mod replace;
mod resume;
mod run;

use std::hash::{BuildHasher, Hasher, RandomState};

pub use ready::{Ready, WaitUntil};
pub use replace::Change;
pub use resume::{Missed, ResumeEvents, ResumeLogs, Resumed, Resuming, ResumingEvents, ResumingLines};
pub use run::Run;

/// A word of 16 hexadecimal digits for names that nobody else has.
fn random_word() -> String {
    // Every `RandomState` has keys of its own.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
