use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::backoff::{Gap, Limits, is_loss};
use super::logs::ResumeLogs;
use super::message::{LineMaker, Message, Messages, Time};
use super::position::{Position, Seek, Sight};
use super::{Missed, Resuming};
use crate::api::container::{Container, Logs};
use crate::api::{Call, since_epoch};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::stream::{Line, OutputStream};

/// How far before the last message the logs are read again: messages of stdout and stderr may be out of order by a
/// little, and older engines would leave out those that are.
const OVERLAP: Duration = Duration::from_millis(50);

/// How long a connection must have lasted for a tail that gave nothing to be empty.
const TAIL_WITHIN: Duration = Duration::from_secs(1);

/// How much earlier than the last message the engine may say it is, in seconds, before its clock counts as set back.
const CLOCK_TOLERANCE: i64 = 2;

/// How many of the last messages are read to find the last one that was taken, where nothing is known to be missing: the
/// engine need not read all of a large log for it.
const NEAR: u64 = 256;

/// The lines of logs, and where they were interrupted; see [`Logs::resuming`].
///
/// Dropping it closes its connection.
pub struct ResumingLines {
    /// What was asked for, with timestamps in any case.
    logs: Logs,
    limits: Limits,
    operation: Operation,
    /// When the whole call is to have ended.
    end: Option<Instant>,
    state: State,
    /// Whether what is read now is followed; not when it is what is left after the end of the container.
    follow: bool,
    /// Whether the container has a terminal, if that was asked.
    has_terminal: Option<bool>,
    lines: LineMaker,
    position: Position,
    /// Looks for the last message that was taken, until it has been found.
    seek: Option<Seek>,
    gap: Gap,
    /// When the engine first answered, by its clock.
    answered: Option<i64>,
    /// When the connection was made.
    opened: Instant,
    /// When the last message was taken.
    heard: Instant,
    /// The earliest time that a message after the last one may have, by the engine's clock, where that was set back.
    set_back: Option<i64>,
    /// Whether it has given anything new.
    fresh: bool,
    /// Whether a tail that gave nothing has had the time to give something.
    tail_is_over: bool,
    /// Whether the last message is looked for among the last ones only, since nothing is known to be missing.
    near: bool,
    /// How many connections in a row ended as they should, with nothing new.
    ends: u32,
    ready: VecDeque<Resuming<Line>>,
}

enum State {
    /// Asks which container has the name, and whether it has a terminal.
    Naming(Call<(String, Option<bool>)>),
    Opening(Call<(OutputStream, Option<i64>)>),
    Reading(Box<Messages>),
    /// Asks whether the container runs, since its logs have ended.
    Asking(Call<bool>),
    Pausing(Pin<Box<Sleep>>),
    Ended,
}

impl ResumingLines {
    #[inline]
    pub(super) fn new(call: ResumeLogs) -> Self {
        let ResumeLogs { logs, limits, limit } = call;
        let operation = Operation::on("resume logs of container", &logs.of.id);
        let mut lines = ResumingLines {
            lines: LineMaker::new(logs.timestamps, limit),
            follow: logs.follow,
            has_terminal: None,
            end: logs.of.docker.deadlines().total.map(|total| Instant::now() + total),
            gap: Gap::new(limits, operation.clone()),
            logs: logs.timestamps(),
            limits,
            operation,
            state: State::Ended,
            position: Position::default(),
            seek: None,
            answered: None,
            opened: Instant::now(),
            heard: Instant::now(),
            set_back: None,
            fresh: false,
            tail_is_over: false,
            near: false,
            ends: 0,
            ready: VecDeque::new(),
        };
        lines.state = State::Naming(Box::pin(known_before(lines.logs.of.clone())));
        lines
    }

