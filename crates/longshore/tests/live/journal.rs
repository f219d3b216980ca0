//! What a test asked its engine for, to tell where it hung or failed.

use std::fmt::{self, Write};
use std::future::Future;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// How many steps are told.
const STEPS: usize = 12;

tokio::task_local! {
    static CURRENT: Journal;
}

/// The steps of one test.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<(Instant, String)>>>);

impl Journal {
    /// Runs the test that this is the journal of.
    pub(crate) async fn keep<F: Future>(self, test: F) -> F::Output {
        CURRENT.scope(self, test).await
    }

    fn add(&self, step: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), step));
    }

    /// Tells the last steps, and how long ago they were.
    pub(crate) fn tell(&self) -> String {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (time, step) in steps.iter().skip(steps.len().saturating_sub(STEPS)) {
            let _ = write!(text, "\n  {:7.3} s ago: {step}", time.elapsed().as_secs_f64());
        }
        text
    }
}

/// Writes a panic of a test into its journal instead of between the output of other tests.
pub(crate) fn note_panic(panic: &PanicHookInfo<'_>) -> bool {
    CURRENT.try_with(|journal| journal.add(panic.to_string())).is_ok()
}

/// Writes the events of the library into the journal of the test that is running.
pub(crate) struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("longshore")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let _ = CURRENT.try_with(|journal| {
            let mut step = Step::default();
            event.record(&mut step);
            journal.add(format!("{}{}", step.message, step.fields));
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Step {
    message: String,
    fields: String,
}

impl Visit for Step {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            _ => write!(self.fields, " {value:?}"),
        };
    }
}
