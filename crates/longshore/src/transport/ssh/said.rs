use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// How much is kept of what a process says.
const MOST: usize = 4096;

/// How many lines of it are told.
const LINES: usize = 4;

/// The end of what a process has said on its stderr.
#[derive(Default)]
pub(super) struct Said(Vec<u8>);

impl Said {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let excess = self.0.len().saturating_sub(MOST);
        self.0.drain(..excess);
    }

    /// Takes what there is, so that the process never waits for a reader.
    pub(super) fn poll(&mut self, reader: &mut (impl AsyncRead + Unpin), context: &mut Context<'_>) {
        let mut bytes = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *reader).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.add(buffer.filled()),
                _ => return,
            }
        }
    }

    pub(super) fn contains(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.0).contains(words)
    }

    /// The last lines, as one.
    #[cfg(unix)]
    pub(super) fn text(&self) -> String {
        self.text_of(|_| true)
    }

    /// The last lines that are without these words, as one.
    pub(super) fn text_without(&self, words: &str) -> String {
        self.text_of(|line| !line.contains(words))
    }

    fn text_of(&self, tells: impl Fn(&str) -> bool) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let clean = |line: &str| line.trim().replace(char::is_control, " ");
        let lines: Vec<String> = text.lines().map(clean).filter(|line| !line.is_empty() && tells(line)).collect();
        lines[lines.len().saturating_sub(LINES)..].join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_last_lines_are_told_and_no_more_is_kept() {
        let mut said = Said::default();
        assert_eq!(said.text(), "");
        for number in 0..10_000 {
            said.add(format!("line\t{number}\r\n\n").as_bytes());
        }
        assert!(said.0.len() <= MOST);
        assert_eq!(said.text(), "line 9996; line 9997; line 9998; line 9999");
        assert!(said.contains("9999") && !said.contains("\t1\r"));
        assert_eq!(said.text_without("9998"), "line 9995; line 9996; line 9997; line 9999");
        said.add(b"\xff\n");
        assert!(said.text().ends_with("line 9999; \u{fffd}"));
    }
}
