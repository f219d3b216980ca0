//! Futures that are dropped half-way, streams that are read to their end.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

/// Polls `future` at most `polls` times and then drops it: its output, or `None` if it did not get that far.
///
/// It is polled again only when it was woken, as a runtime does.
pub fn poll_n<F: Future>(future: F, polls: usize) -> PollN<F> {
    PollN { future: Some(Box::pin(future)), polls }
}

/// See [`poll_n`].
#[derive(Debug)]
pub struct PollN<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F: Future> Future for PollN<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(future) = this.future.as_mut().filter(|_| this.polls > 0) else {
            this.future = None;
            return Poll::Ready(None);
        };
        let outcome = future.as_mut().poll(context);
        this.polls -= 1;
        if outcome.is_pending() && this.polls > 0 {
            return Poll::Pending;
        }
        this.future = None;
        match outcome {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        }
    }
}

/// What a stream gave until its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained<T, E> {
    /// The items.
    pub items: Vec<T>,
    /// The error that ended it, if one did.
    pub error: Option<E>,
}

/// Reads a stream to its end.
///
/// # Panics
/// When anything but the end follows an error, or anything at all follows the end.
pub async fn drain<T, E>(stream: impl Stream<Item = Result<T, E>>) -> Drained<T, E> {
    let mut stream = pin!(stream);
    let mut drained = Drained { items: Vec::new(), error: None };
    while let Some(item) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        match item {
            Ok(item) => drained.items.push(item),
            Err(error) => {
                drained.error = Some(error);
                break;
            }
        }
    }
    for _ in 0..2 {
        let after = poll_fn(|context| stream.as_mut().poll_next(context)).await;
        assert!(after.is_none(), "something followed the end of the stream");
    }
    drained
}

/// Waits for `future` for a day of the clock, which is to be paused: a hang costs nothing then, and is found.
///
/// # Panics
/// When the day has passed.
#[track_caller]
pub fn never_hangs<F: Future>(future: F, circumstance: &str) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    let circumstance = circumstance.to_owned();
    async move {
        let outcome = tokio::time::timeout(Duration::from_secs(24 * 60 * 60), future).await;
        outcome.unwrap_or_else(|_| panic!("{place}: it hangs: {circumstance}"))
    }
}

/// How many tasks there are beside this one, once those that were told to end have had their turn.
pub async fn alive_tasks() -> usize {
    let metrics = tokio::runtime::Handle::current().metrics();
    for _ in 0..10 {
        if metrics.num_alive_tasks() == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    metrics.num_alive_tasks()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_future_is_dropped_after_so_many_polls() {
        let future = || async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            "done"
        };
        for (polls, expected) in [(0, None), (1, None), (2, None), (3, Some("done")), (9, Some("done"))] {
            assert_eq!(poll_n(future(), polls).await, expected, "{polls}");
        }
    }

    #[tokio::test]
    async fn a_future_that_never_comes_is_given_up() {
        assert_eq!(poll_n(std::future::pending::<()>(), 1).await, None);
    }
}
