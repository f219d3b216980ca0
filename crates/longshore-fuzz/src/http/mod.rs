//! Answers of HTTP, read by longshore and by hyper.

pub mod hyper_peer;
pub mod ours;

use std::fmt;

use longshore_wire::body::BodyError;

use self::ours::Refusal;
use crate::mutation::Random;
use crate::runtime::block_on;

/// The bytes of an answer, and how they are read.
#[derive(Clone)]
pub struct Case {
    /// What comes until the connection ends.
    pub bytes: Vec<u8>,
    /// Whether they answer a `HEAD`, else a `GET`.
    pub head: bool,
    /// The size of the pieces in which they come.
    pub pieces: usize,
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", if self.head { "HEAD" } else { "GET" }, self.bytes.escape_ascii())
    }
}

/// What a client makes of the bytes that come until the connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer that is whole.
    Accepted {
        /// Its status.
        status: u16,
        /// Its body.
        body: Vec<u8>,
    },
    /// None, or one that is cut or broken.
    Rejected,
}

impl Outcome {
    /// An answer with this body.
    pub fn accepted(status: u16, body: &str) -> Self {
        Outcome::Accepted { status, body: body.into() }
    }
}

/// Reads these bytes as an answer, in several ways and as hyper does.
pub fn check(bytes: &[u8]) {
    for head in [false, true] {
        let case = |pieces: usize| Case { bytes: bytes.to_vec(), head, pieces };
        let whole = case(bytes.len().max(1));
        let found = ours::read(&whole);
        for pieces in [1, 1 + Random::of(bytes).below(40)] {
            let in_pieces = ours::read(&case(pieces));
            assert_eq!(in_pieces, found, "in pieces of {pieces}: {whole:?}");
        }
        compare(&whole, &found, &block_on(hyper_peer::read(&whole)));
    }
}

/// Compares what longshore and hyper make of an answer.
///
/// # Panics
/// When they differ without a reason.
pub fn compare(case: &Case, ours: &Result<(u16, Vec<u8>), Refusal>, theirs: &Outcome) {
    let same = ours::outcome(ours) == *theirs;
    assert!(same || difference(case, ours).is_some(), "{case:?}\nours {ours:?}\ntheirs {theirs:?}");
}

/// Why longshore means to differ from hyper here, if it does.
pub fn difference(case: &Case, ours: &Result<(u16, Vec<u8>), Refusal>) -> Option<&'static str> {
    let mut lines = case.bytes.split(|byte| *byte == b'\n');
    let mut encodings = lines.clone().filter(|line| line.to_ascii_lowercase().starts_with(b"transfer-encoding:"));
    if *ours == Err(Refusal::Body(BodyError::Trailers)) {
        return Some("hyper reads over a line feed alone among the trailers");
    }
    if encodings.any(|line| !line.is_ascii()) {
        return Some("hyper reads no encoding out of a field that is not ASCII throughout");
    }
    if ours.is_ok() && lines.nth(100).is_some() {
        return Some("hyper reads at most 100 fields");
    }
    None
}
