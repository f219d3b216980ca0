//! Command lines.

use longshore_wire::words::{quote, split};

/// Splits a line, and quotes the words that came of it; quotes the line itself.
pub fn check(bytes: &[u8]) {
    let Ok(line) = std::str::from_utf8(bytes) else { return };
    assert_eq!(split(&quote(line)).as_deref(), Ok(&[line.to_owned()][..]));
    let Ok(words) = split(line) else { return };
    let quoted = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
    assert_eq!(split(&quoted), Ok(words), "{quoted:?}");
}
