//! Points in time as engines write them.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::decode::{self, Decode, Place, Plain, Scalar};

/// Seconds from 1970 back to the year 1, which is Go's zero time: "never", "not yet".
const GO_ZERO: i64 = -62_135_596_800;

/// A point in time: the engine's own text, to the nanosecond, understood on demand.
///
/// Text that is no RFC 3339 date never fails a response: it is kept, and every question about it answers `None`.
/// A number on the wire (the container list's `Created`) is taken as seconds since 1970 and written out in RFC 3339.
///
/// ```
/// use longshore_models::Timestamp;
///
/// let started = Timestamp::from("2020-01-06T09:06:59.461876391+02:00");
/// assert_eq!(started.unix_seconds(), Some(1_578_294_419));
/// assert_eq!(started.subsec_nanos(), 461_876_391);
/// assert!(Timestamp::from("0001-01-01T00:00:00Z").is_zero());
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Timestamp {
    text: Text,
}

/// Lists have thousands of dates, most of them without a fraction of a second: those cost no memory of their own. Of a
/// text there is one way to be kept, so that equal ones are equal here.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Text {
    /// As long as `1970-01-01T00:00:00Z`.
    Short([u8; 20]),
    Other(Box<str>),
}

impl Default for Text {
    fn default() -> Self {
        Text::Other(Box::default())
    }
}

impl Timestamp {
    /// Writes seconds since 1970 as a timestamp in UTC.
    pub fn from_unix(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        if !(0..=9999).contains(&year) {
            return Self::from(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"));
        }
        // The formatter costs several times as much.
        let mut text = *b"0000-00-00T00:00:00Z";
        let (century, year) = (year / 100, year % 100);
        let numbers = [(0, century), (2, year), (5, month), (8, day), (11, hour), (14, minute), (17, second)];
        for (place, number) in numbers {
            text[place] += (number / 10) as u8;
            text[place + 1] += (number % 10) as u8;
        }
        Self { text: Text::Short(text) }
    }

    /// Writes nanoseconds since 1970 as a timestamp in UTC.
    pub fn from_unix_nanos(nanoseconds: i64) -> Self {
        let whole = Self::from_unix(nanoseconds.div_euclid(1_000_000_000));
        let whole = whole.as_str().trim_end_matches('Z');
        Self::from(format!("{whole}.{:09}Z", nanoseconds.rem_euclid(1_000_000_000)))
    }

    /// Returns the engine's text, untouched.
    pub fn as_str(&self) -> &str {
        match &self.text {
            Text::Short(text) => str::from_utf8(text).expect("it was made of a text"),
            Text::Other(text) => text,
        }
    }

    /// Tells whether nothing happened yet: no text, or Go's zero time (`0001-01-01T00:00:00Z`).
    pub fn is_zero(&self) -> bool {
        self.as_str().is_empty() || self.unix_seconds() == Some(GO_ZERO)
    }

    /// Returns the whole seconds since 1970 in UTC, negative before; `None` if the text is no date.
    pub fn unix_seconds(&self) -> Option<i64> {
        parse(self.as_str()).map(|(seconds, _)| seconds)
    }

    /// Returns the nanoseconds past the second; 0 if the text is no date.
    pub fn subsec_nanos(&self) -> u32 {
        parse(self.as_str()).map_or(0, |(_, nanos)| nanos)
    }

    /// Converts to the standard library's clock; `None` if it is [zero](Self::is_zero) or no date.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let (seconds, nanos) = parse(self.as_str()).filter(|(seconds, _)| *seconds != GO_ZERO)?;
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let time = match seconds {
            0.. => SystemTime::UNIX_EPOCH.checked_add(whole),
            _ => SystemTime::UNIX_EPOCH.checked_sub(whole),
        };
        time?.checked_add(Duration::from_nanos(nanos.into()))
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        let short = text.as_bytes().try_into().map(Text::Short);
        Self { text: short.unwrap_or_else(|_| Text::Other(text.into())) }
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl Decode for Timestamp {
    fn place(&mut self) -> Place<'_> {
        Place::Scalar(self)
    }
}

impl Scalar for Timestamp {
    fn expected(&self) -> &'static str {
        "a date"
    }

    fn take(&mut self, value: Plain<'_>) -> bool {
        *self = match value {
            Plain::Text(text) => text.into(),
            Plain::Signed(seconds) => Timestamp::from_unix(seconds),
            Plain::Unsigned(seconds) => Timestamp::from_unix(seconds.try_into().unwrap_or(i64::MAX)),
            Plain::Float(seconds) => Timestamp::from_unix(seconds as i64),
            Plain::Bool(_) => return false,
        };
        true
    }
}

decode::deserialize!(Timestamp);

/// Reads an RFC 3339 date: seconds since 1970, and nanoseconds past them.
fn parse(text: &str) -> Option<(i64, u32)> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = date.as_bytes();
    let [_, _, _, _, b'-', _, _, b'-', _, _] = date else { return None };
    let (year, month, day) = (number(date.get(..4)?)?, number(date.get(5..7)?)?, number(date.get(8..)?)?);

    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let time = time.as_bytes();
    let [_, _, b':', _, _, b':', _, _] = time else { return None };
    let (hour, minute, second) = (number(time.get(..2)?)?, number(time.get(3..5)?)?, number(time.get(6..)?)?);

    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanos, offset) = fraction(rest)?;
    let offset = offset_seconds(offset)?;
    Some((days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset, nanos))
}

