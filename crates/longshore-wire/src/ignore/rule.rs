use super::InvalidPattern;
use super::expression::Expression;
use super::lines::{clean, trim};

/// One pattern.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Whether it takes back in what it matches.
    pub(super) is_exception: bool,
    /// The pattern itself.
    pub(super) text: Vec<u8>,
    kind: Kind,
}

/// How a pattern is compared with a path.
#[derive(Debug, Clone)]
enum Kind {
    Exact,
    /// The path begins with the pattern without its last two stars.
    Prefix,
    /// The path ends with the pattern without its first two stars.
    Suffix,
    Expression(Expression),
}

impl Rule {
    /// Reads a pattern; `None` if there is nothing in it.
    pub(super) fn new(pattern: &[u8]) -> Result<Option<Rule>, InvalidPattern> {
        let pattern = trim(pattern);
        if pattern.is_empty() {
            return Ok(None);
        }
        let pattern = clean(pattern);
        let (is_exception, text) = match pattern.split_first() {
            Some((b'!', [])) => {
                return Err(InvalidPattern::new(&pattern, "there is nothing behind the exclamation mark"));
            }
            Some((b'!', rest)) => (true, rest),
            _ => (false, &pattern[..]),
        };
        check(text).map_err(|reason| InvalidPattern::new(&pattern, reason))?;
        let kind = kind(text).map_err(|reason| InvalidPattern::new(&pattern, reason))?;
        Ok(Some(Rule { is_exception, text: text.to_vec(), kind }))
    }

    /// Takes back in what is at this very path.
    pub(super) fn exception(path: &[u8]) -> Rule {
        Rule { is_exception: true, text: path.to_vec(), kind: Kind::Exact }
    }

    /// Whether it matches this path itself.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        match &self.kind {
            Kind::Exact => path == self.text,
            Kind::Prefix => path.starts_with(self.text.strip_suffix(b"**").unwrap_or(&self.text)),
            Kind::Suffix => {
                let suffix = self.text.strip_prefix(b"**").unwrap_or(&self.text);
                path.ends_with(suffix) || suffix.strip_prefix(b"/") == Some(path)
            }
            Kind::Expression(expression) => expression.matches(path),
        }
    }
}

/// Checks classes and escapes as a shell pattern has them; an expression made of the pattern may be wrong all the same.
fn check(pattern: &[u8]) -> Result<(), &'static str> {
    let text: Vec<Option<char>> = characters(pattern).collect();
    let mut rest = &text[..];
    while let Some((first, behind)) = rest.split_first() {
        rest = match first {
            Some('\\') if behind.is_empty() => return Err("it ends with a backslash"),
            Some('\\') => behind.get(1..).unwrap_or_default(),
            Some('[') => class(behind)?,
            _ => behind,
        };
    }
    Ok(())
}

/// Goes through a class, and gives what is behind it.
fn class(text: &[Option<char>]) -> Result<&[Option<char>], &'static str> {
    let mut rest = text.strip_prefix(&[Some('^')]).unwrap_or(text);
    let mut is_empty = true;
    loop {
        if let ([Some(']'), behind @ ..], false) = (rest, is_empty) {
            return Ok(behind);
        }
        rest = member(rest)?;
        if let [Some('-'), behind @ ..] = rest {
            rest = member(behind)?;
        }
        is_empty = false;
    }
}

fn member(text: &[Option<char>]) -> Result<&[Option<char>], &'static str> {
    const BAD: &str = "a class of characters in it is not as it should be";
    let behind = match text {
        [Some('-' | ']'), ..] => return Err(BAD),
        [Some('\\'), Some(_), behind @ ..] | [Some(_), behind @ ..] => behind,
        _ => return Err(BAD),
    };
    // A class that ends here was not closed.
    if behind.is_empty() { Err(BAD) } else { Ok(behind) }
}

/// The characters of a text; `None` for each byte that is part of none.
fn characters(text: &[u8]) -> impl Iterator<Item = Option<char>> {
    text.utf8_chunks().flat_map(|chunk| chunk.valid().chars().map(Some).chain(chunk.invalid().iter().map(|_| None)))
}

/// The characters of a text, with the replacement character for each byte that is part of none.
pub(super) fn lossy(text: &[u8]) -> impl Iterator<Item = char> {
    characters(text).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// Finds out how a pattern is compared, and makes the expression where it needs one.
fn kind(pattern: &[u8]) -> Result<Kind, &'static str> {
    let mut expression = String::new();
    let mut kind = Kind::Exact;
    let general = || Kind::Expression(Expression::default());
    // The official tool reads over a byte order mark here.
    let mut rest = lossy(pattern).skip_while({
        let mut before = true;
        move |character| std::mem::take(&mut before) && *character == '\u{feff}'
    });
    let mut rest = rest.by_ref().peekable();
    let mut at_start = true;
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                if rest.peek().is_some() {
                    expression.push_str("(.*/)?");
                    kind = general();
                } else if matches!(kind, Kind::Exact) {
                    kind = Kind::Prefix;
                } else {
                    expression.push_str(".*");
                    kind = general();
                }
                if at_start {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                kind = general();
            }
            '?' => {
                expression.push_str("[^/]");
                kind = general();
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => expression.extend(['\\', character]),
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = rest.next() {
                    expression.push(escaped);
                    kind = general();
                }
            }
            '[' | ']' => {
                expression.push(character);
                kind = general();
            }
            character => expression.push(character),
        }
        at_start = false;
    }
    match kind {
        Kind::Expression(_) => Expression::parse(&expression).map(Kind::Expression),
        kind => Ok(kind),
    }
}
