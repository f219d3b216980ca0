//! Shell word splitting.

use std::borrow::Cow;
use std::fmt;

/// Splits a command line into words as a POSIX shell does, without expanding anything.
///
/// Single quotes keep all between them; double quotes too, except that a backslash there escapes `"` and `\`;
/// a backslash elsewhere escapes any character. `$`, `*`, `#`, `|` and the like are ordinary characters. This is
/// what `shlex.split` of Python does, so a command written for one works for the other.
///
/// ```
/// let words = longshore_wire::words::split(r#"sh -c 'echo "$HOME"' a\ b"#)?;
/// assert_eq!(words, ["sh", "-c", "echo \"$HOME\"", "a b"]);
/// # Ok::<(), longshore_wire::words::WordsError>(())
/// ```
///
/// # Errors
/// [`WordsError`] if a quote is not closed, or the last character is a backslash that escapes nothing.
pub fn split(line: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    // An empty quotation makes a word, although it adds no character to it.
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if matches!(character, ' ' | '\t' | '\r' | '\n') {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match character {
            '\'' => single_quoted(&mut characters, word)?,
            '"' => double_quoted(&mut characters, word)?,
            '\\' => word.push(escaped(&mut characters)?),
            _ => word.push(character),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Quotes a word so that [`split`] and a POSIX shell read it back as one word.
///
/// ```
/// assert_eq!(longshore_wire::words::quote("it's"), r#"'it'"'"'s'"#);
/// assert_eq!(longshore_wire::words::quote("/run/docker.sock"), "/run/docker.sock");
/// ```
pub fn quote(word: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r#"'"'"'"#)))
}

fn single_quoted(characters: &mut impl Iterator<Item = char>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match characters.next().ok_or(WordsError::NoClosingQuotation)? {
            '\'' => return Ok(()),
            character => word.push(character),
        }
    }
}

fn double_quoted(characters: &mut impl Iterator<Item = char>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match characters.next().ok_or(WordsError::NoClosingQuotation)? {
            '"' => return Ok(()),
            '\\' => {
                let next = escaped(characters)?;
                if !matches!(next, '"' | '\\') {
                    word.push('\\');
                }
                word.push(next);
            }
            character => word.push(character),
        }
    }
}

fn escaped(characters: &mut impl Iterator<Item = char>) -> Result<char, WordsError> {
    characters.next().ok_or(WordsError::NoEscapedCharacter)
}

/// Says why a command line can't be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WordsError {
    /// A quote is opened and not closed.
    NoClosingQuotation,
    /// The line ends after a backslash.
    NoEscapedCharacter,
}

impl fmt::Display for WordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WordsError::NoClosingQuotation => "no closing quotation",
            WordsError::NoEscapedCharacter => "no escaped character",
        })
    }
}

impl std::error::Error for WordsError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::random::Random;

    #[test]
    fn lines_split_like_shlex() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" \t\r\n ", &[]),
            ("ls -l /etc", &["ls", "-l", "/etc"]),
            ("  a \t b\nc\r ", &["a", "b", "c"]),
            ("'' \"\"", &["", ""]),
            ("a''b", &["ab"]),
            ("'a b'\"c d\"e", &["a bc de"]),
            ("'a\\b\"c'", &["a\\b\"c"]),
            (r#""a\"b\\c\d\$\`""#, &[r#"a"b\c\d\$\`"#]),
            ("\"it's\"", &["it's"]),
            (r"a\ b \'c \\", &["a b", "'c", "\\"]),
            ("a\\\nb", &["a\nb"]),
            ("echo $HOME *.rs # no; comment | x", &["echo", "$HOME", "*.rs", "#", "no;", "comment", "|", "x"]),
            ("é\u{a0}日 🐳", &["é\u{a0}日", "🐳"]),
            ("a\u{b}b\u{c}c", &["a\u{b}b\u{c}c"]),
        ];
        for (line, words) in cases {
            assert_eq!(split(line).unwrap(), *words, "{line:?}");
        }
    }

    #[test]
    fn open_quotations_and_escapes_are_refused() {
        for line in ["'", "\"", "a 'b", "a \"b c", "\"a'", "'a\\"] {
            assert_eq!(split(line), Err(WordsError::NoClosingQuotation), "{line:?}");
        }
        for line in ["\\", "a \\", "\"a\\"] {
            assert_eq!(split(line), Err(WordsError::NoEscapedCharacter), "{line:?}");
        }
        assert_eq!(WordsError::NoClosingQuotation.to_string(), "no closing quotation");
        assert_eq!(WordsError::NoEscapedCharacter.to_string(), "no escaped character");
    }

    #[test]
    fn any_quoted_words_split_to_themselves() {
        let mut random = Random::new(4);
        for _ in 0..10_000 {
            let words: Vec<String> = (0..random.below(5)).map(|_| random.text("ab/ \t\n'\"\\$#;é🐳\0", 8)).collect();
            let line: Vec<Cow<'_, str>> = words.iter().map(|word| quote(word)).collect();
            assert_eq!(split(&line.join(" ")).unwrap(), words);
        }
    }

    #[test]
    fn any_line_splits_or_is_refused() {
        let mut random = Random::new(5);
        for _ in 0..20_000 {
            let _ = split(&random.text("ab '\"\\\n🐳", 12));
        }
    }
}
