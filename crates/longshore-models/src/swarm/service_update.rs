//! How the tasks of a service are replaced when it changes.

use std::time::Duration;

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{Timestamp, duration_nanos, is_default};

/// Says how tasks are replaced when a service is changed, or goes back to what it was.
///
/// ```
/// use std::time::Duration;
/// use longshore_models::{UpdateConfig, UpdateFailureAction};
///
/// let config = UpdateConfig::parallelism(2).delay(Duration::from_secs(10)).on_failure(UpdateFailureAction::Rollback);
/// assert_eq!(serde_json::to_value(&config).unwrap()["FailureAction"], "rollback");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct UpdateConfig {
    /// How many tasks are replaced at a time; 0 for all at once.
    pub parallelism: u64,
    /// Pause between those replaced at a time and the next.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub delay: Duration,
    /// What happens when a new task fails.
    #[serde(skip_serializing_if = "is_default")]
    pub failure_action: UpdateFailureAction,
    /// How long after its start the end of a new task counts as a failure; zero for the swarm's default, 5 s.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub monitor: Duration,
    /// Share of the new tasks that may fail, 0 to 1.
    #[serde(skip_serializing_if = "is_default")]
    pub max_failure_ratio: f64,
    /// Whether the old or the new task goes first.
    #[serde(skip_serializing_if = "is_default")]
    pub order: UpdateOrder,
}

impl UpdateConfig {
    /// Replaces so many tasks at a time; 0 for all at once.
    pub fn parallelism(tasks: u64) -> Self {
        Self { parallelism: tasks, ..Self::default() }
    }

    /// Pauses so long before the next tasks are replaced.
    #[must_use]
    pub fn delay(mut self, pause: Duration) -> Self {
        self.delay = pause;
        self
    }

    /// Does this when a new task fails.
    #[must_use]
    pub fn on_failure(mut self, action: UpdateFailureAction) -> Self {
        self.failure_action = action;
        self
    }

    /// Counts the end of a new task as a failure for so long after its start.
    #[must_use]
    pub fn monitor(mut self, time: Duration) -> Self {
        self.monitor = time;
        self
    }

    /// Lets this share of the new tasks fail, 0 to 1.
    #[must_use]
    pub fn max_failure_ratio(mut self, share: f64) -> Self {
        self.max_failure_ratio = share;
        self
    }

    /// Starts the new task before the old one is ended, so that both run for a while.
    #[must_use]
    pub fn start_first(mut self) -> Self {
        self.order = UpdateOrder::StartFirst;
        self
    }
}

/// Says what happens when a new task fails. The empty word is [`Pause`](Self::Pause).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UpdateFailureAction {
    /// No more tasks are replaced.
    #[default]
    Pause,
    /// The next tasks are replaced.
    Continue,
    /// The service goes back to what it was; not while it does so already.
    Rollback,
    /// A word this version does not know.
    Other(String),
}

words!(UpdateFailureAction { Pause = "pause", Continue = "continue", Rollback = "rollback" });

/// Says whether the old or the new task goes first. The empty word is [`StopFirst`](Self::StopFirst).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UpdateOrder {
    /// The old task is ended, then the new one started.
    #[default]
    StopFirst,
    /// The new task is started, then the old one ended.
    StartFirst,
    /// A word this version does not know.
    Other(String),
}

words!(UpdateOrder { StopFirst = "stop-first", StartFirst = "start-first" });

/// Tells how far the change of a service has come.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct UpdateStatus {
    /// How far it has come, in a word.
    pub state: UpdateState,
    /// When it began; `None` if it has not.
    pub started_at: Option<Timestamp>,
    /// When it was done; `None` until then.
    pub completed_at: Option<Timestamp>,
    /// How far it has come, in words for people.
    pub message: String,
}

/// Says how far the change of a service has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UpdateState {
    /// Tasks are being replaced.
    Updating,
    /// No more tasks are replaced, since some failed.
    Paused,
    /// All tasks are replaced.
    Completed,
    /// The service goes back to what it was.
    RollbackStarted,
    /// No more tasks go back, since some failed.
    RollbackPaused,
    /// All tasks are again what they were.
    RollbackCompleted,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(UpdateState {
    Updating = "updating",
    Paused = "paused",
    Completed = "completed",
    RollbackStarted = "rollback_started",
    RollbackPaused = "rollback_paused",
    RollbackCompleted = "rollback_completed",
});

impl Default for UpdateState {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