    /// Takes the next line, or where the stream was interrupted; `None` at the end and after an error.
    ///
    /// # Errors
    /// The last error, when the bounds of [`ResumeLogs`] are reached; what the engine refuses, such as
    /// [`NotFound`](ErrorKind::NotFound) when the container is gone, and [`InStream`](ErrorKind::InStream), at once;
    /// [`TooLarge`](ErrorKind::TooLarge) for a line over the limit; [`Timeout`](ErrorKind::Timeout) when the client's
    /// deadline for the whole call is over.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Resuming<Line>>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Is ready once the engine has answered.
    #[inline]
    pub(super) fn poll_begun(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while !matches!(self.state, State::Reading(_) | State::Ended) && self.ready.is_empty() {
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
            State::Naming(naming) => {
                (self.logs.of.id, self.has_terminal) = ready!(naming.as_mut().poll(context))?;
                self.open();
                Ok(())
            }
            State::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                Ok((output, answered)) => {
                    self.begin(output, answered);
                    Ok(())
                }
                // What an engine has removed when it ended was read to its end.
                Err(error) if error.is_not_found() && self.follow != self.logs.follow => {
                    self.finish();
                    Ok(())
                }
                Err(error) => self.lose(error),
            },
            State::Reading(messages) => match ready!(messages.poll_next(&self.operation, context)) {
                Some(Ok(message)) => self.take(message),
                Some(Err(error)) => self.lose(error),
                None => {
                    self.note_end();
                    Ok(())
                }
            },
            State::Asking(asking) => match ready!(asking.as_mut().poll(context)) {
                Ok(runs) => {
                    self.follow = runs;
                    let pause = self.gap.renew();
                    self.pause(pause);
                    Ok(())
                }
                Err(error) if error.is_not_found() => {
                    self.finish();
                    Ok(())
                }
                Err(error) => self.lose(error),
            },
            State::Pausing(pause) => {
                ready!(pause.as_mut().poll(context));
                self.open();
                Ok(())
            }
            State::Ended => Ok(()),
        })
    }

    /// Asks for the logs, from the last message on.
    #[inline]
    fn open(&mut self) {
        let logs = self.next_call();
        let (operation, has_terminal) = (self.operation.clone(), self.has_terminal);
        let idle = self.limits.idle.filter(|_| self.follow);
        self.opened = Instant::now();
        self.state = State::Opening(Box::pin(async move {
            let opening = logs.open_at(has_terminal);
            match idle {
                // Some engines answer with the first line, whenever that comes.
                Some(idle) => timeout(idle, opening)
                    .await
                    .unwrap_or_else(|_| Err(operation.error(ErrorKind::Timeout, format!("no answer within {idle:?}")))),
                None => opening.await,
            }
        }));
    }

    fn next_call(&self) -> Logs {
        let mut logs = self.logs.clone();
        logs.of.docker = self.limits.client(&logs.of.docker, self.end);
        logs.follow = self.follow;
        let since = match (self.position.time(), self.answered.filter(|_| self.tail_is_over)) {
            (Some(Time { seconds, nanoseconds }), _) => {
                // Where even that is too much to be read at a time, less has to do.
                let overlap = OVERLAP.checked_div(1 << self.gap.lost().saturating_sub(1).min(30)).unwrap_or_default();
                let nanoseconds = i64::from(nanoseconds) - overlap.as_nanos() as i64;
                let borrowed = i64::from(nanoseconds < 0);
                let since = (seconds - borrowed, (nanoseconds + borrowed * 1_000_000_000) as u32);
                Some(self.set_back.map_or(since, |earliest| since.min((earliest, 0))))
            }
            (None, Some(answered)) => Some((answered, 0)),
            (None, None) => None,
        };
        match since {
            Some(_) => {
                let near = self.near && self.set_back.is_none() && self.position.is_narrow();
                logs.tail = near.then_some(NEAR);
                logs.since = logs.since.max(since);
            }
            // The last line is a place to go on from.
            None if logs.tail == Some(0) && self.follow => logs.tail = Some(1),
            None => {}
        }
        logs
    }

    /// Begins to read what the engine answers.
    #[inline]
    fn begin(&mut self, output: OutputStream, answered: Option<i64>) {
        let now = || since_epoch(SystemTime::now()).0;
        self.answered.get_or_insert_with(|| answered.unwrap_or_else(now));
        if self.is_set_back(answered) {
            return self.open();
        }
        self.state = State::Reading(Box::new(Messages::new(output, self.lines.limit)));
        self.opened = Instant::now();
        self.fresh = false;
        self.seek = self.position.seek();
        if self.seek.is_none() {
            let is_certain = self.logs.tail.is_none() || self.tail_is_over;
            self.go_on(if is_certain { Missed::Nothing } else { Missed::Unknown });
        }
    }

    /// Notes when the engine's clock turns out to have been set back: an older engine would leave out what it has written
    /// since.
    fn is_set_back(&mut self, answered: Option<i64>) -> bool {
        let (Some(now), Some(last)) = (answered, self.position.time()) else { return false };
        if self.set_back.is_some() || now >= last.seconds.saturating_sub(CLOCK_TOLERANCE) {
            return false;
        }
        let silence = i64::try_from(self.heard.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.set_back = Some(now.saturating_sub(silence).saturating_sub(CLOCK_TOLERANCE));
        true
    }

    /// Notes that what comes from now on is new.
    fn go_on(&mut self, missed: Missed) {
        self.seek = None;
        self.ready.extend(self.gap.close(missed).map(Resuming::Resumed));
    }

    #[inline]
    fn take(&mut self, message: Message) -> Result<()> {
        match self.seek.as_mut().map(|seek| seek.look(&message)) {
            Some(Sight::Earlier) => return Ok(()),
            Some(Sight::Last) => {
                self.go_on(Missed::Nothing);
                return Ok(());
            }
            Some(Sight::Doubtful) => {
                self.go_on(Missed::Unknown);
                return Ok(());
            }
            Some(Sight::Later) if self.near => {
                self.look_farther();
                return Ok(());
            }
            Some(Sight::Later) => self.go_on(Missed::Unknown),
            None => {}
        }
        if !self.fresh {
            self.fresh = true;
            self.ends = 0;
            self.set_back = None;
            self.gap.succeed();
        }
        self.heard = Instant::now();
        let begins_tail = self.position.is_unknown() && self.logs.tail.is_some() && !self.tail_is_over;
        self.position.note(&message, begins_tail);
        // Of a tail of no lines, the last line was asked for to have a place to go on from.
        if begins_tail && self.logs.tail == Some(0) && Some(message.time.seconds) < self.answered {
            return Ok(());
        }
        let line = self.lines.add(message, &self.operation)?;
        self.ready.extend(line.map(Resuming::Item));
        Ok(())
    }

    /// Tries again after a loss, unless it is none, or the bounds are reached.
    #[inline]
    fn lose(&mut self, error: Error) -> Result<()> {
        let is_over = self.end.is_some_and(|end| Instant::now() >= end);
        let was_read = matches!(self.state, State::Reading(_));
        let has_begun = self.answered.is_some();
        if is_over || !is_loss(&error) || (!has_begun && error.is_connect()) {
            return Err(error);
        }
        let silent = error.is_timeout() && self.limits.idle.is_some();
        let lasted = self.opened.elapsed();
        if was_read && lasted > self.limits.longest_pause {
            self.gap.succeed();
        }
        self.tail_is_over |= self.logs.tail.is_some() && was_read && lasted > TAIL_WITHIN;
        // A silence is as it should be where nothing is known to be missing.
        self.near = silent && self.seek.is_none() && (was_read || self.position.is_unknown());
        let pause = match self.near {
            true => {
                self.gap.succeed();
                self.gap.renew()
            }
            false => self.gap.lose(error)?,
        };
        self.pause(pause);
        Ok(())
    }

    /// Looks for the last message among all, since it is not among the last ones.
    #[inline]
    fn look_farther(&mut self) {
        self.near = false;
        self.open();
    }

    /// Notes the end of what is read: also of the logs, unless the container runs.
    #[inline]
    fn note_end(&mut self) {
        self.ends += 1;
        self.tail_is_over |= self.logs.tail.is_some();
        let until = self.logs.until.is_some_and(|until| until <= since_epoch(SystemTime::now()) || self.ends > 1);
        if !self.follow || until {
            if self.seek.is_some() && self.near {
                return self.look_farther();
            }
            if self.seek.is_some() {
                self.go_on(Missed::Unknown);
            }
            return self.finish();
        }
        self.near = self.seek.is_none();
        let container = self.logs.of.clone();
        self.state = State::Asking(Box::pin(async move {
            let state = container.inspect().await?.into_inner().state;
            Ok(state.running || state.restarting)
        }));
    }

    #[inline]
    fn pause(&mut self, pause: Duration) {
        match pause.is_zero() {
            true => self.open(),
            false => self.state = State::Pausing(Box::pin(sleep(pause))),
        }
    }

    fn finish(&mut self) {
        self.state = State::Ended;
        self.ready.extend(self.lines.finish().map(Resuming::Item));
    }
}

fn is_full_id(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The full id of a container, since another one may have its name later; and whether it has a terminal, unless answers
/// tell that.
async fn known_before(container: Container) -> Result<(String, Option<bool>)> {
    if is_full_id(&container.id) && container.framing_is_told().await? {
        return Ok((container.id, None));
    }
    let inspect = container.inspect().await?.into_inner();
    Ok((inspect.id, Some(inspect.config.tty)))
}

impl Stream for ResumingLines {
    type Item = Result<Resuming<Line>>;

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

impl fmt::Debug for ResumingLines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = matches!(self.state, State::Ended);
        formatter.debug_struct("ResumingLines").field("logs", &self.logs).field("ended", &ended).finish_non_exhaustive()
    }
}
