//! Engine API versions.

use std::fmt;
use std::str::FromStr;

/// Names a version of the Engine API, such as 1.41. Versions compare as numbers: 1.9 is older than 1.41.
///
/// ```
/// use longshore_wire::version::ApiVersion;
///
/// let engine: ApiVersion = "1.41".parse()?;
/// assert_eq!(ApiVersion::MAXIMUM.clamp_to(engine), ApiVersion::new(1, 41));
/// # Ok::<(), longshore_wire::version::InvalidVersion>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// The number before the point.
    pub major: u16,
    /// The number after the point.
    pub minor: u16,
}

impl ApiVersion {
    /// The oldest version that is spoken.
    pub const MINIMUM: ApiVersion = ApiVersion::new(1, 24);
    /// The newest version that is spoken.
    pub const MAXIMUM: ApiVersion = ApiVersion::new(1, 55);

    /// Names the version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> ApiVersion {
        ApiVersion { major, minor }
    }

    /// Reads `1.41` or `v1.41`.
    ///
    /// # Errors
    /// [`InvalidVersion`] if the text is not two numbers below 65536 with a point between them.
    pub fn parse(text: &str) -> Result<ApiVersion, InvalidVersion> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        let version = || {
            let (major, minor) = digits.split_once('.')?;
            Some(ApiVersion::new(number(major)?, number(minor)?))
        };
        version().ok_or_else(|| InvalidVersion(text.chars().take(LONGEST_SHOWN).collect()))
    }

    /// Returns the newest version that neither this side nor the server exceeds.
    ///
    /// `server` is the newest version the server speaks. The result can be older than the oldest it accepts; only
    /// the server knows that one.
    #[must_use]
    pub fn clamp_to(self, server: ApiVersion) -> ApiVersion {
        self.min(server)
    }
}

const LONGEST_SHOWN: usize = 40;

/// `parse` of the standard library would take a sign as well.
fn number(digits: &str) -> Option<u16> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<ApiVersion, InvalidVersion> {
        ApiVersion::parse(text)
    }
}

/// Says that a text is not an API version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidVersion(String);

impl fmt::Display for InvalidVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an API version, which is written like 1.41", self.0.escape_debug())
    }
}

impl std::error::Error for InvalidVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_written() {
        assert_eq!(ApiVersion::parse("1.41"), Ok(ApiVersion::new(1, 41)));
        assert_eq!(ApiVersion::parse("v1.41"), Ok(ApiVersion::new(1, 41)));
        assert_eq!("2.0".parse(), Ok(ApiVersion::new(2, 0)));
        for (major, minor) in [(0, 0), (1, 9), (1, 55), (65535, 65535)] {
            let version = ApiVersion::new(major, minor);
            assert_eq!(version.to_string().parse(), Ok(version));
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(ApiVersion::new(1, 9) < ApiVersion::new(1, 41));
        assert!(ApiVersion::new(1, 55) < ApiVersion::new(2, 0));
        assert!(ApiVersion::MINIMUM < ApiVersion::MAXIMUM);
    }

    #[test]
    fn the_older_side_decides() {
        let old = ApiVersion::new(1, 41);
        let new = ApiVersion::new(1, 99);
        assert_eq!(ApiVersion::MAXIMUM.clamp_to(old), old);
        assert_eq!(ApiVersion::MAXIMUM.clamp_to(new), ApiVersion::MAXIMUM);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "", "v", ".", "1", "1.", ".41", "1.41.0", "+1.41", "1.+4", "1.-4", " 1.41", "1.41\n", "V1.41", "vv1.41",
            "1.x", "1.65536", "٣.٤",
        ] {
            let error = ApiVersion::parse(text).unwrap_err();
            assert!(error.to_string().contains("written like 1.41"), "{text}");
        }
        assert_eq!(
            ApiVersion::parse("one\n").unwrap_err().to_string(),
            "`one\\n` is not an API version, which is written like 1.41"
        );
        let long = ApiVersion::parse(&"9".repeat(1_000)).unwrap_err();
        assert!(long.to_string().len() < 120);
    }
}
