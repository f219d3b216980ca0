use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::{Missed, Resumed};
use crate::docker::Docker;
use crate::error::{Error, ErrorKind, Operation, Result};

/// How hard to try to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) attempts: u32,
    pub(super) within: Duration,
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
    pub(super) idle: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            attempts: 20,
            within: Duration::from_secs(300),
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(10),
            idle: None,
        }
    }
}

impl Limits {
    /// The client for one connection, which may be silent for so long, of a stream that has to end by then.
    pub(super) fn client(&self, docker: &Docker, end: Option<Instant>) -> Docker {
        let mut deadlines = *docker.deadlines();
        deadlines.idle = [deadlines.idle, self.idle].into_iter().flatten().min();
        deadlines.total = end.map(|end| end.saturating_duration_since(Instant::now()));
        docker.with_deadlines(deadlines)
    }

    /// How long to wait before the next attempt, when so many have been in vain: twice as long as before, less up to
    /// half of it by chance, so that many who lost the same engine don't return at once.
    fn pause(&self, in_vain: u32) -> Duration {
        let Some(doublings) = in_vain.checked_sub(1) else { return Duration::ZERO };
        let pause = self.first_pause.saturating_mul(1 << doublings.min(20)).min(self.longest_pause);
        // Every `RandomState` has keys of its own.
        let chance = RandomState::new().build_hasher().finish() >> 32;
        pause / 2 + (pause / 2).mul_f64(chance as f64 / f64::from(u32::MAX))
    }
}

/// An interruption of a stream: from the loss of a connection to when it goes on.
pub(super) struct Gap {
    limits: Limits,
    operation: Operation,
    /// When the interruption that is still to be told began, and how often the engine was asked since.
    begun: Option<(Instant, u32)>,
    /// Whether nothing is known to be wrong: a connection was only silent, or ended as it should.
    quiet: bool,
    /// When the first of the losses without success between them was, and how many attempts followed it.
    row: Option<Instant>,
    in_vain: u32,
    /// How many of these were losses.
    lost: u32,
    late: Option<Pin<Box<Sleep>>>,
}

impl Gap {
    pub(super) fn new(limits: Limits, operation: Operation) -> Self {
        Gap { limits, operation, begun: None, quiet: false, row: None, in_vain: 0, lost: 0, late: None }
    }

    /// Notes that a connection was lost, or could not be had: how long to wait before the next attempt, or the error to
    /// end with.
    pub(super) fn lose(&mut self, error: Error) -> Result<Duration> {
        self.quiet = false;
        let row = *self.row.get_or_insert_with(Instant::now);
        let pause = self.limits.pause(self.in_vain);
        if self.in_vain >= self.limits.attempts || row.elapsed() + pause > self.limits.within {
            return Err(self.given_up(error));
        }
        tracing::debug!(%error, ?pause, "a stream was interrupted; resuming");
        self.lost = self.lost.saturating_add(1);
        Ok(self.renew_after(pause))
    }

    /// Notes that a connection is to be made anew although nothing is known to be wrong; this has no bound.
    pub(super) fn renew(&mut self) -> Duration {
        self.quiet |= self.begun.is_none();
        self.renew_after(self.limits.pause(self.in_vain))
    }

    fn renew_after(&mut self, pause: Duration) -> Duration {
        self.in_vain = self.in_vain.saturating_add(1);
        let (begun, attempts) = self.begun.unwrap_or_else(|| (Instant::now(), 0));
        self.begun = Some((begun, attempts.saturating_add(1)));
        pause
    }

    /// Notes that the stream has come further, or that its connection has been good for long.
    pub(super) fn succeed(&mut self) {
        (self.row, self.in_vain, self.lost, self.late) = (None, 0, 0, None);
    }

    /// How many connections in a row were lost before they brought anything.
    pub(super) fn lost(&self) -> u32 {
        self.lost
    }

    /// Whether nothing is known to be wrong.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Notes that the stream goes on; answers what is to be told of the interruption, if anything is.
    pub(super) fn close(&mut self, missed: Missed) -> Option<Resumed> {
        self.late = None;
        let quiet = std::mem::take(&mut self.quiet);
        let (begun, attempts) = self.begun.take()?;
        (!quiet || missed == Missed::Unknown).then(|| Resumed { after: begun.elapsed(), attempts, missed })
    }

    /// Is ready with the error to end with when an attempt takes longer than all of them may.
    pub(super) fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        let Some(row) = self.row else { return Poll::Pending };
        let end = row + self.limits.within;
        let late = self.late.get_or_insert_with(|| Box::pin(sleep_until(end)));
        late.as_mut().poll(context).map(|()| {
            let error = self.operation.error(ErrorKind::Timeout, "the engine does not answer");
            self.given_up(error)
        })
    }

    fn given_up(&self, error: Error) -> Error {
        let took = self.row.map(|row| row.elapsed()).unwrap_or_default();
        let times = if self.in_vain == 1 { "attempt" } else { "attempts" };
        let note = format!("given up after {} {times} to resume in {took:.1?}", self.in_vain);
        error.within(self.operation.clone()).with_note(&note)
    }
}

/// Whether an error says that the connection or the engine was lost, and not that the engine refuses.
pub(super) fn is_loss(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Closed | ErrorKind::Truncated | ErrorKind::Unavailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let limits = Limits::default();
        assert_eq!(limits.pause(0), Duration::ZERO);
        for (in_vain, whole) in [(1, 100), (2, 200), (3, 400), (8, 10_000), (u32::MAX, 10_000)] {
            let whole = Duration::from_millis(whole);
            for _ in 0..100 {
                let pause = limits.pause(in_vain);
                assert!(pause >= whole / 2 && pause <= whole, "{in_vain}: {pause:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded_by_number_and_time() {
        let operation = Operation::on("resume logs of container", "web");
        let error = || Operation::on("read logs of container", "web").error(ErrorKind::Connect, "refused");
        let mut gap = Gap::new(Limits { attempts: 2, ..Limits::default() }, operation.clone());
        assert_eq!(gap.lose(error()).unwrap(), Duration::ZERO);
        tokio::time::sleep(gap.lose(error()).unwrap()).await;
        let text = gap.lose(error()).unwrap_err().to_string();
        assert!(
            text.starts_with("resume logs of container `web`: read logs of container: refused; given up"),
            "{text}"
        );
        assert!(text.contains("after 2 attempts"), "{text}");

        let mut gap = Gap::new(Limits { within: Duration::from_secs(1), ..Limits::default() }, operation);
        let begun = Instant::now();
        while let Ok(pause) = gap.lose(error()) {
            tokio::time::sleep(pause).await;
        }
        assert!(begun.elapsed() <= Duration::from_secs(1) && begun.elapsed() > Duration::from_millis(300));
        gap.succeed();
        assert!(gap.lose(error()).is_ok());
    }
}
