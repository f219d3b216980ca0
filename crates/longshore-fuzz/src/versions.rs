//! Versions of the API, and times.

use std::time::SystemTime;

use longshore_models::Timestamp;
use longshore_wire::version::ApiVersion;

/// Reads a version and a time; writes the version, and the time that the bytes are as a number.
pub fn check(bytes: &[u8]) {
    if let Some((number, _)) = bytes.split_first_chunk() {
        let seconds = i64::from_le_bytes(*number);
        written(seconds);
        // More of them can be dates.
        written(seconds >> 24);
        let nanoseconds = Timestamp::from_unix_nanos(seconds);
        assert_eq!(nanoseconds.unix_seconds(), Some(seconds.div_euclid(1_000_000_000)), "{nanoseconds}");
        assert_eq!(i64::from(nanoseconds.subsec_nanos()), seconds.rem_euclid(1_000_000_000), "{nanoseconds}");
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match ApiVersion::parse(text) {
        Ok(version) => assert_eq!(version.to_string().parse(), Ok(version)),
        Err(error) => assert!(error.to_string().len() < 600),
    }
    let timestamp = Timestamp::from(text);
    assert_eq!(timestamp.as_str(), text);
    assert!(timestamp.subsec_nanos() < 1_000_000_000);
    if let (Some(seconds), Some(time)) = (timestamp.unix_seconds(), timestamp.to_system_time()) {
        let (since, ahead) = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => (since, true),
            Err(error) => (error.duration(), false),
        };
        assert!(since.as_secs().abs_diff(seconds.unsigned_abs()) <= 1, "{text:?} {since:?}");
        assert!(ahead == (seconds >= 0) || since.as_secs() == 0, "{text:?}");
    }
}

/// Writes a time, and reads it if it is one of the years that can be written.
fn written(seconds: i64) {
    let timestamp = Timestamp::from_unix(seconds);
    // The years 0 to 9999.
    if (-62_167_219_200..253_402_300_800).contains(&seconds) {
        assert_eq!(timestamp.unix_seconds(), Some(seconds), "{timestamp}");
    }
}
