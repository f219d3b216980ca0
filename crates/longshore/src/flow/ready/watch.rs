use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use longshore_models::{ContainerInspect, EventAction, EventMessage};
use tokio::time::{Instant, Sleep, sleep_until};

use super::condition::{Answer, Condition, Seen};
use super::probe::Probes;
use crate::api::Call;
use crate::api::container::Container;
use crate::api::system::{Events, EventsOptions};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::stream::{Line, Lines, OutputStream};

/// How many lines of the logs an error shows.
const LAST_LINES: usize = 10;

/// How long reading them for an error may take.
const LAST_LINES_WITHIN: Duration = Duration::from_secs(2);

/// Follows what a container does.
pub(super) struct Watch {
    container: Container,
    condition: Condition,
    operation: Operation,
    end: Option<Instant>,
    events: Events,
    /// The logs since the last start, if lines matter.
    logs: Option<Reading>,
    probes: Probes,
    seen: Seen,
    last_lines: VecDeque<String>,
    /// Whether it has ended since the watch began, and not been started again.
    has_ended: bool,
    /// When it ended the last time, as was told: what it is asked may be newer than the event at hand.
    last_end: Option<SystemTime>,
    /// The same, from before the start whose logs are read.
    since: Option<SystemTime>,
    /// Whether the logs are followed, or read a last time.
    follows: bool,
}

/// Logs on their way: some engines answer only with the first line.
enum Reading {
    Opening(Call<OutputStream>),
    Open(Box<Lines>),
}

/// What wakes the watch.
enum Happened {
    Event(Option<Result<EventMessage>>),
    Line(Option<Result<Line>>),
    /// A port may have begun to accept.
    Probed,
    Late,
}

