//! What a scripted engine answers, and how.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::request::Received;

/// A request that is expected, and what is answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub(crate) expected: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) answer: Answer,
    pub(crate) repeats: bool,
}

impl Exchange {
    /// Expects a request by method and target, such as `GET /v1.44/containers/json`.
    pub fn new(expected: impl Into<String>, answer: impl Into<Answer>) -> Self {
        Exchange { expected: expected.into(), body: None, answer: answer.into(), repeats: false }
    }

    /// Expects the request to have this body, once its framing is undone.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Answers any number of such requests, none included.
    #[must_use]
    pub fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// The same exchange with its answer changed.
    #[must_use]
    pub fn map(mut self, change: impl FnOnce(Answer) -> Answer) -> Self {
        self.answer = change(self.answer);
        self
    }

    /// The expected request, such as `GET /v1.44/containers/json`.
    pub fn request(&self) -> &str {
        &self.expected
    }

    /// The answer.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }
}

/// The bytes of an answer, and how they come.
///
/// Positions count the bytes of the whole answer, its head included.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    steps: Vec<Step>,
    pieces: Option<usize>,
    splits: Vec<usize>,
    pace: Option<Duration>,
    fault: Option<(usize, Fault)>,
    filled: Option<Filled>,
    pub(crate) early: Option<usize>,
    pub(crate) upload: Upload,
}

/// Words of an answer that depend on the request.
#[derive(Clone, Copy, Debug)]
struct Filled {
    words: &'static str,
    with: fn(&Received) -> String,
}

/// What happens to the rest of a request whose answer has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upload {
    /// It is taken and thrown away.
    #[default]
    Take,
    /// Writing it fails, as it does when the other side has closed the connection.
    Break,
    /// It is never taken.
    Stall,
}

#[derive(Clone, Debug)]
enum Step {
    Send(Bytes),
    AwaitInput(usize),
    AwaitEndOfInput,
    Firehose(Bytes, Duration),
    Close,
}

/// How a connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is closed.
    Cut,
    /// It is reset.
    Reset,
    /// Nothing moves any more.
    Stall,
}

impl Answer {
    /// Sends these bytes and leaves the connection open.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Answer::default().then(bytes)
    }

    /// Sends these bytes next.
    #[must_use]
    pub fn then(mut self, bytes: impl Into<Bytes>) -> Self {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    /// Goes on once so many bytes of input have come on the connection that was handed over.
    #[must_use]
    pub fn after_input(mut self, count: usize) -> Self {
        self.steps.push(Step::AwaitInput(count));
        self
    }

    /// Goes on once the client has ended its input.
    #[must_use]
    pub fn after_end_of_input(mut self) -> Self {
        self.steps.push(Step::AwaitEndOfInput);
        self
    }

    /// Sends these bytes again and again without end; there is always something to read, and each read takes `each`
    /// of the paused clock. It panics after 300,000 reads, since a test without end tells nothing.
    #[must_use]
    pub fn then_firehose(mut self, bytes: impl Into<Bytes>, each: Duration) -> Self {
        self.steps.push(Step::Firehose(bytes.into(), each));
        self
    }

    /// Closes the connection.
    #[must_use]
    pub fn then_close(mut self) -> Self {
        self.steps.push(Step::Close);
        self
    }

    /// Replaces these words, once each time they are sent, by what the request says is to stand there. It has to be as
    /// long as they are, so that positions stay what they were.
    #[must_use]
    pub fn filled(mut self, words: &'static str, with: fn(&Received) -> String) -> Self {
        self.filled = Some(Filled { words, with });
        self
    }

    /// Lets the bytes come in pieces of `size`, with nothing to read between two of them.
    #[must_use]
    pub fn pieces(mut self, size: usize) -> Self {
        self.pieces = Some(size.max(1));
        self
    }

    /// Lets the bytes come in pieces that end at these positions, with nothing to read between two of them.
    #[must_use]
    pub fn split_at(mut self, positions: impl IntoIterator<Item = usize>) -> Self {
        self.splits.extend(positions);
        self.splits.sort_unstable();
        self
    }

    /// Lets so much time pass between two pieces.
    #[must_use]
    pub fn pace(mut self, pause: Duration) -> Self {
        self.pace = Some(pause);
        self
    }

    /// Lets the connection fail after so many bytes.
    #[must_use]
    pub fn fails_after(mut self, count: usize, fault: Fault) -> Self {
        self.fault = Some((count, fault));
        self
    }

    /// Begins to answer once the head of the request and so many bytes of its body have come.
    #[must_use]
    pub fn early(mut self, count: usize, rest: Upload) -> Self {
        self.early = Some(count);
        self.upload = rest;
        self
    }

    /// How many bytes it has; a firehose counts nothing.
    pub fn len(&self) -> usize {
        let sent = self.steps.iter().map(|step| if let Step::Send(bytes) = step { bytes.len() } else { 0 });
        sent.sum()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes in one.
    pub fn bytes(&self) -> Vec<u8> {
        let sent = self.steps.iter().filter_map(|step| if let Step::Send(bytes) = step { Some(bytes) } else { None });
        sent.flat_map(|bytes| bytes.iter().copied()).collect()
    }

    /// What a connection is to do in answer to this request, one action after another.
    pub(crate) fn actions(&self, request: &Received) -> VecDeque<Action> {
        let mut actions = VecDeque::new();
        let mut at = 0;
        for step in &self.steps {
            match step {
                Step::Send(bytes) => {
                    let bytes = self.filled.map_or_else(|| bytes.clone(), |filled| filled.fill(bytes, request));
                    if let Some(fault) = self.send(&bytes, &mut at, &mut actions) {
                        actions.push_back(fault);
                        return actions;
                    }
                }
                Step::AwaitInput(count) => actions.push_back(Action::AwaitInput(*count)),
                Step::AwaitEndOfInput => actions.push_back(Action::AwaitEndOfInput),
                Step::Firehose(bytes, each) => actions.push_back(Action::Firehose(bytes.clone(), *each)),
                Step::Close => actions.push_back(Action::End),
            }
        }
        if let Some((_, fault)) = self.fault {
            actions.push_back(fault.into());
        }
        actions
    }

    fn send(&self, bytes: &Bytes, at: &mut usize, actions: &mut VecDeque<Action>) -> Option<Action> {
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            if let Some((limit, fault)) = self.fault
                && *at >= limit
            {
                return Some(fault.into());
            }
            let limit = self.fault.map(|(limit, _)| limit);
            let by_split = self.splits.iter().copied().find(|split| *split > *at);
            let by_piece = self.pieces.map(|size| *at + size);
            let end = [limit, by_split, by_piece].into_iter().flatten().min().unwrap_or(usize::MAX);
            let piece = rest.split_to(rest.len().min(end - *at));
            if *at > 0 && (self.pieces.is_some() || self.splits.contains(at)) {
                actions.push_back(self.pace.map_or(Action::Pause, Action::Sleep));
            }
            *at += piece.len();
            actions.push_back(Action::Send(piece));
        }
        None
    }
}

