use longshore_models::{ProgressMessage, decode};

/// The last bytes of a tar that the engine makes as it sends it.
///
/// Once the tar has begun, the engine can only tell a failure by writing it behind what it has sent, as the JSON of a
/// progress message; to HTTP, the answer is whole then. A whole tar ends with zeros, so only what follows the last of
/// them is kept.
#[derive(Default)]
pub(super) struct Ending(Vec<u8>);

/// The longest failure that is understood, in bytes.
const LIMIT: usize = 16 * 1024;

/// What the failure begins with.
const FAILURE: &[u8] = br#"{"errorDetail""#;

impl Ending {
    pub(super) fn note(&mut self, piece: &[u8]) {
        let piece = match piece.iter().rposition(|byte| *byte == 0) {
            Some(zero) => {
                self.0.clear();
                &piece[zero + 1..]
            }
            None => piece,
        };
        let piece = &piece[piece.len().saturating_sub(LIMIT)..];
        let surplus = (self.0.len() + piece.len()).saturating_sub(LIMIT);
        self.0.drain(..surplus.min(self.0.len()));
        self.0.extend_from_slice(piece);
    }

    /// Why the engine failed, if it says so.
    pub(super) fn failure(&self) -> Option<String> {
        let begin = self.0.windows(FAILURE.len()).rposition(|window| window == FAILURE)?;
        let message: ProgressMessage = decode::from_slice(&self.0[begin..]).ok()?;
        message.error_message().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in these bytes, whichever pieces they come in.
    fn failure(bytes: &[u8]) -> Option<String> {
        let whole = failure_in_pieces(bytes, bytes.len().max(1));
        for length in [1, 2, 7, 511] {
            assert_eq!(failure_in_pieces(bytes, length), whole, "in pieces of {length}");
        }
        whole
    }

    fn failure_in_pieces(bytes: &[u8], length: usize) -> Option<String> {
        let mut ending = Ending::default();
        for piece in bytes.chunks(length) {
            ending.note(piece);
            assert!(ending.0.len() <= LIMIT);
        }
        ending.failure()
    }

    #[test]
    fn a_failure_is_found_behind_whatever_came_before() {
        let json = "{\"errorDetail\":{\"message\":\"no \\\"space\\\"\"},\"error\":\"no \\\"space\\\"\"}\r\n";
        for before in ["", "\0\0\0", "in the middle of a fi", "\0{\"errorDetail\":\0in a file {\"errorDetail\""] {
            let text = format!("{before}{json}");
            assert_eq!(failure(text.as_bytes()).as_deref(), Some("no \"space\""), "{before}");
        }
        let long = format!("{}{json}", "x".repeat(3 * LIMIT));
        assert_eq!(failure(long.as_bytes()).as_deref(), Some("no \"space\""));
        let long = format!("{{\"errorDetail\":{{\"message\":\"{}\"}}}}", "x".repeat(LIMIT));
        assert_eq!(failure(long.as_bytes()), None);
    }

    #[test]
    fn a_whole_tar_has_none() {
        for text in
            ["", "\0\0", "{\"errorDetail\":{\"message\":\"a file\"}}\0", "{\"errorDetail\":{}", "{\"errorDetail\""]
        {
            assert_eq!(failure(text.as_bytes()), None, "{text}");
        }
    }
}
