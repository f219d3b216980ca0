use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::Stream;
use longshore_models::EventMessage;
use tokio::time::{Instant, Sleep, sleep};

use super::backoff::{Gap, Limits, is_loss};
use super::{Missed, Resuming};
use crate::api::Call;
use crate::api::system::{Events, FollowEvents};
use crate::error::{Error, ErrorKind, Operation, Result};

/// How far before the last event the engine is asked to begin: events may be out of order by a little, and the engine
/// gives back only those after the last one that is too old.
const OVERLAP: Duration = Duration::from_secs(5);

/// How many events are remembered, to leave out those that come again. The engine gives back 256 at most.
const REMEMBERED: usize = 512;

/// How much memory their texts may take together while it is not known yet whether they are new, in bytes. An event with many labels
/// has a few KiB.
const HELD: usize = 4 * 1024 * 1024;

/// How long the engine may take to give back the events that it remembers.
const GIVEN_WITHIN: Duration = Duration::from_secs(2);

/// A call for events that go on where their connection was lost; see [`FollowEvents::resuming`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct ResumeEvents {
    events: FollowEvents,
    limits: Limits,
}

impl FollowEvents {
    /// Goes on where the connection was lost: cut, reset, closed by an idle proxy, or gone with an engine that starts
    /// again.
    ///
    /// The engine is asked again from the time of the last event on, and those that have come already are left out. Where
    /// the stream went on is told as [`Resuming::Resumed`].
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::{Missed, Resuming};
    ///
    /// let mut events = docker.events().resuming().await?;
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         Resuming::Item(event) => println!("{} {}", event.kind, event.action),
    ///         // Look again at what the events are about.
    ///         Resuming::Resumed(resumed) if resumed.missed == Missed::Unknown => eprintln!("{resumed}"),
    ///         Resuming::Resumed(_) => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Docker remembers the last 256 events, of all kinds together, until it ends. So [`Missed::Nothing`] is told only
    /// when one of the events that had come is among those that it still remembers, and otherwise [`Missed::Unknown`]:
    /// after a restart of the engine, after more than 256 other events, and where none had come yet. Podman keeps its
    /// events in a file or in the journal.
    pub fn resuming(self) -> ResumeEvents {
        ResumeEvents { events: self, limits: Limits::default() }
    }
}

impl ResumeEvents {
    /// Gives up after so many attempts that brought nothing, instead of 20.
    pub fn attempts(mut self, most: u32) -> Self {
        self.limits.attempts = most;
        self
    }

    /// Gives up when the engine can't be had for so long, instead of five minutes.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limits.within = limit;
        self
    }

    /// Pauses for so long between attempts: first, and at most, instead of 100 ms and 10 s. Each pause is twice the one
    /// before, less up to half by chance. Before the first attempt there is none.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.limits.first_pause, self.limits.longest_pause) = (first, longest);
        self
    }

    /// Connects anew when nothing has come for so long, since a connection may be dead without anybody telling. This is no
    /// interruption unless it fails, or it can't be told whether something was missed.
    pub fn idle(mut self, limit: Duration) -> Self {
        self.limits.idle = Some(limit);
        self
    }
}

impl IntoFuture for ResumeEvents {
    type Output = Result<ResumingEvents>;
    type IntoFuture = Call<ResumingEvents>;

    /// Begins to listen: what is done after that is told. What can't be begun is not tried again.
    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut events = ResumingEvents::new(self);
            poll_fn(|context| events.poll_begun(context)).await?;
            Ok(events)
        })
    }
}

/// What happens on an engine, and where its telling was interrupted; see [`FollowEvents::resuming`].
///
/// Dropping it closes its connection.
pub struct ResumingEvents {
    /// What was asked for.
    call: FollowEvents,
    limits: Limits,
    /// When the whole call is to have ended.
    end: Option<Instant>,
    state: State,
    gap: Gap,
    /// When the engine first answered, by its clock.
    answered: Option<SystemTime>,
    /// The time of the last event, or of the latest where they are out of order.
    latest: Option<SystemTime>,
    /// The last events that were given.
    seen: VecDeque<u64>,
    /// What has come since the connection was made anew, until it can be told whether something was missed.
    seek: Option<Seek>,
    opened: Instant,
    /// How many connections in a row ended as they should, with nothing new.
    ends: u32,
    ready: VecDeque<Resuming<EventMessage>>,
}

