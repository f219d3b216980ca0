//! Text that is to be shown on a terminal.

use longshore_wire::sanitize::{Sanitizer, sanitize};

use crate::pieces::{pieces, same_in_pieces};

/// Takes what a terminal obeys out of these bytes, in pieces and with colours and without.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for sanitizer in [Sanitizer::new(), Sanitizer::new().keep_colours()] {
        // A text can only be cut between characters.
        let read = |cuts: &[usize]| {
            let mut sanitizer = sanitizer.clone();
            let cuts: Vec<usize> = cuts.iter().copied().filter(|cut| text.is_char_boundary(*cut)).collect();
            let pieces = pieces(text.as_bytes(), &cuts).into_iter();
            let pieces = pieces.map(|piece| sanitizer.push(std::str::from_utf8(piece).expect("text")));
            let output = pieces.collect::<String>();
            output + &sanitizer.finish()
        };
        let output = same_in_pieces(text.as_bytes(), read);
        assert!(output.chars().count() <= text.chars().count() + 4 * (1 + text.lines().count()), "{output:?}");
        harmless(&output);
    }
    let plain = sanitize(&text);
    assert!(!plain.contains('\x1b'), "{plain:?}");
    assert_eq!(sanitize(&plain), plain, "what is harmless is changed");
}

/// Checks that a terminal finds nothing to obey but colours, none of them on the next line.
fn harmless(output: &str) {
    for line in output.split('\n') {
        let mut coloured = false;
        let mut parts = line.split('\x1b');
        let mut texts = vec![parts.next().unwrap_or_default()];
        for part in parts {
            let (parameters, rest) = part.split_once('m').unwrap_or_else(|| panic!("no colour: {line:?}"));
            let parameters = parameters.strip_prefix('[').unwrap_or_else(|| panic!("no colour: {line:?}"));
            assert!(parameters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')), "no colour: {line:?}");
            assert_ne!(parameters, "8", "hidden: {line:?}");
            coloured = !matches!(parameters, "" | "0");
            texts.push(rest);
        }
        assert!(!coloured, "the colour goes on: {output:?}");
        for character in texts.concat().chars() {
            let is_direction = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!is_direction && (character == '\t' || !character.is_control()), "{character:?} in {line:?}");
        }
    }
}