impl Reading {
    #[inline]
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Line>>> {
        loop {
            match self {
                Reading::Open(lines) => return Pin::new(&mut **lines).poll_next(context),
                Reading::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(output) => *self = Reading::Open(Box::new(output.lines())),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }
}

impl Watch {
    /// Listens to the events first, then looks: whatever happens between is told twice rather than not at all.
    pub(super) async fn begin(container: Container, condition: Condition, end: Option<Instant>) -> Result<Self> {
        let operation = Operation::on("wait for container", &container.id);
        let of_this = EventsOptions::default().container(&container.id);
        let events = container.docker.events_with(&of_this).await.map_err(|error| error.within(operation.clone()))?;
        let seen = Seen { lines: vec![false; condition.matchers()], ..Seen::default() };
        let probes = Probes::new(&container.docker, condition.ports());
        let mut watch = Watch {
            container,
            condition,
            operation,
            end,
            events,
            logs: None,
            probes,
            seen,
            last_lines: VecDeque::new(),
            has_ended: false,
            last_end: None,
            since: None,
            follows: false,
        };
        let inspect = watch.container.inspect().await.map_err(|error| watch.failed(error))?;
        watch.look(&inspect);
        watch.last_end = inspect.state.finished_at.to_system_time();
        if inspect.state.running {
            watch.read_logs();
        }
        Ok(watch)
    }

    pub(super) async fn until_met(mut self) -> Result<()> {
        let mut late = pin!(self.end.map(sleep_until));
        loop {
            // Events overtake the last lines.
            let lines_may_come = self.logs.is_some() && self.seen.has_ended();
            match self.condition.answer(&self.seen) {
                Answer::Yes if !lines_may_come || !self.condition.denies_lines() => return Ok(()),
                Answer::Never if !lines_may_come => {
                    return Err(self.given_up(ErrorKind::Conflict, "it can't be any more").await);
                }
                _ => {}
            }
            match poll_fn(|context| self.poll_next(late.as_mut().as_pin_mut(), context)).await {
                Happened::Probed => {}
                Happened::Late => return Err(self.given_up(ErrorKind::Timeout, "the time is over").await),
                Happened::Event(Some(event)) => {
                    let event = event.map_err(|error| self.failed(error))?;
                    self.note(&event).await?;
                }
                Happened::Event(None) => {
                    let message = "the engine has ended the events that the wait listens to";
                    return Err(self.operation.error(ErrorKind::Truncated, message));
                }
                Happened::Line(line) => self.note_line(line)?,
            }
        }
    }

    fn note_line(&mut self, line: Option<Result<Line>>) -> Result<()> {
        match line {
            Some(Ok(line)) => {
                self.condition.note(&line, &mut self.seen.lines);
                self.remember(&line);
            }
            Some(Err(error)) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {
                return Err(self.failed(error));
            }
            // Podman 4 may end the logs that are followed before their last lines.
            None if self.follows => self.open_logs(false),
            // They may also go with the container, as an event is going to tell.
            Some(Err(_)) | None => {
                self.logs = None;
                self.seen.over = self.has_ended;
            }
        }
        Ok(())
    }

    #[inline]
    fn poll_next(&mut self, late: Option<Pin<&mut Sleep>>, context: &mut Context<'_>) -> Poll<Happened> {
        if let Some(logs) = &mut self.logs
            && let Poll::Ready(line) = logs.poll_next(context)
        {
            return Poll::Ready(Happened::Line(line));
        }
        if let Poll::Ready(event) = Pin::new(&mut self.events).poll_next(context) {
            return Poll::Ready(Happened::Event(event));
        }
        if self.probes.poll(&mut self.seen.ports, context).is_ready() {
            return Poll::Ready(Happened::Probed);
        }
        match late.map(|late| late.poll(context)) {
            Some(Poll::Ready(())) => Poll::Ready(Happened::Late),
            _ => Poll::Pending,
        }
    }

    /// Looks at the container again: an event says that something has changed, and only the container how it is now.
    async fn note(&mut self, event: &EventMessage) -> Result<()> {
        match &event.action {
            EventAction::ExecCreate | EventAction::ExecStart | EventAction::ExecDie => return Ok(()),
            EventAction::Start => {
                self.has_ended = false;
                self.seen.over = false;
                self.read_logs();
            }
            EventAction::Die => {
                self.has_ended = true;
                self.last_end = event.time.to_system_time();
            }
            _ => {}
        }
        match self.container.inspect().await {
            Ok(inspect) => self.look(&inspect),
            Err(error) if error.is_not_found() => {
                self.seen.removed = true;
                self.probes.stop(&mut self.seen.ports);
            }
            Err(error) => return Err(self.failed(error)),
        }
        Ok(())
    }

    #[inline]
    fn look(&mut self, inspect: &ContainerInspect) {
        let state = &inspect.state;
        self.seen.state = state.status.clone();
        self.seen.health = state.health.as_ref().map(|health| health.status.clone());
        match state.running {
            true => self.probes.start(inspect),
            false => self.probes.stop(&mut self.seen.ports),
        }
        // One with a restart policy is started again, if not at once.
        self.has_ended &= !state.running && !state.restarting;
        self.seen.over = self.has_ended && self.logs.is_none();
    }

    /// Reads what the container has written since its last start, and what it writes from now on.
    #[inline]
    fn read_logs(&mut self) {
        if self.seen.lines.is_empty() {
            return;
        }
        self.seen.lines.fill(false);
        // The time of a start is taken once it is done, and the first lines are older; the end before is not.
        self.since = self.last_end;
        self.open_logs(true);
    }

    #[inline]
    fn open_logs(&mut self, follow: bool) {
        let logs = self.container.logs();
        let logs = if follow { logs.follow() } else { logs };
        let logs = self.since.map_or(logs.clone(), |end| logs.since(end));
        self.follows = follow;
        self.last_lines.clear();
        self.logs = Some(Reading::Opening(logs.into_future()));
    }

    fn remember(&mut self, line: &Line) {
        if self.last_lines.len() == LAST_LINES {
            self.last_lines.pop_front();
        }
        self.last_lines.push_back(line.text().chars().take(200).collect());
    }

    async fn read_last_lines(&mut self) -> Result<()> {
        let mut lines = self.container.logs().tail(LAST_LINES as u64).await?.lines();
        while let Some(line) = lines.next().await {
            self.remember(&line?);
        }
        Ok(())
    }

    fn failed(&self, error: Error) -> Error {
        error.within(self.operation.clone())
    }

    /// The error of a wait that ends without its condition, with what was seen last.
    async fn given_up(mut self, kind: ErrorKind, why: &str) -> Error {
        if self.last_lines.is_empty() && !self.seen.removed {
            // What can't be read is not worth another error, nor a long wait.
            let _ = tokio::time::timeout(LAST_LINES_WITHIN, self.read_last_lines()).await;
        }
        let Seen { state, health, removed, .. } = &self.seen;
        let state = match removed {
            true => "it was removed".to_owned(),
            false => format!("it is {state}"),
        };
        let health = health.as_ref().map(|health| format!(" ({health})")).unwrap_or_default();
        let mut message = format!("it was to be {}, and {why}: {state}{health}", self.condition);
        if !self.last_lines.is_empty() {
            message.push_str("; its last lines:");
            self.last_lines.iter().for_each(|line| message.push_str(&format!("\n    {line}")));
        }
        self.operation.error(kind, message)
    }
}
