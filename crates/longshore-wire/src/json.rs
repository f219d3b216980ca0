//! Finds the ends of JSON values that follow one another on a stream.
//!
//! The engine separates them by nothing, by line breaks (NDJSON) or by record separators (RFC 7464, `0x1E`), depending
//! on its version and on the `Accept` header.

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};

/// The largest value that is accepted, in bytes.
pub const MAXIMUM_VALUE: usize = 16 * 1024 * 1024;

/// The longest line that [`Splitter::line`] tells, in bytes: what has no line of its own must not be looked through again
/// and again for its end.
const LONGEST_LINE: usize = 16 * 1024;

/// How deep objects and arrays may be nested.
pub const MAXIMUM_DEPTH: usize = 127;

/// Cuts a stream into JSON values; it finds where each ends and leaves its grammar to the parser.
///
/// ```
/// use bytes::Bytes;
/// use longshore_wire::json::Splitter;
///
/// let mut splitter = Splitter::default();
/// let mut input = Bytes::from_static(b"{\"a\":1}{\"b\":");
/// assert_eq!(splitter.next(&mut input)?.unwrap(), "{\"a\":1}");
/// assert_eq!(splitter.next(&mut input)?, None);
/// let mut input = Bytes::from_static(b"\"}\"}\n");
/// assert_eq!(splitter.next(&mut input)?.unwrap(), "{\"b\":\"}\"}");
/// # Ok::<(), longshore_wire::json::JsonError>(())
/// ```
#[derive(Debug, Default)]
pub struct Splitter {
    begun: BytesMut,
    scan: Scan,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scan {
    #[default]
    Between,
    /// Inside an object, an array or a string; the depth is 0 for a string on its own.
    Nested { depth: usize, string: bool, escape: bool },
    /// Inside a number or a word, which ends where something else begins.
    Bare,
}

impl Splitter {
    /// Takes the next value from the front of `input`; `None` when more input is needed.
    ///
    /// A value that lies whole in `input` is not copied.
    ///
    /// # Errors
    /// [`JsonError::TooLarge`] and [`JsonError::TooDeep`] when a value is over a limit.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, JsonError> {
        if self.scan == Scan::Between {
            let start = input.iter().position(|byte| !is_separator(*byte)).unwrap_or(input.len());
            let _ = input.split_to(start);
        }
        let end = self.find_end(input)?;
        if self.begun.len() + end.unwrap_or(input.len()) > MAXIMUM_VALUE {
            return Err(JsonError::TooLarge);
        }
        let Some(end) = end else {
            self.begun.extend_from_slice(input);
            input.clear();
            return Ok(None);
        };
        self.scan = Scan::Between;
        let tail = input.split_to(end);
        if self.begun.is_empty() {
            return Ok(Some(tail));
        }
        self.begun.extend_from_slice(&tail);
        Ok(Some(self.begun.split().freeze()))
    }

    /// Where the line is that `input` begins with, if it may be the next value. If it is a value, it is the one that
    /// [`next`](Splitter::next) gives; the line break behind it may be left out of what that is given then.
    ///
    /// Whoever decodes values learns where they end, so that one that has a line of its own need not be looked through
    /// before. The decoder has to refuse what is more than a value.
    pub fn line(&self, input: &[u8]) -> Option<Range<usize>> {
        if self.scan != Scan::Between {
            return None;
        }
        let start = input.iter().position(|byte| !is_separator(*byte))?;
        let within = &input[start..input.len().min(start + LONGEST_LINE)];
        let line = &within[..memchr(b'\n', within)?];
        (openings(line) <= MAXIMUM_DEPTH).then_some(start..start + line.len())
    }

    /// Takes what the end of the stream completes: a number or word that nothing follows.
    ///
    /// # Errors
    /// [`JsonError::Truncated`] when the stream ended inside a value.
    pub fn end_of_input(&mut self) -> Result<Option<Bytes>, JsonError> {
        match std::mem::take(&mut self.scan) {
            Scan::Between => Ok(None),
            Scan::Bare => Ok(Some(self.begun.split().freeze())),
            Scan::Nested { .. } => Err(JsonError::Truncated),
        }
    }

    /// Scans on through `input`; answers where the value ends, if it ends here.
    fn find_end(&mut self, input: &[u8]) -> Result<Option<usize>, JsonError> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match &mut self.scan {
                Scan::Between => {
                    self.scan = match byte {
                        b'{' | b'[' => Scan::Nested { depth: 1, string: false, escape: false },
                        b'"' => Scan::Nested { depth: 0, string: true, escape: false },
                        _ => Scan::Bare,
                    };
                }
                Scan::Bare => {
                    if is_separator(byte) || matches!(byte, b'{' | b'[' | b'"') {
                        return Ok(Some(at));
                    }
                }
                Scan::Nested { escape, .. } if *escape => *escape = false,
                Scan::Nested { depth, string: string @ true, escape } => {
                    let Some(length) = memchr2(b'"', b'\\', &input[at..]) else { return Ok(None) };
                    at += length;
                    match input[at] {
                        b'\\' => *escape = true,
                        _ if *depth == 0 => return Ok(Some(at + 1)),
                        _ => *string = false,
                    }
                }
                Scan::Nested { depth, string, .. } => match byte {
                    b'"' => *string = true,
                    b'{' | b'[' if *depth == MAXIMUM_DEPTH => return Err(JsonError::TooDeep),
                    b'{' | b'[' => *depth += 1,
                    b'}' | b']' if *depth == 1 => return Ok(Some(at + 1)),
                    b'}' | b']' => *depth -= 1,
                    _ => {}
                },
            }
            at += 1;
        }
        Ok(None)
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e)
}

