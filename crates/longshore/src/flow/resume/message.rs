//! Logs as the messages that the engine keeps, and the lines that these make.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use longshore_models::Timestamp;
use longshore_wire::demux::Source;

use crate::error::{ErrorKind, Operation, Result};
use crate::stream::{Line, OutputStream};

/// The longest time before a message, its space included.
const LONGEST_TIME: usize = 64;

/// When a message was written, as the engine tells it: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
}

/// What the engine keeps as one: a line, or a piece of a long one, or the last of a container's output without its line
/// break.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) source: Source,
    pub(super) time: Time,
    /// Whether the time is told by the second only.
    pub(super) coarse: bool,
    /// All of it, its time included.
    bytes: Bytes,
    /// Where the text begins.
    start: usize,
}

impl Message {
    fn new(source: Source, bytes: Bytes) -> Result<Self, Bytes> {
        match take_time(&bytes) {
            Some((time, start)) => {
                let coarse = !bytes[..start].contains(&b'.');
                Ok(Message { source, time, coarse, bytes, start })
            }
            None => Err(bytes),
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// The time that begins a message, and where the text behind it begins.
fn take_time(bytes: &[u8]) -> Option<(Time, usize)> {
    let end = bytes.iter().take(LONGEST_TIME).position(|byte| *byte == b' ')?;
    let time = Timestamp::from(std::str::from_utf8(&bytes[..end]).ok()?);
    Some((Time { seconds: time.unix_seconds()?, nanoseconds: time.subsec_nanos() }, end + 1))
}

/// The messages of an output that was asked for with timestamps.
///
/// Where there are frames, each is a message. Of a terminal a message ends with its line; or, without a line break, where
/// the engine has begun to write anew, and what it writes begins with a time.
pub(super) struct Messages {
    output: OutputStream,
    begun: BytesMut,
    /// How much of what has begun is known to have no line break.
    scanned: usize,
    /// Where in it, of a terminal, the engine may have begun to write anew.
    seam: Option<usize>,
    limit: usize,
}

impl Messages {
    pub(super) fn new(output: OutputStream, limit: usize) -> Self {
        let limit = limit.saturating_add(LONGEST_TIME);
        Messages { output, begun: BytesMut::new(), scanned: 0, seam: None, limit }
    }

    pub(super) fn poll_next(
        &mut self,
        operation: &Operation,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Message>>> {
        loop {
            if let Some(bytes) = self.next_of_terminal() {
                return Poll::Ready(Some(message(Source::Terminal, bytes, operation)));
            }
            if self.begun.len() > self.limit {
                return Poll::Ready(Some(Err(too_long(operation, self.limit - LONGEST_TIME))));
            }
            let chunk = match ready!(Pin::new(&mut self.output).poll_next(context)) {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if self.begun.is_empty() => return Poll::Ready(None),
                None => {
                    self.scanned = 0;
                    return Poll::Ready(Some(message(Source::Terminal, self.begun.split().freeze(), operation)));
                }
            };
            match self.output.is_between_frames() {
                Some(true) if self.begun.is_empty() => {
                    return Poll::Ready(Some(message(chunk.source, chunk.bytes, operation)));
                }
                Some(is_whole) => {
                    self.begun.extend_from_slice(&chunk.bytes);
                    if is_whole {
                        return Poll::Ready(Some(message(chunk.source, self.begun.split().freeze(), operation)));
                    }
                }
                None => {
                    if !self.begun.is_empty() {
                        self.seam.get_or_insert(self.begun.len());
                    }
                    self.begun.extend_from_slice(&chunk.bytes);
                }
            }
        }
    }

    /// Takes the next message of a terminal out of what has come.
    fn next_of_terminal(&mut self) -> Option<Bytes> {
        if self.output.is_between_frames().is_some() {
            return None;
        }
        let line_break = self.begun[self.scanned..].iter().position(|byte| *byte == b'\n');
        let line = line_break.map(|at| self.scanned + at + 1);
        if let Some(seam) = self.seam {
            match seam_at(&self.begun, seam) {
                Some(true) => return Some(self.take(seam)),
                Some(false) => self.seam = None,
                None if line.is_some() => self.seam = None,
                None => {}
            }
        }
        self.scanned = self.begun.len();
        line.map(|end| self.take(end))
    }

    fn take(&mut self, length: usize) -> Bytes {
        (self.scanned, self.seam) = (0, None);
        self.begun.split_to(length).freeze()
    }
}

/// Whether the engine has begun a message at `seam`: there is a time, which is not before that of the message at hand. A
/// time that a program writes is. `None` if that can't be told yet.
fn seam_at(begun: &[u8], seam: usize) -> Option<bool> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let rest = &begun[seam..];
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    if !rest.iter().zip(SHAPE).all(fits) {
        return Some(false);
    }
    match rest.iter().skip(SHAPE.len()).take(LONGEST_TIME).find(|byte| !b".0123456789Z+-:".contains(byte)) {
        Some(b' ') => match (take_time(begun), take_time(rest)) {
            (Some((own, _)), Some((next, _))) => Some(next >= own),
            _ => Some(false),
        },
        Some(_) => Some(false),
        None => (rest.len() > LONGEST_TIME).then_some(false),
    }
}

fn message(source: Source, bytes: Bytes, operation: &Operation) -> Result<Message> {
    Message::new(source, bytes).map_err(|bytes| {
        let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        operation.error(ErrorKind::Decode, format!("a line came without its time: {}", begin.trim_end()))
    })
}

fn too_long(operation: &Operation, limit: usize) -> crate::error::Error {
    operation.error(ErrorKind::TooLarge, format!("a line of the output is longer than {limit} bytes"))
}

/// Makes lines of messages, those of each source for themselves.
pub(super) struct LineMaker {
    begun: [BytesMut; SOURCES.len()],
    /// Whether lines begin with their time.
    timestamps: bool,
    pub(super) limit: usize,
}

pub(super) const SOURCES: [Source; 4] = [Source::Stdin, Source::Stdout, Source::Stderr, Source::Terminal];

impl LineMaker {
    pub(super) fn new(timestamps: bool, limit: usize) -> Self {
        LineMaker { begun: Default::default(), timestamps, limit }
    }

    /// The line that a message ends, if it ends one.
    pub(super) fn add(&mut self, message: Message, operation: &Operation) -> Result<Option<Line>> {
        let Message { source, mut bytes, start, .. } = message;
        let begun = &mut self.begun[source as usize];
        if !self.timestamps || !begun.is_empty() {
            let _ = bytes.split_to(start);
        }
        let ends = bytes.ends_with(b"\n");
        if !begun.is_empty() || !ends {
            begun.extend_from_slice(&bytes);
            bytes = if ends { begun.split().freeze() } else { Bytes::new() };
        }
        let length = match ends {
            true => bytes.strip_suffix(b"\r\n").or(bytes.strip_suffix(b"\n")).unwrap_or(&bytes).len(),
            // A carriage return at the end may be part of the line break.
            false => begun.strip_suffix(b"\r").unwrap_or(begun).len(),
        };
        if length > self.limit {
            return Err(too_long(operation, self.limit));
        }
        bytes.truncate(length);
        Ok(ends.then_some(Line { source, bytes }))
    }

    /// The lines that no line break has ended.
    pub(super) fn finish(&mut self) -> impl Iterator<Item = Line> {
        let rest = SOURCES.map(|source| Line { source, bytes: self.begun[source as usize].split().freeze() });
        rest.into_iter().filter(|line| !line.bytes.is_empty())
    }
}
