//! Takes stdout and stderr apart.
//!
//! Without a terminal, the engine sends both on one stream as frames: a byte that names the stream, three of padding,
//! the length of the payload as a big-endian `u32`, then the payload. A frame may be spread over reads and chunks in
//! any way.

use std::fmt;

use crate::sanitize::sanitize;

/// The longest error text of the engine that is kept, in bytes.
pub const MAXIMUM_ERROR: usize = 1024 * 1024;

const HEADER: usize = 8;

/// Where a piece of output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Standard input, echoed by the engine.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A terminal, on which standard output and standard error can't be told apart.
    Terminal,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Source::Stdin => "stdin",
            Source::Stdout => "stdout",
            Source::Stderr => "stderr",
            Source::Terminal => "terminal",
        })
    }
}

/// Undoes the framing of a multiplexed stream, without copying payloads.
#[derive(Debug)]
pub struct Demux {
    /// The source of the frame at hand.
    source: Source,
    /// How much of the payload of the frame at hand is yet to come.
    left: usize,
    /// The bytes of a header that has come in part, and how many they are.
    header: [u8; HEADER],
    filled: usize,
    /// The text of an error of the engine, while its frame is being read.
    error: Option<Vec<u8>>,
}

impl Default for Demux {
    fn default() -> Self {
        Demux { source: Source::Stdout, left: 0, header: [0; HEADER], filled: 0, error: None }
    }
}

impl Demux {
    /// Finds the next piece of payload, and takes away the headers before it from the front of `input`; `None` when more
    /// input is needed.
    ///
    /// So many bytes at the front of `input` are from the source: they are to be taken away. They are never none and
    /// never span two frames; a long frame may come in several pieces.
    ///
    /// # Errors
    /// [`DemuxError::UnknownStream`] when a frame names no known stream, [`DemuxError::Engine`] with the text of an
    /// error that the engine sent in a frame of its own.
    #[inline]
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<(Source, usize)>, DemuxError> {
        loop {
            if self.error.is_some() {
                return self.read_error(input);
            }
            if self.left > 0 {
                if input.is_empty() {
                    return Ok(None);
                }
                let length = input.len().min(self.left);
                self.left -= length;
                return Ok(Some((self.source, length)));
            }
            match self.read_header(input) {
                Some(header) => self.begin(header)?,
                None => return Ok(None),
            }
        }
    }

    #[inline]
    fn read_header(&mut self, input: &mut &[u8]) -> Option<[u8; HEADER]> {
        if self.filled == 0
            && let Some((header, rest)) = input.split_first_chunk()
        {
            *input = rest;
            return Some(*header);
        }
        let (part, rest) = input.split_at(input.len().min(HEADER - self.filled));
        *input = rest;
        self.header[self.filled..self.filled + part.len()].copy_from_slice(part);
        self.filled += part.len();
        if self.filled < HEADER {
            return None;
        }
        self.filled = 0;
        Some(self.header)
    }

    #[inline]
    fn begin(&mut self, header: [u8; HEADER]) -> Result<(), DemuxError> {
        let [stream, _, _, _, length @ ..] = header;
        self.left = u32::from_be_bytes(length) as usize;
        match stream {
            0 => self.source = Source::Stdin,
            1 => self.source = Source::Stdout,
            2 => self.source = Source::Stderr,
            3 => self.error = Some(Vec::new()),
            other => return Err(DemuxError::UnknownStream(other)),
        }
        Ok(())
    }

    /// Reads on in a frame that tells of an error.
    #[cold]
    fn read_error(&mut self, input: &mut &[u8]) -> Result<Option<(Source, usize)>, DemuxError> {
        let text = self.error.get_or_insert_default();
        let (piece, rest) = input.split_at(input.len().min(self.left));
        *input = rest;
        self.left -= piece.len();
        let room = MAXIMUM_ERROR - text.len();
        text.extend_from_slice(&piece[..piece.len().min(room)]);
        if self.left > 0 && text.len() < MAXIMUM_ERROR {
            return Ok(None);
        }
        Err(DemuxError::Engine(String::from_utf8_lossy(text).trim_end().to_owned()))
    }

    /// Tells the demultiplexer that the stream has ended.
    ///
    /// # Errors
    /// [`DemuxError::Truncated`] when it ended inside a frame.
    pub fn end_of_input(&self) -> Result<(), DemuxError> {
        match self.left == 0 && self.filled == 0 && self.error.is_none() {
            true => Ok(()),
            false => Err(DemuxError::Truncated),
        }
    }
}

