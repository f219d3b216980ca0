use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use longshore_wire::demux::Source;
use longshore_wire::sanitize::sanitize;

use super::output::{Chunk, OutputStream};
use crate::error::{ErrorKind, Result};

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

    /// The text without what a terminal would obey, as [`sanitize`](fn@crate::sanitize) has it.
    pub fn sanitized(&self) -> String {
        sanitize(&self.text()).into_owned()
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

impl OutputStream {
    /// Reads the output to its end into memory, stdout and stderr apart; at most 256 MiB together.
    ///
    /// # Errors
    /// As [`next`](OutputStream::next), and [`TooLarge`](ErrorKind::TooLarge) when there is more.
    ///
    /// # Cancel safety
    /// Not cancel safe: what was read is lost.
    pub async fn collect(self) -> Result<Collected> {
        self.collect_up_to(256 * 1024 * 1024).await
    }

    /// Reads the output to its end into memory; at most `limit` bytes together.
    ///
    /// # Errors
    /// As [`collect`](OutputStream::collect).
    ///
    /// # Cancel safety
    /// Not cancel safe: what was read is lost.
    pub async fn collect_up_to(mut self, limit: u64) -> Result<Collected> {
        let mut collector = Collector::new(limit);
        while let Some(chunk) = self.next().await {
            if !collector.add(chunk?) {
                let message = format!("there is more output than the limit of {limit} bytes");
                return Err(self.operation().error(ErrorKind::TooLarge, message));
            }
        }
        Ok(collector.finish())
    }
}

/// Puts chunks together, up to a limit.
struct Collector {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    left: u64,
}

impl Collector {
    fn new(limit: u64) -> Self {
        Collector { stdout: Vec::new(), stderr: Vec::new(), left: limit }
    }

    /// Adds a chunk, unless it is over the limit.
    #[must_use]
    fn add(&mut self, chunk: Chunk) -> bool {
        let Some(left) = self.left.checked_sub(chunk.bytes.len() as u64) else { return false };
        self.left = left;
        match chunk.source {
            Source::Stderr => self.stderr.extend_from_slice(&chunk.bytes),
            _ => self.stdout.extend_from_slice(&chunk.bytes),
        }
        true
    }

    fn finish(self) -> Collected {
        Collected { stdout: self.stdout.into(), stderr: self.stderr.into() }
    }
}