/// Reads `.461876391`, if there is one: nanoseconds, finer digits cut, and what follows.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let nanos = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some((nanos.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')), rest))
}

/// Reads `Z` or `+02:00`: seconds east of UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    let (sign, text) = match text.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours.as_bytes())?, number(minutes.as_bytes())?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Reads a few digits; nothing else is a number here, not even a sign.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days in years that begin in March, where the leap day comes last and months fall into a 153-day pattern.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Turns days since 1970 into year, month and day: the way back of [`days_since_1970`].
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_of_engines() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2020-01-04T10:44:24.496525531Z", 1_578_134_664, 496_525_531),
            ("2020-02-29T23:59:60Z", 1_583_020_800, 0),
            ("2022-07-06T10:00:00.5+05:30", 1_657_081_800, 500_000_000),
            ("2022-07-06T10:00:00.1234567899-00:30", 1_657_103_400, 123_456_789),
            ("1969-12-31T23:59:59.25Z", -1, 250_000_000),
            ("0001-01-01T00:00:00Z", GO_ZERO, 0),
            ("9999-12-31 23:59:59z", 253_402_300_799, 0),
        ];
        for (text, seconds, nanos) in cases {
            let timestamp = Timestamp::from(text);
            assert_eq!(timestamp.unix_seconds(), Some(seconds), "{text}");
            assert_eq!(timestamp.subsec_nanos(), nanos, "{text}");
            assert_eq!(timestamp.as_str(), text);
        }
    }

    #[test]
    fn keeps_what_is_no_date() {
        let full = "2022-07-06T10:00:00.5+05:30";
        let cuts = (1..full.len()).map(|end| full[..end].to_owned());
        let odd = [
            "",
            "0",
            "now",
            "2022-13-01T00:00:00Z",
            "2022-02-29T00:00:00Z",
            "2022-07-06T24:00:00Z",
            "2022-07-06T10:00:00",
        ];
        let odder =
            ["2022-07-06T10:00:00.Z", "2022-07-06T10:00:00Zx", "2022-07-06T10:00:00+5:30", "+022-07-06T10:00:00Z"];
        let wide =
            ["２０２２-07-06T10:00:00Z", "2022-07-06T10:00:00é", "2022-07-0é10:00:00Z", "Thu Jan  1 00:00:00 1970"];
        for text in odd.into_iter().chain(odder).chain(wide).map(str::to_owned).chain(cuts) {
            let timestamp = Timestamp::from(text.as_str());
            assert_eq!(timestamp.unix_seconds(), None, "{text}");
            assert_eq!(timestamp.subsec_nanos(), 0, "{text}");
            assert_eq!(timestamp.to_system_time(), None, "{text}");
            assert_eq!(timestamp.as_str(), text);
        }
    }

    #[test]
    fn goes_to_the_clock_and_back() {
        let time = Timestamp::from("1969-12-31T23:59:59.25Z").to_system_time().unwrap();
        assert_eq!(SystemTime::UNIX_EPOCH.duration_since(time).unwrap(), Duration::from_millis(750));
        assert_eq!(Timestamp::from("0001-01-01T00:00:00Z").to_system_time(), None);
        assert!(Timestamp::default().is_zero());
        assert!(!Timestamp::from("now").is_zero());
    }

    #[test]
    fn writes_seconds_as_a_date() {
        assert_eq!(Timestamp::from_unix(1_578_134_664).as_str(), "2020-01-04T10:44:24Z");
        assert!(Timestamp::from_unix(GO_ZERO).is_zero());
        for days in -800_000..2_900_000 {
            let (year, month, day) = date_of(days);
            assert_eq!(days_since_1970(year, month, day), days);
        }
        let far = [(253_402_300_799, "9999-12-31T23:59:59Z"), (253_402_300_800, "10000-01-01T00:00:00Z")];
        for (seconds, text) in far.into_iter().chain([(-62_167_219_201, "-1-12-31T23:59:59Z")]) {
            assert_eq!(Timestamp::from_unix(seconds).as_str(), text);
        }
        for seconds in [i64::MIN, i64::MAX] {
            assert!(!Timestamp::from_unix(seconds).as_str().is_empty());
        }
        assert_eq!(Timestamp::from_unix_nanos(-1).as_str(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn is_equal_however_it_was_made() {
        let written = Timestamp::from_unix(0);
        for text in ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00", ""] {
            assert_eq!(Timestamp::from(text), Timestamp::from(text.to_owned()));
            assert_eq!(Timestamp::from(text) == written, text == written.as_str(), "{text}");
        }
        assert_eq!(Timestamp::from(""), Timestamp::default());
        assert_eq!(size_of::<Option<Timestamp>>(), size_of::<String>());
    }
}
