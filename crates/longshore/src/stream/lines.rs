use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use longshore_models::Timestamp;
use longshore_wire::demux::Source;
use longshore_wire::sanitize::sanitize;

use super::output::{Chunk, OutputStream};
use crate::error::{ErrorKind, Result};

/// The longest line unless another limit is set, in bytes.
const LONGEST: usize = 1024 * 1024;

/// A line of output, without its line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it comes from.
    pub source: Source,
    /// What was written.
    pub bytes: Bytes,
}

impl Line {
    /// The text; bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// The text without what a terminal would obey, as [`sanitize`](fn@crate::sanitize) has it: for lines that are shown
    /// on a terminal and were written by who knows whom.
    pub fn sanitized(&self) -> String {
        sanitize(&self.text()).into_owned()
    }

    /// Takes the timestamp from the front of a line of logs that were asked for with timestamps.
    ///
    /// Answers `None`, and leaves the line as it is, where there is none.
    pub fn take_timestamp(&mut self) -> Option<Timestamp> {
        let end = self.bytes.iter().take(64).position(|byte| *byte == b' ')?;
        let text = std::str::from_utf8(&self.bytes[..end]).ok()?;
        let timestamp = Timestamp::from(text);
        timestamp.to_system_time()?;
        let _ = self.bytes.split_to(end + 1);
        Some(timestamp)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text())
    }
}

/// The lines of an [`OutputStream`].
///
/// A line ends at `\n` or `\r\n`, or where the output ends. Lines of different sources come in the order in which they
/// are completed.
#[derive(Debug)]
pub struct Lines {
    output: OutputStream,
    begun: [BytesMut; SOURCES],
    rest: Option<Chunk>,
    last: VecDeque<Line>,
    limit: usize,
    ended: bool,
}

const SOURCES: usize = 4;

impl OutputStream {
    /// Makes lines of the output, each source's for itself.
    pub fn lines(self) -> Lines {
        Lines::new(self)
    }
}

impl Lines {
    fn new(output: OutputStream) -> Self {
        Lines { output, begun: Default::default(), rest: None, last: VecDeque::new(), limit: LONGEST, ended: false }
    }

    /// Accepts lines of at most `limit` bytes, instead of 1 MiB.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Takes the next line; `None` at the end and after an error.
    ///
    /// # Errors
    /// As [`OutputStream::next`], and [`TooLarge`](ErrorKind::TooLarge) for a line over the limit.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Line>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Takes the next line out of the chunk at hand; what is left of the chunk without a line break is kept.
    fn next_in_chunk(&mut self) -> Option<Line> {
        let chunk = self.rest.as_mut()?;
        let source = chunk.source;
        let begun = &mut self.begun[source as usize];
        let Some(end) = chunk.bytes.iter().position(|byte| *byte == b'\n') else {
            begun.extend_from_slice(&chunk.bytes);
            self.rest = None;
            return None;
        };
        let tail = chunk.bytes.split_to(end + 1);
        if begun.is_empty() {
            return Some(Line { source, bytes: without_break(tail) });
        }
        begun.extend_from_slice(&tail);
        Some(Line { source, bytes: without_break(begun.split().freeze()) })
    }

    /// Makes lines of what no line break ended.
    fn flush(&mut self) {
        for source in [Source::Stdin, Source::Stdout, Source::Stderr, Source::Terminal] {
            let bytes = self.begun[source as usize].split().freeze();
            if !bytes.is_empty() {
                self.last.push_back(Line { source, bytes });
            }
        }
    }

    fn too_long(&mut self) -> Poll<Option<Result<Line>>> {
        self.ended = true;
        self.begun = Default::default();
        let message = format!("a line of the output is longer than {} bytes", self.limit);
        Poll::Ready(Some(Err(self.output.operation().error(ErrorKind::TooLarge, message))))
    }
}

fn without_break(mut line: Bytes) -> Bytes {
    let length = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(&line).len();
    line.truncate(length);
    line
}

impl Stream for Lines {
    type Item = Result<Line>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(line) = self.next_in_chunk() {
                return match line.bytes.len() > self.limit {
                    true => self.too_long(),
                    false => Poll::Ready(Some(Ok(line))),
                };
            }
            // A carriage return at the end may be part of the line break.
            if self.begun.iter().any(|begun| begun.strip_suffix(b"\r").unwrap_or(begun).len() > self.limit) {
                return self.too_long();
            }
            if self.ended {
                return Poll::Ready(self.last.pop_front().map(Ok));
            }
            match ready!(Pin::new(&mut self.output).poll_next(context)) {
                Some(Ok(chunk)) => self.rest = Some(chunk),
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None if self.begun.iter().any(|begun| begun.len() > self.limit) => return self.too_long(),
                None => {
                    self.ended = true;
                    self.flush();
                }
            }
        }
    }
}