impl Filled {
    fn fill(self, bytes: &Bytes, request: &Received) -> Bytes {
        let with = (self.with)(request);
        assert_eq!(with.len(), self.words.len(), "`{with}` is not as long as `{}`", self.words);
        match bytes.windows(with.len()).position(|window| window == self.words.as_bytes()) {
            Some(at) => [&bytes[..at], with.as_bytes(), &bytes[at + with.len()..]].concat().into(),
            None => bytes.clone(),
        }
    }
}

impl From<&'static str> for Answer {
    fn from(text: &'static str) -> Self {
        Answer::new(text)
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Answer::new(text)
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Answer::new(bytes)
    }
}

/// What a connection does when it is read from.
#[derive(Debug)]
pub(crate) enum Action {
    Send(Bytes),
    /// There is nothing to read now, but right after.
    Pause,
    Sleep(Duration),
    AwaitInput(usize),
    AwaitEndOfInput,
    Firehose(Bytes, Duration),
    End,
    Reset,
    Stall,
}

impl From<Fault> for Action {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Cut => Action::End,
            Fault::Reset => Action::Reset,
            Fault::Stall => Action::Stall,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &Answer) -> String {
        let actions = answer.actions(&Received::default()).into_iter().map(|action| match action {
            Action::Send(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Action::Pause => "|".to_owned(),
            other => format!("<{other:?}>"),
        });
        actions.collect()
    }

    #[test]
    fn an_answer_comes_in_the_pieces_that_were_asked_for() {
        let answer = || Answer::new("abc").then("defg").then_close();
        assert_eq!(text(&answer()), "abcdefg<End>");
        assert_eq!(text(&answer().pieces(2)), "ab|c|de|fg<End>");
        assert_eq!(text(&answer().split_at([0, 2, 5, 7])), "ab|cde|fg<End>");
        assert_eq!(text(&answer().split_at([1]).pace(Duration::from_secs(1))), "a<Sleep(1s)>bcdefg<End>");
        assert_eq!((answer().len(), answer().bytes()), (7, b"abcdefg".to_vec()));
    }

    #[test]
    fn a_fault_comes_after_exactly_so_many_bytes() {
        let answer = || Answer::new("abc").then("defg").then_close();
        for (count, expected) in ["", "a", "ab", "abc", "abcd", "abcde", "abcdef"].into_iter().enumerate() {
            assert_eq!(text(&answer().fails_after(count, Fault::Cut)), format!("{expected}<End>"));
            assert_eq!(text(&answer().fails_after(count, Fault::Reset)), format!("{expected}<Reset>"));
        }
        assert_eq!(text(&Answer::new("abc").fails_after(3, Fault::Stall)), "abc<Stall>");
        assert_eq!(text(&Answer::default().fails_after(0, Fault::Stall)), "<Stall>");
    }
}
