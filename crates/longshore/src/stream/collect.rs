use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use longshore_wire::demux::Source;

use super::output::Chunk;

/// Output that was read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// What was written to standard output, or to the terminal.
    pub stdout: Captured,
    /// What was written to standard error.
    pub stderr: Captured,
}

/// Bytes that are mostly text: they compare with a `str`, and print as text.
///
/// ```
/// # use longshore::Captured;
/// let captured = Captured::from(b"hi\n".to_vec());
/// assert!(captured == "hi\n");
/// assert_eq!(captured.text().trim(), "hi");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Captured(Bytes);

impl Captured {
    /// The text; bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The bytes.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Captured {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Captured {
    fn from(bytes: Vec<u8>) -> Self {
        Captured(bytes.into())
    }
}

impl PartialEq<str> for Captured {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Captured {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text())
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Puts chunks together, up to a limit.
pub(super) struct Collector {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    left: u64,
}

impl Collector {
    pub(super) fn new(limit: u64) -> Self {
        Collector { stdout: Vec::new(), stderr: Vec::new(), left: limit }
    }

    /// Adds a chunk, unless it is over the limit.
    #[must_use]
    pub(super) fn add(&mut self, chunk: Chunk) -> bool {
        let Some(left) = self.left.checked_sub(chunk.bytes.len() as u64) else { return false };
        self.left = left;
        match chunk.source {
            Source::Stderr => self.stderr.extend_from_slice(&chunk.bytes),
            _ => self.stdout.extend_from_slice(&chunk.bytes),
        }
        true
    }

    pub(super) fn finish(self) -> Collected {
        Collected { stdout: self.stdout.into(), stderr: self.stderr.into() }
    }
}
