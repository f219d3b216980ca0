//! Streams that go on where their connection was lost.

mod backoff;
mod events;
mod lines;
mod logs;
mod message;
mod position;

use std::fmt;
use std::time::Duration;

pub use events::{ResumeEvents, ResumingEvents};
pub use lines::ResumingLines;
pub use logs::ResumeLogs;

/// What a stream that goes on after a lost connection gives: its items, and where it was interrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resuming<T> {
    /// The next item.
    Item(T),
    /// The stream was interrupted here, and goes on.
    Resumed(Resumed),
}

impl<T> Resuming<T> {
    /// The item, for those who need not know of interruptions.
    pub fn item(self) -> Option<T> {
        match self {
            Resuming::Item(item) => Some(item),
            Resuming::Resumed(_) => None,
        }
    }
}

/// Tells that a stream was interrupted, and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resumed {
    /// How long the interruption was: from when it was noticed until the stream went on.
    pub after: Duration,
    /// How often the engine was asked, the last time with success.
    pub attempts: u32,
    /// Whether all that was told in between comes now.
    pub missed: Missed,
}

/// What of an interruption the engine can't give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missed {
    /// Nothing: the engine has begun again with what had come last, and what follows it is new.
    Nothing,
    /// It can't be told: the engine does not know what had come last any more.
    Unknown,
}

impl fmt::Display for Resumed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = if self.attempts == 1 { "attempt" } else { "attempts" };
        write!(formatter, "resumed after {:.1?} with {} {times}", self.after, self.attempts)?;
        match self.missed {
            Missed::Nothing => Ok(()),
            Missed::Unknown => formatter.write_str("; something may be missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_is_told_in_a_sentence() {
        let resumed = Resumed { after: Duration::from_millis(1_234), attempts: 1, missed: Missed::Nothing };
        assert_eq!(resumed.to_string(), "resumed after 1.2s with 1 attempt");
        let resumed = Resumed { attempts: 3, missed: Missed::Unknown, ..resumed };
        assert_eq!(resumed.to_string(), "resumed after 1.2s with 3 attempts; something may be missing");
    }

    #[test]
    fn streams_can_be_sent_to_other_tasks_and_polled_without_pinning() {
        fn check<T: futures_core::Stream + Send + Unpin + 'static>() {}
        check::<ResumingLines>();
        check::<ResumingEvents>();
    }
}
