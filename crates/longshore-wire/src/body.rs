//! Undoes the framing of a response body.

use std::fmt;

use crate::head::ResponseHead;
use crate::request::Method;

/// The longest line that may announce a chunk, extensions included, in bytes.
pub const MAXIMUM_CHUNK_LINE: usize = 4 * 1024;

/// The most bytes of trailers that are accepted after a chunked body.
pub const MAXIMUM_TRAILERS: usize = 16 * 1024;

/// How a response says where its body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    Empty,
    /// The body has this many bytes.
    Length(u64),
    /// The body comes in chunks, the last of them empty.
    Chunked,
    /// The body ends with the connection.
    UntilClose,
}

impl Framing {
    /// Tells the framing of the response to a request made with `method`.
    ///
    /// # Errors
    /// [`BodyError::Length`] when the length is not a number or is given twice with different values,
    /// [`BodyError::Encoding`] when an HTTP/1.0 server claims a transfer encoding.
    pub fn of(method: Method, head: &ResponseHead) -> Result<Framing, BodyError> {
        if method == Method::Head || matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Empty);
        }
        if let Some(last) = head.headers("transfer-encoding").last() {
            if head.http_1_0 {
                return Err(BodyError::Encoding);
            }
            let coding = last.rsplit(',').next().unwrap_or_default().trim();
            return Ok(match coding.eq_ignore_ascii_case("chunked") {
                true => Framing::Chunked,
                false => Framing::UntilClose,
            });
        }
        let mut length = None;
        for value in head.headers("content-length").flat_map(|value| value.split(',')) {
            let value = decimal(value.trim()).ok_or(BodyError::Length)?;
            if length.replace(value).is_some_and(|earlier| earlier != value) {
                return Err(BodyError::Length);
            }
        }
        Ok(length.map_or(Framing::UntilClose, Framing::Length))
    }
}

fn decimal(text: &str) -> Option<u64> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}

/// What one step of a [`BodyDecoder`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes at the front of the input are a piece of the body, at least one: they are to be taken away.
    Data(usize),
    /// Nothing more without more input.
    More,
    /// The body has ended; what is left of the input belongs to what comes next on the connection.
    End,
}

/// Takes a body out of its framing, without copying it.
///
/// ```
/// use longshore_wire::body::{BodyDecoder, Framing, Step};
///
/// let mut decoder = BodyDecoder::new(Framing::Chunked);
/// let mut input = &b"5\r\nhello\r\n0\r\n\r\n"[..];
/// let Step::Data(length) = decoder.decode(&mut input)? else { panic!() };
/// let (data, rest) = input.split_at(length);
/// assert_eq!(data, b"hello");
/// input = rest;
/// assert_eq!(decoder.decode(&mut input)?, Step::End);
/// # Ok::<(), longshore_wire::body::BodyError>(())
/// ```
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
}

#[derive(Debug)]
enum State {
    Length(u64),
    UntilClose,
    ChunkLine,
    ChunkData(u64),
    /// Before the line break that ends the data of a chunk. It is taken as soon as it has come, so that nothing is left
    /// over when a server waits between chunks.
    ChunkEnd,
    Trailers {
        seen: usize,
    },
    Done,
}

