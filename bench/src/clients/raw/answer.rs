//! Just enough of HTTP to know where an answer ends.

use std::fmt;
use std::io::Read;

use bench::Result;

/// An answer, as far as it has been read.
#[derive(Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    /// Whether the request was one for a head alone.
    is_head: bool,
}

impl Answer {
    /// What answers a request for a head.
    pub(crate) fn to_head() -> Self {
        Answer { bytes: Vec::new(), is_head: true }
    }

    /// Forgets what has been read, for the next answer.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Takes what has come; answers whether that is all of it.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        self.is_whole()
    }

    fn is_whole(&self) -> bool {
        let Some(end) = self.head_end() else { return false };
        let head = String::from_utf8_lossy(&self.bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        match length {
            _ if self.is_head => true,
            Some(length) => self.bytes.len() >= end + length,
            None => self.bytes.ends_with(b"\r\n0\r\n\r\n"),
        }
    }

    fn head_end(&self) -> Option<usize> {
        self.bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|place| place + 4)
    }

    /// Reads a whole answer.
    pub(crate) fn read_from(socket: &mut impl Read) -> Result<Self> {
        let mut answer = Answer::default();
        let mut buffer = vec![0; 4096];
        loop {
            match socket.read(&mut buffer)? {
                0 => return Err("the engine closed the connection".into()),
                count if answer.push(&buffer[..count]) => return Ok(answer),
                _ => {}
            }
        }
    }

    /// Reads a head, and nothing that follows it.
    pub(crate) fn head_from(socket: &mut impl Read) -> Result<String> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte)?;
            head.extend_from_slice(&byte);
        }
        Ok(String::from_utf8(head)?)
    }

    /// The body, unless it is chunked.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.head_end().unwrap_or_default()..]
    }

    pub(crate) fn is_success(&self) -> bool {
        self.bytes.starts_with(b"HTTP/1.1 2")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.bytes).fmt(formatter)
    }
}
