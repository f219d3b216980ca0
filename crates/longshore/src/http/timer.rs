use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::error::{Error, ErrorKind, Operation};

/// The deadlines of what is being read: a body, or the output of a session.
pub(crate) struct Timer {
    /// How long a silence may last.
    pub(super) idle: Option<Duration>,
    /// When the whole call is to have ended.
    end: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether `sleep` is set for the silence that lasts now.
    armed: bool,
}

impl Timer {
    pub(crate) fn new(idle: Option<Duration>, end: Option<Instant>) -> Self {
        Timer { idle, end, sleep: None, armed: false }
    }

    /// When the whole call is to have ended.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.end
    }

    /// Says that something came, which ends the silence.
    pub(super) fn rest(&mut self) {
        self.armed = false;
    }

    /// Is ready when a deadline has passed. Called when there is nothing to read.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.armed {
            let silence = self.idle.map(|idle| Instant::now() + idle);
            let Some(due) = [silence, self.end].into_iter().flatten().min() else { return Poll::Pending };
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(due),
                None => self.sleep = Some(Box::pin(tokio::time::sleep_until(due))),
            }
            self.armed = true;
        }
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(context),
            None => Poll::Pending,
        }
    }

    /// Whether the deadline of the whole call has passed, which may be while there is always something to read.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    pub(super) fn error(&self, operation: &Operation) -> Error {
        match self.idle {
            Some(idle) if !self.has_ended() => {
                operation.error(ErrorKind::Timeout, format!("nothing came for {idle:?}"))
            }
            _ => operation.late(),
        }
    }
}