/// Why a multiplexed stream was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DemuxError {
    /// The stream ended inside a frame.
    Truncated,
    /// A frame names a stream that does not exist: the stream is not multiplexed, or bytes of it were lost.
    UnknownStream(u8),
    /// The engine reports an error in the middle of the output.
    Engine(String),
}

impl fmt::Display for DemuxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DemuxError::Truncated => formatter.write_str("the output ended inside a frame"),
            DemuxError::UnknownStream(stream) => {
                write!(formatter, "the output has a frame of unknown stream {stream}")
            }
            DemuxError::Engine(text) => formatter.write_str(&sanitize(text)),
        }
    }
}

impl std::error::Error for DemuxError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame_of(stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![stream, 0, 0, 0];
        bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        bytes.extend_from_slice(payload);
        bytes
    }

    fn run(parts: &[&[u8]]) -> Result<Vec<(Source, Vec<u8>)>, DemuxError> {
        let mut demux = Demux::default();
        let mut output: Vec<(Source, Vec<u8>)> = Vec::new();
        for part in parts {
            let mut input = *part;
            while let Some((source, length)) = demux.next(&mut input)? {
                assert!(length > 0);
                let (piece, rest) = input.split_at(length);
                input = rest;
                match output.last_mut() {
                    Some((last, bytes)) if *last == source => bytes.extend_from_slice(piece),
                    _ => output.push((source, piece.to_vec())),
                }
            }
            assert!(input.is_empty());
        }
        demux.end_of_input()?;
        Ok(output)
    }

    fn transcript() -> Vec<u8> {
        [frame_of(1, b"out\n"), frame_of(2, b""), frame_of(2, b"\x01\x00err"), frame_of(0, b"in")].concat()
    }

    #[test]
    fn frames_are_the_same_at_every_two_splits() {
        let wire = transcript();
        let whole = run(&[&wire]).unwrap();
        assert_eq!(
            whole,
            [
                (Source::Stdout, b"out\n".to_vec()),
                (Source::Stderr, b"\x01\x00err".to_vec()),
                (Source::Stdin, b"in".to_vec())
            ]
        );
        for first in 0..=wire.len() {
            for second in first..=wire.len() {
                let parts = [&wire[..first], &wire[first..second], &wire[second..]];
                assert_eq!(run(&parts).unwrap(), whole, "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_cut_is_truncation_except_between_frames() {
        let wire = transcript();
        let boundaries = [0, 12, 20, 33, wire.len()];
        for cut in 0..=wire.len() {
            let outcome = run(&[&wire[..cut]]);
            match boundaries.contains(&cut) {
                true => assert!(outcome.is_ok(), "cut at {cut}"),
                false => assert_eq!(outcome, Err(DemuxError::Truncated), "cut at {cut}"),
            }
        }
    }

    #[test]
    fn an_error_frame_is_an_error_of_the_engine() {
        let wire = [frame_of(1, b"fine"), frame_of(3, b"log driver failed\n")].concat();
        for split in 0..=wire.len() {
            let outcome = run(&[&wire[..split], &wire[split..]]);
            assert_eq!(outcome, Err(DemuxError::Engine("log driver failed".to_owned())), "split at {split}");
        }
    }

    #[test]
    fn an_endless_error_is_cut_at_its_limit() {
        let mut wire = frame_of(3, &vec![b'x'; MAXIMUM_ERROR + 5]);
        wire.truncate(HEADER + MAXIMUM_ERROR);
        let Err(DemuxError::Engine(text)) = run(&[&wire]) else { panic!("no error") };
        assert_eq!(text.len(), MAXIMUM_ERROR);
    }

    #[test]
    fn a_huge_frame_is_passed_on_as_it_comes() {
        let mut demux = Demux::default();
        assert_eq!(demux.next(&mut &b"\x01\0\0\0\xff\xff\xff\xffabc"[..]), Ok(Some((Source::Stdout, 3))));
        assert_eq!(demux.next(&mut &b""[..]), Ok(None));
        assert_eq!(demux.end_of_input(), Err(DemuxError::Truncated));
    }

    #[test]
    fn text_of_a_terminal_is_not_taken_for_frames() {
        assert_eq!(run(&[b"/ # ls -l\r\n"]), Err(DemuxError::UnknownStream(b'/')));
    }
}