/// How many objects and arrays are opened in the text at most: those in strings are counted too.
fn openings(text: &[u8]) -> usize {
    // So few at a time that their count fits a byte, of which the processor adds up many at once.
    let counts = text.chunks(255).map(|bytes| bytes.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>());
    counts.map(usize::from).sum()
}

/// Why a stream of JSON values was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// The stream ended inside a value.
    Truncated,
    /// A value is larger than [`MAXIMUM_VALUE`].
    TooLarge,
    /// A value is nested deeper than [`MAXIMUM_DEPTH`].
    TooDeep,
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonError::Truncated => formatter.write_str("the stream ended inside a JSON value"),
            JsonError::TooLarge => write!(formatter, "a JSON value is larger than {MAXIMUM_VALUE} bytes"),
            JsonError::TooDeep => write!(formatter, "a JSON value is nested deeper than {MAXIMUM_DEPTH}"),
        }
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(parts: &[&[u8]]) -> Result<Vec<String>, JsonError> {
        let mut splitter = Splitter::default();
        let mut values = Vec::new();
        for part in parts {
            let mut input = Bytes::copy_from_slice(part);
            while let Some(value) = splitter.next(&mut input)? {
                values.push(value);
            }
        }
        values.extend(splitter.end_of_input()?);
        Ok(values.into_iter().map(|value| String::from_utf8_lossy(&value).into_owned()).collect())
    }

    #[test]
    fn values_are_the_same_at_every_split() {
        let wires: [(&[u8], &[&str]); 4] = [
            (b"{\"a\":{\"b\":[1,2]}}{\"c\":\"}\\\"{\"}", &["{\"a\":{\"b\":[1,2]}}", "{\"c\":\"}\\\"{\"}"]),
            (b"\x1e{\"a\":1}\n\x1e{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"]),
            (b" \r\n[1]\r\n\r\n12 true\"x\\\\\"null", &["[1]", "12", "true", "\"x\\\\\"", "null"]),
            (b"\n\n", &[]),
        ];
        for (wire, expected) in wires {
            for first in 0..=wire.len() {
                for second in first..=wire.len() {
                    let parts = [&wire[..first], &wire[first..second], &wire[second..]];
                    assert_eq!(run(&parts).unwrap(), expected, "split at {first} and {second}");
                }
            }
        }
    }

    #[test]
    fn a_line_may_be_a_value() {
        let line = |text: &[u8]| Splitter::default().line(text).map(|range| text[range].to_vec());
        assert_eq!(line(b" \r\n\x1e{\"a\":1} \r\n{}").as_deref(), Some(b"{\"a\":1} \r".as_slice()));
        for none in ["", "\n\r\n", "{\"a\":1}"] {
            assert_eq!(line(none.as_bytes()), None, "{none:?}");
        }
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth], b"\n".to_vec()].concat();
        assert!(line(&nested(MAXIMUM_DEPTH)).is_some() && line(&nested(MAXIMUM_DEPTH + 1)).is_none());
        let long = |length: usize| [vec![b'1'; length], b"\n".to_vec()].concat();
        assert!(line(&long(LONGEST_LINE - 1)).is_some() && line(&long(LONGEST_LINE)).is_none());
        let mut begun = Splitter::default();
        assert_eq!(begun.next(&mut Bytes::from_static(b"{\"a\":")), Ok(None));
        assert_eq!(begun.line(b"1\n"), None);
    }

    #[test]
    fn a_cut_inside_a_value_is_truncation() {
        let wire = b"{\"a\":[\"x\"]}\n{\"b\":2}";
        for cut in 0..=wire.len() {
            let outcome = run(&[&wire[..cut]]);
            match [0, 11, 12, wire.len()].contains(&cut) {
                true => assert!(outcome.is_ok(), "cut at {cut}"),
                false => assert_eq!(outcome, Err(JsonError::Truncated), "cut at {cut}"),
            }
        }
    }

    #[test]
    fn depth_and_size_have_limits() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(run(&[&nested(MAXIMUM_DEPTH)]).unwrap().len(), 1);
        assert_eq!(run(&[&nested(MAXIMUM_DEPTH + 1)]), Err(JsonError::TooDeep));
        assert_eq!(run(&[&nested(10_000)]), Err(JsonError::TooDeep));

        let piece = vec![b'x'; 1024 * 1024];
        let mut parts: Vec<&[u8]> = vec![b"\""];
        parts.extend(std::iter::repeat_n(piece.as_slice(), 16));
        assert_eq!(run(&parts), Err(JsonError::TooLarge));
    }
}
