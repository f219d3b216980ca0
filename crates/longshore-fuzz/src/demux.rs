//! Frames of stdout and stderr.

use longshore_wire::demux::{Demux, DemuxError, Source};

use crate::pieces::{pieces, same_in_pieces};

/// What came of each source, and how it ended.
type Read = (Vec<(Source, Vec<u8>)>, Result<(), DemuxError>);

/// Reads frames, and looks whether that is what their headers say.
pub fn check(bytes: &[u8]) {
    let (found, ended) = same_in_pieces(bytes, |cuts| read(&pieces(bytes, cuts)));
    let (expected, whole) = by_hand(bytes);
    assert_eq!(found, expected);
    assert_eq!(ended.is_ok(), whole, "{ended:?}");
}

fn read(pieces: &[&[u8]]) -> Read {
    let (mut demux, mut output) = (Demux::default(), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match demux.next(&mut rest) {
                Ok(None) => break,
                Ok(Some((source, length))) => {
                    assert!(length > 0, "a piece of nothing");
                    add(&mut output, source, &rest[..length]);
                    rest = &rest[length..];
                }
                Err(error) => return (output, Err(error)),
            }
        }
        assert!(rest.is_empty(), "something was left");
    }
    (output, demux.end_of_input())
}

/// Adds to what came last, if that is of the same source: frames may come apart anywhere.
fn add(output: &mut Vec<(Source, Vec<u8>)>, source: Source, bytes: &[u8]) {
    match output.last_mut() {
        Some((last, text)) if *last == source => text.extend_from_slice(bytes),
        _ => output.push((source, bytes.to_vec())),
    }
}

/// The same in the simplest way: what came before the end or what is wrong, and whether nothing is.
fn by_hand(mut bytes: &[u8]) -> (Vec<(Source, Vec<u8>)>, bool) {
    let mut output = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
        let [stream, _, _, _, length @ ..] = header;
        let source = match stream {
            0 => Source::Stdin,
            1 => Source::Stdout,
            2 => Source::Stderr,
            _ => return (output, false),
        };
        let length = u32::from_be_bytes(*length) as usize;
        let there = length.min(rest.len());
        if there > 0 {
            add(&mut output, source, &rest[..there]);
        }
        if there < length {
            return (output, false);
        }
        bytes = &rest[there..];
    }
    (output, bytes.is_empty())
}