impl BodyDecoder {
    /// Makes a decoder for a body with this framing.
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkLine,
            Framing::UntilClose => State::UntilClose,
        };
        BodyDecoder { state }
    }

    /// Whether the whole body has been seen.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// How many bytes are yet to come, where the framing tells.
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Length(left) => Some(left),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// Finds the next piece of the body, and takes away the framing before it from the front of `input`.
    ///
    /// After [`Step::More`], what is left of `input` is the beginning of a line, and must stand before what comes next.
    ///
    /// # Errors
    /// A [`BodyError`] when the framing is broken or over a limit; the connection is of no more use then.
    #[inline]
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Step, BodyError> {
        loop {
            match &mut self.state {
                State::Done => return Ok(Step::End),
                State::UntilClose if input.is_empty() => return Ok(Step::More),
                State::UntilClose => return Ok(Step::Data(input.len())),
                State::ChunkEnd => match input {
                    [b'\r', b'\n', rest @ ..] => {
                        *input = rest;
                        self.state = State::ChunkLine;
                    }
                    [] | [b'\r'] => return Ok(Step::More),
                    _ => return Err(BodyError::Chunk),
                },
                State::ChunkLine => match chunk_line(input)? {
                    None => return Ok(Step::More),
                    Some((line, size)) => {
                        *input = &input[line..];
                        self.state = if size == 0 { State::Trailers { seen: 0 } } else { State::ChunkData(size) };
                    }
                },
                State::ChunkData(left) => {
                    let length = available(input, *left);
                    *left -= length as u64;
                    if *left == 0 {
                        self.state = State::ChunkEnd;
                    }
                    return Ok(if length == 0 { Step::More } else { Step::Data(length) });
                }
                State::Length(left) => {
                    let length = available(input, *left);
                    *left -= length as u64;
                    if *left == 0 {
                        self.state = State::Done;
                    }
                    return Ok(if length == 0 { Step::More } else { Step::Data(length) });
                }
                State::Trailers { seen } => match trailer_line(input, *seen)? {
                    None => return Ok(Step::More),
                    Some(line) => {
                        *input = &input[line..];
                        *seen += line;
                        if line == 2 {
                            self.state = State::Done;
                        }
                    }
                },
            }
        }
    }

    /// Tells the decoder that the connection has ended.
    ///
    /// # Errors
    /// [`BodyError::Truncated`] unless the body was complete.
    pub fn end_of_input(&mut self) -> Result<(), BodyError> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(BodyError::Truncated),
        }
    }
}

/// How much of what is left to come is in `input`.
#[inline]
fn available(input: &[u8], left: u64) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(input.len())
}

/// Reads the line that announces a chunk. Answers the bytes that it takes, and the size of the chunk.
#[inline]
fn chunk_line(line: &[u8]) -> Result<Option<(usize, u64)>, BodyError> {
    let mut size: u64 = 0;
    let mut digits = 0;
    while let Some(digit) = line.get(digits).and_then(|byte| hexadecimal(*byte)) {
        if digits == 16 {
            return Err(BodyError::Chunk);
        }
        size = size << 4 | digit;
        digits += 1;
    }
    match &line[digits..] {
        [] => Ok(None),
        _ if digits == 0 => Err(BodyError::Chunk),
        [b'\r', b'\n', ..] => Ok(Some((digits + 2, size))),
        [b'\r'] => Ok(None),
        [b';' | b' ' | b'\t', ..] => {
            let end = extension_end(&line[digits..], MAXIMUM_CHUNK_LINE - digits)?;
            Ok(end.map(|end| (digits + end, size)))
        }
        _ => Err(BodyError::Chunk),
    }
}

#[inline]
fn hexadecimal(byte: u8) -> Option<u64> {
    match byte {
        b'0'..=b'9' => Some(u64::from(byte - b'0')),
        b'a'..=b'f' => Some(u64::from(byte - b'a' + 10)),
        b'A'..=b'F' => Some(u64::from(byte - b'A' + 10)),
        _ => None,
    }
}

/// Where the extensions of a chunk line end, with the line break; they mean nothing to a client.
fn extension_end(text: &[u8], limit: usize) -> Result<Option<usize>, BodyError> {
    let window = &text[..text.len().min(limit)];
    let first = window.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    if first.is_some_and(|byte| !matches!(byte, b';' | b'\r')) {
        return Err(BodyError::Chunk);
    }
    let end = window.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(window.len());
    match &window[end..] {
        [b'\r', b'\n', ..] => Ok(Some(end + 2)),
        [] | [b'\r'] if text.len() >= limit => Err(BodyError::ChunkLineTooLong),
        [] | [b'\r'] => Ok(None),
        _ => Err(BodyError::Chunk),
    }
}

