//! JSON values that follow one another.

use bytes::Bytes;
use longshore_wire::json::{JsonError, Splitter};
use serde_json::Value;

use crate::pieces::{pieces, same_in_pieces};

/// Splits values, and compares them with what `serde_json` finds.
pub fn check(bytes: &[u8]) {
    let (values, ended) = same_in_pieces(bytes, |cuts| read(&pieces(bytes, cuts)));
    // What separates records is no space to `serde_json`.
    if bytes.contains(&0x1e) {
        return;
    }
    let expected: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(bytes).into_iter().collect();
    let Ok(expected) = expected else { return };
    assert_eq!(ended, Ok(()), "{expected:?}");
    let values: Result<Vec<Value>, _> = values.iter().map(|value| serde_json::from_slice(value)).collect();
    assert_eq!(values.expect("each is a value"), expected);
}

fn read(pieces: &[&[u8]]) -> (Vec<Bytes>, Result<(), JsonError>) {
    let (mut splitter, mut values) = (Splitter::default(), Vec::new());
    for piece in pieces {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            match splitter.next(&mut input) {
                Ok(None) => break,
                Ok(Some(value)) => {
                    assert!(!value.is_empty(), "a value of nothing");
                    values.push(value);
                }
                Err(error) => return (values, Err(error)),
            }
        }
        assert!(input.is_empty(), "something was left");
    }
    let end = splitter.end_of_input().map(|last| values.extend(last));
    (values, end)
}
