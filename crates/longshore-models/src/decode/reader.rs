//! Fills places with JSON, as engines write it.
//!
//! What is unusual is not understood here but left to serde_json, whose word holds: this reader takes less than
//! serde_json does, never more, and never makes something else of it. So it has no errors to tell.

use serde::de::DeserializeSeed as _;
use serde_json::{Map, Value};

use super::{List, Object, Place, Plain};

/// How deep values may lie in one another. serde_json allows a little more.
const DEEPEST: usize = 100;

/// Fills a place with the value at the beginning of a text, and tells its length with the spaces before it; `None` if the
/// value is not understood. What is filled by then is filled anew when the text is read again.
pub(super) fn fill(place: Place<'_>, text: &str) -> Option<usize> {
    let mut reader = Reader { text, at: 0, depth: 0, unescaped: String::new() };
    reader.value(place)?;
    Some(reader.at)
}

/// Whether nothing but spaces follows.
pub(super) fn ends(text: &str, at: usize) -> bool {
    text.as_bytes()[at..].iter().all(|byte| is_space(*byte))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The last string that had escapes, without them.
    unescaped: String,
}

impl Reader<'_> {
    fn value(&mut self, place: Place<'_>) -> Option<()> {
        match self.next()? {
            b'"' => {
                let text = self.string()?;
                match place {
                    Place::Text(place) => {
                        *place = text.to_owned();
                        Some(())
                    }
                    place => place.take(Plain::Text(text)).ok(),
                }
            }
            b'{' => self.deeper(|reader| reader.object_in(place)),
            b'[' => self.deeper(|reader| reader.list_in(place)),
            b'n' => {
                place.null();
                self.word("null")
            }
            b't' => {
                place.take(Plain::Bool(true)).ok()?;
                self.word("true")
            }
            b'f' => {
                place.take(Plain::Bool(false)).ok()?;
                self.word("false")
            }
            b'-' | b'0'..=b'9' => self.number(place),
            _ => None,
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        read(self)?;
        self.depth -= 1;
        Some(())
    }

    fn object_in(&mut self, place: Place<'_>) -> Option<()> {
        match place {
            Place::Object(object) => self.object(object),
            Place::Optional(optional) => self.object_in(optional.some()),
            Place::Ignored => self.object(&mut Nothing),
            Place::Tree(tree) => {
                let mut map = Map::new();
                self.object(&mut map)?;
                *tree = Value::Object(map);
                Some(())
            }
            Place::Through(mut through) => {
                self.object_in(through.place())?;
                through.finish();
                Some(())
            }
            Place::Text(_) | Place::Scalar(_) | Place::List(_) => None,
        }
    }

    /// Reads an object behind its brace.
    fn object(&mut self, object: &mut dyn Object) -> Option<()> {
        object.begin();
        let mut byte = self.next()?;
        while byte != b'}' {
            if byte != b'"' {
                return None;
            }
            let key = self.string()?;
            let place = object.field(key);
            if self.next()? != b':' {
                return None;
            }
            self.at += 1;
            self.value(place)?;
            byte = self.separator(b'}')?;
        }
        self.at += 1;
        object.end();
        Some(())
    }

    fn list_in(&mut self, place: Place<'_>) -> Option<()> {
        match place {
            Place::List(list) => self.list(list),
            Place::Optional(optional) => self.list_in(optional.some()),
            Place::Ignored => self.list(&mut Nothing),
            Place::Tree(tree) => {
                let mut list = Vec::<Value>::new();
                self.list(&mut list)?;
                *tree = Value::Array(list);
                Some(())
            }
            Place::Through(mut through) => {
                self.list_in(through.place())?;
                through.finish();
                Some(())
            }
            Place::Text(_) | Place::Scalar(_) | Place::Object(_) => None,
        }
    }

    /// Reads a list behind its bracket.
    fn list(&mut self, list: &mut dyn List) -> Option<()> {
        list.begin();
        let mut byte = self.next()?;
        while byte != b']' {
            self.value(list.element())?;
            byte = self.separator(b']')?;
        }
        self.at += 1;
        Some(())
    }

    /// Goes over what stands behind an element, and gives what follows: `end`, or the beginning of another element.
    fn separator(&mut self, end: u8) -> Option<u8> {
        match self.next()? {
            b',' => {
                self.at += 1;
                self.next().filter(|byte| *byte != end)
            }
            byte => Some(byte).filter(|byte| *byte == end),
        }
    }

    /// Goes over spaces, and gives the byte that is next.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !is_space(byte) {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(())
    }

    fn number(&mut self, place: Place<'_>) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let is_negative = rest[0] == b'-';
        let digits = &rest[usize::from(is_negative)..];
        let mut number = 0_u64;
        let mut length = 0;
        while let Some(digit) = digits.get(length).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            number = number.wrapping_mul(10).wrapping_add(digit.into());
            length += 1;
        }
        let is_plain = !matches!(digits.get(length), Some(b'.' | b'e' | b'E'));
        let is_short = (1..=18).contains(&length) && (length == 1 || digits[0] != b'0');
        if !is_plain || !is_short || (is_negative && number == 0) {
            return self.long_number(place);
        }
        self.at += usize::from(is_negative) + length;
        let number = match is_negative {
            true => Plain::Signed(-(number as i64)),
            false => Plain::Unsigned(number),
        };
        place.take(number).ok()
    }

    /// Reads a number as serde_json does, which has rules of its own for what is no `i64`.
    #[cold]
    fn long_number(&mut self, place: Place<'_>) -> Option<()> {
        let rest = &self.text[self.at..];
        let length = rest.find(|char| !matches!(char, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let mut json = serde_json::Deserializer::from_str(&rest[..length]);
        place.deserialize(&mut json).ok()?;
        json.end().ok()?;
        self.at += length;
        Some(())
    }

    /// Reads a string, from its first quote on.
    fn string(&mut self) -> Option<&str> {
        let begin = self.at + 1;
        let end = plain_end(self.text.as_bytes(), begin);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return self.escaped(begin, end);
        }
        self.at = end + 1;
        self.text.get(begin..end)
    }

    /// Reads a string that has escapes, of which the first is at `end`.
    #[cold]
    fn escaped(&mut self, begin: usize, end: usize) -> Option<&str> {
        let bytes = self.text.as_bytes();
        self.unescaped.clear();
        self.unescaped.push_str(self.text.get(begin..end)?);
        self.at = end;
        loop {
            match *bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(&self.unescaped);
                }
                b'\\' => {
                    let char = self.escape()?;
                    self.unescaped.push(char);
                }
                _ => return None,
            }
            let end = plain_end(bytes, self.at);
            self.unescaped.push_str(self.text.get(self.at..end)?);
            self.at = end;
        }
    }

    fn escape(&mut self) -> Option<char> {
        let escape = *self.text.as_bytes().get(self.at + 1)?;
        self.at += 2;
        Some(match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                match char::from_u32(unit.into()) {
                    Some(char) => char,
                    // Half of a character, whose other half has to follow.
                    None => {
                        let is_next = self.text.as_bytes().get(self.at..)?.starts_with(b"\\u");
                        self.at += 2;
                        let units = [unit, Some(()).filter(|()| is_next).and_then(|()| self.unit())?];
                        char::decode_utf16(units).next()?.ok().filter(|char| char.len_utf16() == 2)?
                    }
                }
            }
            _ => return None,
        })
    }

    /// Reads four hexadecimal digits.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit: u16, digit| {
            let digit = char::from(*digit).to_digit(16)?;
            Some(unit << 4 | digit as u16)
        })
    }
}

/// Where what stands for itself in a string ends: at a quote, a backslash or a control character.
fn plain_end(bytes: &[u8], begin: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // Eight bytes at a time: the high bit of each that ends it is set, and of none before the first that does.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = begin;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*chunk);
        // With this bit turned over, a quote is next to the control characters, which stay among themselves.
        let turned = word ^ (ONES * 0x02);
        let quote_or_control = turned.wrapping_sub(ONES * 0x21) & !turned & HIGH;
        let ends = quote_or_control | zero(word ^ (ONES * u64::from(b'\\')));
        if ends != 0 {
            return at + (ends.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes[at..].iter().position(is_end).map_or(bytes.len(), |length| at + length)
}

/// Whether JSON takes it for space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// An object or list for nobody.
struct Nothing;

impl Object for Nothing {
    fn field(&mut self, _key: &str) -> Place<'_> {
        Place::Ignored
    }
}

impl List for Nothing {
    fn begin(&mut self) {}

    fn element(&mut self) -> Place<'_> {
        Place::Ignored
    }

    fn take_back(&mut self) {}
}
