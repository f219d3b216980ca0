//! What streams that go on after a lost connection read: messages and events with their times.

use std::sync::Arc;

use bytes::Bytes;
use longshore::Timestamp;
use longshore_testkit::transcript::wire::frame;

use crate::source::{Making, same};
use crate::streams::chunk;

/// A full id: no other container can have it later, so what has it need not be asked.
pub(crate) const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// When the first was written, in nanoseconds since 1970.
const BEGUN: i64 = 1_709_632_790_000_000_000;

/// How many come at a time.
const AT_A_TIME: i64 = 30;

/// Lines of a log, some of the same time, which is later than that of those before.
pub(crate) fn messages() -> Making {
    Arc::new(|before| messages_of(BEGUN + before as i64))
}

/// Lines of a log that were all written at the same time.
pub(crate) fn messages_of_one_time() -> Making {
    same(messages_of(BEGUN))
}

fn messages_of(time: i64) -> Bytes {
    let time = Timestamp::from_unix_nanos(time);
    chunk(frame(1, format!("{time} {}\n", "x".repeat(500))).repeat(AT_A_TIME as usize))
}

/// Events, each of a later time than the one before.
pub(crate) fn events() -> Making {
    Arc::new(|before| {
        let first = BEGUN + before as i64 * AT_A_TIME;
        chunk((first..first + AT_A_TIME).map(event).collect::<String>())
    })
}

fn event(time: i64) -> String {
    let text = "x".repeat(2000);
    format!("{{\"Type\":\"container\",\"Action\":\"die\",\"unknown\":\"{text}\",\"timeNano\":{time}}}\n")
}