/// The length of the next line of the trailers, with its line break; the last one has only that.
fn trailer_line(input: &[u8], seen: usize) -> Result<Option<usize>, BodyError> {
    let window = &input[..input.len().min(MAXIMUM_TRAILERS - seen)];
    match window.iter().position(|byte| *byte == b'\n') {
        Some(at) => match window[..at].strip_suffix(b"\r") {
            Some(line) if line.is_empty() || is_field(line) => Ok(Some(at + 1)),
            _ => Err(BodyError::Trailers),
        },
        None if seen + input.len() >= MAXIMUM_TRAILERS => Err(BodyError::TrailersTooLong),
        None => Ok(None),
    }
}

fn is_field(line: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let mut parts = line.splitn(2, |byte| *byte == b':');
    let (Some(name), Some(value)) = (parts.next(), parts.next()) else { return false };
    let is_value = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    !name.is_empty() && name.iter().all(is_token) && value.iter().all(is_value)
}

/// Why a body was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The connection ended before the body did.
    Truncated,
    /// The content length is not a number, or is given twice with different values.
    Length,
    /// A transfer encoding stands where none may.
    Encoding,
    /// A chunk is not framed as one.
    Chunk,
    /// The line that announces a chunk is longer than [`MAXIMUM_CHUNK_LINE`].
    ChunkLineTooLong,
    /// The trailers are not well formed.
    Trailers,
    /// The trailers are longer than [`MAXIMUM_TRAILERS`].
    TrailersTooLong,
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::Truncated => formatter.write_str("the connection ended before the body did"),
            BodyError::Length => formatter.write_str("the body's content length is not one number"),
            BodyError::Encoding => formatter.write_str("an HTTP/1.0 answer has a transfer encoding"),
            BodyError::Chunk => formatter.write_str("a chunk of the body is not framed as one"),
            BodyError::ChunkLineTooLong => {
                write!(formatter, "a line that announces a chunk is longer than {MAXIMUM_CHUNK_LINE} bytes")
            }
            BodyError::Trailers => formatter.write_str("the body's trailers are malformed"),
            BodyError::TrailersTooLong => {
                write!(formatter, "the body's trailers are longer than {MAXIMUM_TRAILERS} bytes")
            }
        }
    }
}

