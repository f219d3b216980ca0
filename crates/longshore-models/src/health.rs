//! Health checks: what to run, and what came of it.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::decode::{self, Decode, Place};
use crate::open_enum::words;
use crate::{Timestamp, duration_nanos, is_default};

/// Says how an engine finds out whether a container is healthy. Whatever is not set is taken from the image.
///
/// ```
/// use std::time::Duration;
/// use longshore_models::HealthConfig;
///
/// let check = HealthConfig::shell("pg_isready").interval(Duration::from_secs(5)).retries(3);
/// assert_eq!(serde_json::to_value(&check).unwrap()["Test"][0], "CMD-SHELL");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HealthConfig {
    /// What to run.
    #[serde(skip_serializing_if = "is_default")]
    pub test: HealthTest,
    /// Time between two checks, at least 1 ms; zero to inherit.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub interval: Duration,
    /// Time after which a check counts as failed, at least 1 ms; zero to inherit.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub timeout: Duration,
    /// Failures in a row that make a container unhealthy; zero to inherit.
    #[serde(skip_serializing_if = "is_default")]
    pub retries: u32,
    /// Time after the start during which failures don't count, at least 1 ms; zero to inherit.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub start_period: Duration,
    /// Time between two checks during the start period, at least 1 ms; zero to inherit. API 1.44+.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub start_interval: Duration,
}

impl HealthConfig {
    /// Checks by a command line given to the image's shell.
    pub fn shell(command: impl Into<String>) -> Self {
        Self { test: HealthTest::Shell(command.into()), ..Self::default() }
    }

    /// Checks by a program and its arguments.
    pub fn command<I: IntoIterator<Item: Into<String>>>(command: I) -> Self {
        let command = command.into_iter().map(Into::into).collect();
        Self { test: HealthTest::Command(command), ..Self::default() }
    }

    /// Switches off the check that the image has.
    pub fn none() -> Self {
        Self { test: HealthTest::None, ..Self::default() }
    }

    /// Sets the time between two checks, at least 1 ms.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the time after which a check counts as failed, at least 1 ms.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many failures in a row make a container unhealthy.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the time after the start during which failures don't count, at least 1 ms.
    #[must_use]
    pub fn start_period(mut self, period: Duration) -> Self {
        self.start_period = period;
        self
    }

    /// Sets the time between two checks during the start period, at least 1 ms. API 1.44+.
    #[must_use]
    pub fn start_interval(mut self, interval: Duration) -> Self {
        self.start_interval = interval;
        self
    }
}

/// Says what a health check runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthTest {
    /// What the image says.
    #[default]
    Inherit,
    /// Nothing, whatever the image says (`["NONE"]`).
    None,
    /// A program and its arguments (`["CMD", …]`).
    Command(Vec<String>),
    /// A command line given to the image's shell (`["CMD-SHELL", …]`).
    Shell(String),
    /// Words this version does not know.
    Other(Vec<String>),
}

impl From<Vec<String>> for HealthTest {
    fn from(mut words: Vec<String>) -> Self {
        match (words.first().map(String::as_str), words.len()) {
            (None, _) => Self::Inherit,
            (Some("NONE"), 1) => Self::None,
            (Some("CMD"), _) => Self::Command(words.split_off(1)),
            (Some("CMD-SHELL"), 2) => Self::Shell(words.pop().unwrap_or_default()),
            _ => Self::Other(words),
        }
    }
}

impl Serialize for HealthTest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inherit => serializer.collect_seq(None::<&str>),
            Self::None => serializer.collect_seq(["NONE"]),
            Self::Command(words) => {
                serializer.collect_seq(std::iter::once("CMD").chain(words.iter().map(String::as_str)))
            }
            Self::Shell(command) => serializer.collect_seq(["CMD-SHELL", command]),
            Self::Other(words) => serializer.collect_seq(words),
        }
    }
}

impl Decode for HealthTest {
    fn place(&mut self) -> Place<'_> {
        Place::through::<Vec<String>, _>(self)
    }
}

decode::deserialize!(HealthTest);

/// Tells how a container's health checks went.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Health {
    /// What the checks say by now.
    pub status: HealthStatus,
    /// Failures in a row.
    pub failing_streak: u64,
    /// The last few checks, oldest first.
    pub log: Vec<HealthcheckResult>,
}

/// Tells a container's health in short, as the container list does from API 1.52 on.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HealthSummary {
    /// What the checks say by now.
    pub status: HealthStatus,
    /// Failures in a row.
    pub failing_streak: u64,
}

/// Tells how one health check went.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HealthcheckResult {
    /// When it started.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// 0 for healthy, 1 for unhealthy; anything else is an error of the check itself.
    pub exit_code: i64,
    /// What the check wrote, cut to a few KiB by the engine.
    pub output: String,
}

/// Says what health checks tell of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HealthStatus {
    /// There is no check.
    #[default]
    None,
    /// No check has passed yet.
    Starting,
    /// The last check passed.
    Healthy,
    /// Too many checks in a row failed.
    Unhealthy,
    /// A word this version does not know.
    Other(String),
}

words!(HealthStatus {
    None = "none",
    Starting = "starting",
    Healthy = "healthy",
    Unhealthy = "unhealthy",
});