/// Looks for one of the last events among those that come again.
struct Seek {
    /// New ones from before the latest.
    held: Vec<EventMessage>,
    /// How much memory their texts take.
    length: usize,
    /// The engine gives what it remembers at once.
    over: Pin<Box<Sleep>>,
}

enum State {
    Opening(Call<(Events, Option<i64>)>),
    Reading(Box<Events>),
    Pausing(Pin<Box<Sleep>>),
    Ended,
}

impl ResumingEvents {
    #[inline]
    fn new(call: ResumeEvents) -> Self {
        let ResumeEvents { events: call, limits } = call;
        let mut events = ResumingEvents {
            end: call.docker.deadlines().total.map(|total| Instant::now() + total),
            gap: Gap::new(limits, Operation::new("resume events")),
            call,
            limits,
            state: State::Ended,
            answered: None,
            latest: None,
            seen: VecDeque::new(),
            seek: None,
            opened: Instant::now(),
            ends: 0,
            ready: VecDeque::new(),
        };
        events.open();
        events
    }

    /// Takes the next event, or where the stream was interrupted; `None` at the end and after an error.
    ///
    /// # Errors
    /// The last error, when the bounds of [`ResumeEvents`] are reached; what the engine refuses, and
    /// [`InStream`](ErrorKind::InStream), at once; [`Timeout`](ErrorKind::Timeout) when the client's deadline for the
    /// whole call is over.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Resuming<EventMessage>>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Is ready once the engine has answered.
    #[inline]
    fn poll_begun(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while !matches!(self.state, State::Reading(_)) {
            ready!(self.poll_step(context))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Goes one step on.
    #[inline]
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        if !matches!(self.state, State::Reading(_))
            && let Poll::Ready(error) = self.gap.poll_late(context)
        {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(match &mut self.state {
            State::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                Ok((events, answered)) => {
                    self.begin(events, answered);
                    Ok(())
                }
                Err(error) => self.lose(error),
            },
            State::Reading(events) => match Pin::new(&mut **events).poll_next(context) {
                Poll::Ready(Some(Ok(event))) => {
                    self.take(event);
                    Ok(())
                }
                Poll::Ready(Some(Err(error))) => self.lose(error),
                Poll::Ready(None) => self.note_end(),
                Poll::Pending => {
                    let Some(seek) = &mut self.seek else { return Poll::Pending };
                    ready!(seek.over.as_mut().poll(context));
                    // Of a connection that was only silent, nothing has become known that was missed.
                    let nothing = self.gap.is_quiet() && seek.held.is_empty();
                    self.go_on(if nothing { Missed::Nothing } else { Missed::Unknown });
                    Ok(())
                }
            },
            State::Pausing(pause) => {
                ready!(pause.as_mut().poll(context));
                self.open();
                Ok(())
            }
            State::Ended => Ok(()),
        })
    }

    /// Asks for the events, from a little before the last one on.
    #[inline]
    fn open(&mut self) {
        let mut call = self.call.clone();
        call.docker = self.limits.client(&call.docker, self.end);
        // What came before the first connection is not told later either.
        let first = call.options.since.or(self.answered);
        call.options.since = first.max(self.latest.and_then(|latest| latest.checked_sub(OVERLAP)));
        self.opened = Instant::now();
        self.state = State::Opening(Box::pin(call.open_at()));
    }

    /// Begins to read what the engine answers.
    #[inline]
    fn begin(&mut self, events: Events, answered: Option<i64>) {
        let now = SystemTime::now();
        let answered =
            || answered.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().ok()?)));
        let is_first = self.answered.is_none();
        self.answered.get_or_insert_with(|| answered().unwrap_or(now));
        self.state = State::Reading(Box::new(events));
        self.opened = Instant::now();
        self.seek = (!is_first).then(|| Seek { held: Vec::new(), length: 0, over: Box::pin(sleep(GIVEN_WITHIN)) });
    }

    fn take(&mut self, event: EventMessage) {
        let print = print(&event);
        if self.seen.contains(&print) {
            if self.seek.is_some() {
                self.go_on(Missed::Nothing);
            }
            return;
        }
        let time = event.time.to_system_time();
        if let Some(seek) = &mut self.seek {
            seek.length += length(&event);
            if time <= self.latest && seek.held.len() < REMEMBERED && seek.length <= HELD {
                seek.held.push(event);
                return;
            }
            self.go_on(Missed::Unknown);
        }
        self.give(event);
    }

    /// Notes that what comes from now on is new.
    fn go_on(&mut self, missed: Missed) {
        let held = self.seek.take().map(|seek| seek.held).unwrap_or_default();
        self.ready.extend(self.gap.close(missed).map(Resuming::Resumed));
        held.into_iter().for_each(|event| self.give(event));
    }

    fn give(&mut self, event: EventMessage) {
        self.ends = 0;
        self.gap.succeed();
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(print(&event));
        self.latest = self.latest.max(event.time.to_system_time());
        self.ready.push_back(Resuming::Item(event));
    }

    /// Tries again after a loss, unless it is none, or the bounds are reached.
    #[inline]
    fn lose(&mut self, error: Error) -> Result<()> {
        let is_over = self.end.is_some_and(|end| Instant::now() >= end);
        let was_read = matches!(self.state, State::Reading(_));
        if is_over || !is_loss(&error) || (self.answered.is_none() && error.is_connect()) {
            return Err(error);
        }
        if was_read && self.opened.elapsed() > self.limits.longest_pause {
            self.gap.succeed();
        }
        let pause = match was_read && error.is_timeout() && self.limits.idle.is_some() && self.seek.is_none() {
            true => {
                self.gap.succeed();
                self.gap.renew()
            }
            false => self.gap.lose(error)?,
        };
        match pause.is_zero() {
            true => self.open(),
            false => self.state = State::Pausing(Box::pin(sleep(pause))),
        }
        Ok(())
    }

    /// Notes that the engine has ended the events: as it was told to, or since it ends itself.
    #[inline]
    fn note_end(&mut self) -> Result<()> {
        self.ends += 1;
        let until = self.call.options.until;
        if until.is_some_and(|until| until <= SystemTime::now() || self.ends > 1) {
            if self.seek.is_some() {
                self.go_on(Missed::Unknown);
            }
            self.state = State::Ended;
            return Ok(());
        }
        self.lose(Operation::new("follow events").error(ErrorKind::Truncated, "the engine has ended the events"))
    }
}