impl std::error::Error for BodyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::parse;

    /// Feeds `wire` in two parts cut at `split`, then the end of input; answers the body and what is left over.
    fn decode_split(framing: Framing, wire: &[u8], split: usize) -> Result<(Vec<u8>, Vec<u8>), BodyError> {
        let mut decoder = BodyDecoder::new(framing);
        let mut body = Vec::new();
        let mut left = Vec::new();
        for part in [&wire[..split], &wire[split..]] {
            left.extend_from_slice(part);
            let mut input = &left[..];
            while let Step::Data(length) = decoder.decode(&mut input)? {
                let (data, rest) = input.split_at(length);
                body.extend_from_slice(data);
                input = rest;
            }
            left = input.to_vec();
        }
        decoder.end_of_input()?;
        Ok((body, left))
    }

    const CHUNKED: &[u8] =
        b"5\r\nhello\r\nA;name=value\r\n, chunked \r\n005 \r\nworld\r\n0\r\nA: b\r\nC: d\r\n\r\nnext";

    #[test]
    fn chunks_are_joined_at_every_split() {
        for split in 0..=CHUNKED.len() {
            let (body, rest) = decode_split(Framing::Chunked, CHUNKED, split).unwrap();
            assert_eq!(body, b"hello, chunked world", "split at {split}");
            assert_eq!(rest, b"next");
        }
    }

    #[test]
    fn a_body_cut_anywhere_is_truncated() {
        for cut in 0..CHUNKED.len() - 4 {
            let outcome = decode_split(Framing::Chunked, &CHUNKED[..cut], cut / 2);
            assert_eq!(outcome, Err(BodyError::Truncated), "cut at {cut}");
        }
        for cut in 0..9 {
            assert_eq!(decode_split(Framing::Length(9), &b"ninebytes"[..cut], cut), Err(BodyError::Truncated));
        }
        assert_eq!(decode_split(Framing::Length(4), b"ninebytes", 2).unwrap(), (b"nine".into(), b"bytes".into()));
        assert_eq!(decode_split(Framing::UntilClose, b"all", 1).unwrap().0, b"all");
        assert_eq!(decode_split(Framing::Empty, b"next", 1).unwrap(), (vec![], b"next".into()));
    }

    #[test]
    fn broken_chunks_are_refused_at_every_split() {
        let cases: [(&[u8], BodyError); 14] = [
            (b"x\r\n", BodyError::Chunk),
            (b"\r\n", BodyError::Chunk),
            (b"5\nhello\r\n", BodyError::Chunk),
            (b"5\r\nhelloworld", BodyError::Chunk),
            (b"11111111111111111\r\n", BodyError::Chunk),
            (b"5;a\nb\r\nhello", BodyError::Chunk),
            (b"-5\r\n", BodyError::Chunk),
            (b"5 x\r\nhello", BodyError::Chunk),
            (b"5;a\rb\r\nhello", BodyError::Chunk),
            (b"5 \r\rhello", BodyError::Chunk),
            (b"0\r\nA: b\n\r\n", BodyError::Trailers),
            (b"0\r\nno colon\r\n\r\n", BodyError::Trailers),
            (b"0\r\nA : b\r\n\r\n", BodyError::Trailers),
            (b"0\r\nA: b\0\r\n\r\n", BodyError::Trailers),
        ];
        for (wire, error) in cases {
            for split in 0..=wire.len() {
                assert_eq!(decode_split(Framing::Chunked, wire, split), Err(error), "{wire:?} at {split}");
            }
        }
    }

    #[test]
    fn the_largest_chunk_size_is_data_to_come_not_memory() {
        let outcome = decode_split(Framing::Chunked, b"ffffffffffffffff\r\nabc", 3);
        assert_eq!(outcome, Err(BodyError::Truncated));
    }

    #[test]
    fn lines_and_trailers_have_limits() {
        let mut line = b"5;".to_vec();
        line.resize(MAXIMUM_CHUNK_LINE, b'e');
        assert_eq!(decode_split(Framing::Chunked, &line, 7), Err(BodyError::ChunkLineTooLong));

        let mut trailers = b"0\r\n".to_vec();
        while trailers.len() < MAXIMUM_TRAILERS + 3 {
            trailers.extend_from_slice(b"Name: value\r\n");
        }
        assert_eq!(decode_split(Framing::Chunked, &trailers, 40), Err(BodyError::TrailersTooLong));
    }

    #[test]
    fn the_framing_is_read_from_the_head() {
        let of = |method, text: &str| Framing::of(method, &parse(text.as_bytes()).unwrap().unwrap().0);
        let get = |text: &str| of(Method::Get, text);
        assert_eq!(get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), Ok(Framing::Length(5)));
        assert_eq!(get("HTTP/1.1 200 OK\r\n\r\n"), Ok(Framing::UntilClose));
        assert_eq!(get("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"), Ok(Framing::Chunked));
        assert_eq!(get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"), Ok(Framing::UntilClose));
        let both = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(get(both), Ok(Framing::Chunked));
        assert_eq!(of(Method::Head, both), Ok(Framing::Empty));
        for status in [101, 204, 304] {
            assert_eq!(get(&format!("HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n")), Ok(Framing::Empty));
        }
        assert_eq!(get("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"), Ok(Framing::Length(5)));
        for bad in ["5\r\nContent-Length: 6", "5, 6", "-1", "+5", "", "0x5", "99999999999999999999"] {
            assert_eq!(get(&format!("HTTP/1.1 200 OK\r\nContent-Length: {bad}\r\n\r\n")), Err(BodyError::Length));
        }
        assert_eq!(get("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(BodyError::Encoding));
    }
}
