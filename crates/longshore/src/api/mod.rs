//! The operations of the Engine API, a file for each group.

pub mod container;
pub mod exec;
pub mod image;
mod logs;
pub mod network;
pub mod plugin;
pub mod registry;
mod request;
mod session;
mod set;
pub mod swarm;
pub mod system;
pub mod volume;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use longshore_models::Timestamp;
use longshore_wire::head::ResponseHead;
use longshore_wire::path::InvalidSegment;

use crate::error::{Error, ErrorKind, Operation, Result};

pub use request::{CustomRequest, CustomResponse};
pub use session::SessionOptions;

/// A call under way, as [`IntoFuture`] gives it.
pub type Call<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// How many rows.
    pub rows: u16,
    /// How many columns.
    pub columns: u16,
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}×{}", self.columns, self.rows)
    }
}

/// A point in time, as `since` and `until` take it: seconds since 1970 and nanoseconds.
pub(crate) type Instant = (i64, u32);

/// How long before or after 1970 `time` is.
pub(crate) fn since_epoch(time: std::time::SystemTime) -> Instant {
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_secs()).unwrap_or(i64::MAX), after.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            match before.subsec_nanos() {
                0 => (-seconds, 0),
                nanoseconds => (-seconds - 1, 1_000_000_000 - nanoseconds),
            }
        }
    }
}

/// When the engine answered, by its own clock, in seconds since 1970.
pub(crate) fn answered_at(head: &ResponseHead) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // `Tue, 05 Mar 2024 10:00:00 GMT`
    let (_, date) = head.header("date")?.split_once(", ")?;
    let mut words = date.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Timestamp::from(format!("{year}-{month:02}-{day}T{time}Z")).unix_seconds()
}

/// A second begun is a second granted: rounding down would end too early, and make nothing of half a second.
pub(crate) fn whole_seconds(limit: std::time::Duration) -> u64 {
    limit.as_secs() + u64::from(limit.subsec_nanos() > 0)
}

impl Operation {
    /// The error for a name or id that can't stand in a path.
    pub(crate) fn bad_name(&self, source: InvalidSegment) -> Error {
        self.error_from(ErrorKind::Invalid, source.to_string(), source)
    }
}

#[cfg(test)]
pub(crate) mod golden {
    use std::io::Write;

    use crate::http::Request;

    /// Names the file that every request is added to, so that `cargo xtask coverage` sees what is encoded.
    const RECORD: &str = "LONGSHORE_GOLDEN_REQUESTS";

    /// A request as one text: method, target and headers, then the body.
    pub(crate) fn text(request: crate::Result<Request>) -> String {
        let request = request.unwrap();
        record(&request);
        unrecorded(&request)
    }

    /// The same for a request whose path is the caller's, which says nothing about what is encoded.
    pub(crate) fn unrecorded(request: &Request) -> String {
        let mut text = format!("{} {}", request.method, request.target());
        for (name, value) in &request.headers {
            text.push_str(&format!("\n{name}: {value}"));
        }
        match &request.body {
            Some(payload) => match payload.in_memory() {
                Some(bytes) => format!("{text}\n\n{}", String::from_utf8_lossy(bytes)),
                None => format!("{text}\n\n(streamed)"),
            },
            None => text,
        }
    }

    /// Adds a line of method, target and names of headers.
    fn record(request: &Request) {
        let Some(file) = std::env::var_os(RECORD) else { return };
        let mut line = format!("{}\t{}", request.method, request.target());
        for (name, _) in &request.headers {
            line.push_str(&format!("\t{name}"));
        }
        line.push('\n');
        let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
        // In one write, since other tests write at the same time.
        file.write_all(line.as_bytes()).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn times_before_1970_round_to_whole_seconds_and_positive_nanoseconds() {
        assert_eq!(since_epoch(UNIX_EPOCH + Duration::new(1, 5)), (1, 5));
        assert_eq!(since_epoch(UNIX_EPOCH - Duration::new(1, 0)), (-1, 0));
        assert_eq!(since_epoch(UNIX_EPOCH - Duration::from_millis(1_250)), (-2, 750_000_000));
    }

    #[test]
    fn the_engine_s_clock_is_read_off_its_answers() {
        let answered = |date: &str| {
            let head = format!("HTTP/1.1 200 OK\r\nDate: {date}\r\n\r\n");
            answered_at(&longshore_wire::head::parse(head.as_bytes()).unwrap().unwrap().0)
        };
        assert_eq!(answered("Tue, 05 Mar 2024 10:00:00 GMT"), Some(1_709_632_800));
        assert_eq!(answered("Thu, 01 Jan 1970 00:00:09 GMT"), Some(9));
        for date in ["", "Tue", "Tue, 05 Mar 2024", "Tue, 05 March 2024 10:00:00 GMT", "Tue, 99 Mar 2024 10:00:00 GMT"]
        {
            assert_eq!(answered(date), None, "{date}");
        }
    }
}
