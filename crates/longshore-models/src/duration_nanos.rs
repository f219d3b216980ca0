//! Durations that are whole nanoseconds on the wire.

use std::time::Duration;

use serde::{Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    nanoseconds(duration).serialize(serializer)
}

/// The same where being left out means something.
pub(crate) fn serialize_optional<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.as_ref().map(nanoseconds).serialize(serializer)
}

fn nanoseconds(duration: &Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
