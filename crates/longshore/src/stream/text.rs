use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use longshore_wire::demux::Source;
use longshore_wire::sanitize::Sanitizer;

use super::output::OutputStream;
use crate::error::Result;

/// A piece of output as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextChunk {
    /// Where it comes from.
    pub source: Source,
    /// What was written; never empty.
    pub text: String,
}

/// The text of an [`OutputStream`], as it comes.
///
/// A character whose bytes come apart is held back until it is whole. Bytes that are no UTF-8 are replaced by U+FFFD.
#[derive(Debug)]
pub struct Text {
    output: OutputStream,
    /// The bytes of a character that has begun, at most three, for each source.
    begun: [Vec<u8>; 4],
    /// What makes each source's text harmless, where that was asked for.
    sanitizers: Option<[Sanitizer; 4]>,
    ended: bool,
}

impl OutputStream {
    /// Makes text of the output: characters whose bytes came apart are put together.
    pub fn text(self) -> Text {
        Text::new(self)
    }
}

impl Text {
    fn new(output: OutputStream) -> Self {
        Text { output, begun: Default::default(), sanitizers: None, ended: false }
    }

    /// Takes what a terminal would obey out of the text, as [`Sanitizer`] describes: whoever wrote it can neither move the
    /// cursor nor hide anything. Colours are taken out too.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut text = docker.container("web").logs().follow().await?.text().sanitized();
    /// while let Some(piece) = text.next().await {
    ///     print!("{}", piece?.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sanitized(self) -> Self {
        self.sanitized_with(&Sanitizer::new())
    }

    /// Takes out what a terminal would obey, as this sanitizer does, such as one that keeps colours.
    #[must_use]
    pub fn sanitized_with(mut self, sanitizer: &Sanitizer) -> Self {
        self.sanitizers = Some([(); 4].map(|()| sanitizer.clone()));
        self
    }

    /// Takes the next piece of text; `None` at the end and after an error.
    ///
    /// # Errors
    /// As [`OutputStream::next`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<TextChunk>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Takes what is left of a character, or of what a terminal would obey, that never became whole.
    fn next_unfinished(&mut self) -> Option<TextChunk> {
        let sources = [Source::Stdin, Source::Stdout, Source::Stderr, Source::Terminal].into_iter();
        let mut unfinished = sources.map(|source| {
            let bytes = std::mem::take(&mut self.begun[source as usize]);
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some(sanitizers) = &mut self.sanitizers {
                let sanitizer = &mut sanitizers[source as usize];
                text = sanitizer.push(&text);
                text.push_str(&sanitizer.finish());
            }
            TextChunk { source, text }
        });
        unfinished.find(|chunk| !chunk.text.is_empty())
    }
}

/// Makes text of `begun` and `bytes`, and leaves in `begun` the bytes of a character that is not whole.
fn decode(begun: &mut Vec<u8>, bytes: &[u8]) -> String {
    begun.extend_from_slice(bytes);
    let whole = begun.len() - unfinished(begun);
    let rest = begun.split_off(whole);
    let text = std::mem::replace(begun, rest);
    String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// How many bytes at the end begin a character without ending it.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let tail = &bytes[bytes.len() - back..];
        if tail[0] & 0b1100_0000 != 0b1000_0000 {
            return match std::str::from_utf8(tail) {
                Err(error) if error.error_len().is_none() => back,
                _ => 0,
            };
        }
    }
    0
}

impl Stream for Text {
    type Item = Result<TextChunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.ended {
                return Poll::Ready(self.next_unfinished().map(Ok));
            }
            match ready!(Pin::new(&mut self.output).poll_next(context)) {
                Some(Ok(chunk)) => {
                    let mut text = decode(&mut self.begun[chunk.source as usize], &chunk.bytes);
                    if let Some(sanitizers) = &mut self.sanitizers {
                        text = sanitizers[chunk.source as usize].push(&text);
                    }
                    if !text.is_empty() {
                        return Poll::Ready(Some(Ok(TextChunk { source: chunk.source, text })));
                    }
                }
                Some(Err(error)) => {
                    self.ended = true;
                    self.begun = Default::default();
                    self.sanitizers = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.ended = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_at_every_split() {
        let bytes = "aé€😀z".as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut begun = Vec::new();
                let parts = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                let text = parts.map(|part| decode(&mut begun, part)).concat();
                assert_eq!((text.as_str(), begun.len()), ("aé€😀z", 0), "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn what_is_no_utf8_is_replaced_and_never_held_back() {
        let mut begun = Vec::new();
        assert_eq!(decode(&mut begun, b"a\xffb\x80\x80\x80\x80"), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(decode(&mut begun, b"\xf0\x9f"), "");
        assert_eq!(decode(&mut begun, b"x"), "\u{fffd}x");
    }
}