/// What tells an event from others: all of it.
fn print(event: &EventMessage) -> u64 {
    let mut hasher = DefaultHasher::new();
    let EventMessage { kind, action, action_detail, actor, scope, time, .. } = event;
    (kind.as_str(), action.as_str(), action_detail, scope.as_str(), time).hash(&mut hasher);
    (&actor.id, &actor.attributes).hash(&mut hasher);
    hasher.finish()
}

/// How much memory the texts of an event take, about.
fn length(event: &EventMessage) -> usize {
    let EventMessage { kind, action, action_detail, actor, scope, .. } = event;
    let words = [kind.as_str(), action.as_str(), action_detail, scope.as_str(), &actor.id].map(str::len);
    let attributes = actor.attributes.iter();
    let attributes = attributes.map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len());
    words.iter().sum::<usize>() + attributes.sum::<usize>()
}

impl Stream for ResumingEvents {
    type Item = Result<Resuming<EventMessage>>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if matches!(self.state, State::Ended) {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(self.poll_step(context)) {
                self.state = State::Ended;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl fmt::Debug for ResumingEvents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = matches!(self.state, State::Ended);
        formatter.debug_struct("ResumingEvents").field("ended", &ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_an_event_counts() {
        let long = "x".repeat(1000);
        let of = |json: &str| length(&serde_json::from_str(&json.replace("long", &long)).unwrap());
        for json in [
            r#"{"Type":"long"}"#,
            r#"{"Action":"long"}"#,
            r#"{"Action":"die: long"}"#,
            r#"{"scope":"long"}"#,
            r#"{"Actor":{"ID":"long"}}"#,
            r#"{"Actor":{"Attributes":{"long":""}}}"#,
            r#"{"Actor":{"Attributes":{"":"long"}}}"#,
        ] {
            assert!((1000..1100).contains(&of(json)), "{json}: {}", of(json));
        }
        assert!(of(r#"{"Actor":{"Attributes":{"a":"","b":""}}}"#) > 2 * size_of::<(String, String)>());
    }
}
