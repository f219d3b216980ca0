use super::rule::lossy;

/// A regular expression for whole paths, of the kind that patterns are turned into: characters, classes, `.`, escapes,
/// and a star behind one of them; `(.*/)?`.
///
/// Its parts are tried all at once while a path is read, so that the time it takes is bounded by the product of both
/// lengths.
#[derive(Debug, Clone, Default)]
pub(super) struct Expression {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    /// One character.
    One(Class),
    /// Any number of characters.
    Many(Class),
    /// `(.*/)?`
    Folders,
    /// Nothing, but in a certain place.
    Place(Place),
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Start,
    End,
    EdgeOfWord,
    NoEdgeOfWord,
}

/// Which characters.
#[derive(Debug, Clone, Default)]
struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    fn of(ranges: &[(char, char)]) -> Self {
        Class { negated: false, ranges: ranges.to_vec() }
    }

    fn all_but(ranges: &[(char, char)]) -> Self {
        Class { negated: true, ranges: ranges.to_vec() }
    }

    fn has(&self, character: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)) != self.negated
    }

    /// Takes all characters in that another class has.
    fn add(&mut self, other: &Class) {
        match other.negated {
            false => self.ranges.extend(&other.ranges),
            true => {
                let mut ranges = other.ranges.clone();
                ranges.sort_unstable();
                let mut next = 0;
                for (low, high) in ranges {
                    self.add_between(next, u32::from(low));
                    next = next.max(u32::from(high) + 1);
                }
                self.add_between(next, u32::from(char::MAX) + 1);
            }
        }
    }

    fn add_between(&mut self, low: u32, end: u32) {
        if let (true, Some(low), Some(high)) = (low < end, char::from_u32(low), char::from_u32(end.saturating_sub(1))) {
            self.ranges.push((low, high));
        }
    }
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

impl Expression {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Expression, &'static str> {
        let mut parser = Parser { rest: text };
        let mut parts = Vec::new();
        while let Some(part) = parser.part()? {
            parts.push(part);
        }
        Ok(Expression { parts })
    }

    /// Whether it matches all of the path.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        // What stands in `now[n]` is whether the parts before the `n`th may match what was read so far; in `inside[n]`,
        // whether the `n`th part may have begun and not be done.
        let mut now = vec![false; self.parts.len() + 1];
        let mut inside = now.clone();
        let mut next = now.clone();
        if let Some(first) = now.first_mut() {
            *first = true;
        }
        let mut before = None;
        let mut rest = lossy(path).peekable();
        loop {
            self.pass_over(&mut now, (before, rest.peek().copied()));
            let Some(character) = rest.next() else { return now.last().is_some_and(|last| *last) };
            next.fill(false);
            for (index, part) in self.parts.iter().enumerate() {
                let Some([here, behind]) = next.get_mut(index..index + 2) else { continue };
                let begun = now.get(index).is_some_and(|now| *now);
                match part {
                    Part::One(class) => *behind |= begun && class.has(character),
                    Part::Many(class) => *here |= begun && class.has(character),
                    Part::Folders => {
                        let Some(inside) = inside.get_mut(index) else { continue };
                        let may = begun || *inside;
                        *behind |= may && character == '/';
                        *inside = may && character != '\n';
                    }
                    Part::Place(_) => {}
                }
            }
            std::mem::swap(&mut now, &mut next);
            before = Some(character);
        }
    }

    /// Goes over all parts that may match nothing.
    fn pass_over(&self, now: &mut [bool], around: (Option<char>, Option<char>)) {
        for (index, part) in self.parts.iter().enumerate() {
            let Some([here, behind]) = now.get_mut(index..index + 2) else { continue };
            *behind |= *here
                && match part {
                    Part::One(_) => false,
                    Part::Many(_) | Part::Folders => true,
                    Part::Place(place) => place.is_at(around),
                };
        }
    }
}

impl Place {
    fn is_at(self, (before, behind): (Option<char>, Option<char>)) -> bool {
        let is_word = |character: Option<char>| character.is_some_and(|character| Class::of(WORD).has(character));
        match self {
            Place::Start => before.is_none(),
            Place::End => behind.is_none(),
            Place::EdgeOfWord => is_word(before) != is_word(behind),
            Place::NoEdgeOfWord => is_word(before) == is_word(behind),
        }
    }
}

const BAD_CLASS: &str = "a class of characters in it is not as it should be";
const BAD_ESCAPE: &str = "a backslash in it stands before a character that it can't stand before";

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn part(&mut self) -> Result<Option<Part>, &'static str> {
        if self.skip("(.*/)?") {
            return Ok(Some(Part::Folders));
        }
        let Some(character) = self.next() else { return Ok(None) };
        let class = match character {
            '^' => return Ok(Some(Part::Place(Place::Start))),
            '.' => Class::all_but(&[('\n', '\n')]),
            '[' => self.class()?,
            '\\' => {
                let place = match self.rest.chars().next() {
                    Some('A') => Some(Place::Start),
                    Some('z') => Some(Place::End),
                    Some('b') => Some(Place::EdgeOfWord),
                    Some('B') => Some(Place::NoEdgeOfWord),
                    _ => None,
                };
                if let Some(place) = place {
                    self.next();
                    return Ok(Some(Part::Place(place)));
                }
                self.escape()?
            }
            character => Class::of(&[(character, character)]),
        };
        Ok(Some(if self.skip("*") { Part::Many(class) } else { Part::One(class) }))
    }

    /// Reads a class behind its `[`.
    fn class(&mut self) -> Result<Class, &'static str> {
        let mut class = Class { negated: self.skip("^"), ranges: Vec::new() };
        let mut is_first = true;
        while is_first || !self.skip("]") {
            is_first = false;
            if let Some(named) = self.named_class()? {
                class.add(&named);
                continue;
            }
            let low = match self.class_member()? {
                Member::Class(inner) => {
                    class.add(&inner);
                    continue;
                }
                Member::Character(low) => low,
            };
            let is_range = self.rest.len() >= 2 && !self.rest.starts_with("-]") && self.skip("-");
            let high = match is_range {
                false => low,
                true => match self.class_member()? {
                    Member::Character(high) if high >= low => high,
                    _ => return Err(BAD_CLASS),
                },
            };
            class.ranges.push((low, high));
        }
        Ok(class)
    }

    fn class_member(&mut self) -> Result<Member, &'static str> {
        match self.next().ok_or(BAD_CLASS)? {
            '\\' => {
                let class = self.escape()?;
                match class.ranges[..] {
                    [(low, high)] if low == high && !class.negated => Ok(Member::Character(low)),
                    _ => Ok(Member::Class(class)),
                }
            }
            character => Ok(Member::Character(character)),
        }
    }

    /// Reads `[:digit:]` and the like, in a class.
    fn named_class(&mut self) -> Result<Option<Class>, &'static str> {
        let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) else {
            return Ok(None);
        };
        self.rest = rest;
        let (negated, name) = match name.strip_prefix('^') {
            Some(name) => (true, name),
            None => (false, name),
        };
        let ranges: &[(char, char)] = match name {
            "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
            "alpha" => &[('A', 'Z'), ('a', 'z')],
            "ascii" => &[('\0', '\x7f')],
            "blank" => &[('\t', '\t'), (' ', ' ')],
            "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
            "digit" => DIGIT,
            "graph" => &[('!', '~')],
            "lower" => &[('a', 'z')],
            "print" => &[(' ', '~')],
            "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            "space" => &[('\t', '\r'), (' ', ' ')],
            "upper" => &[('A', 'Z')],
            "word" => WORD,
            "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => return Err(BAD_CLASS),
        };
        Ok(Some(Class { negated, ranges: ranges.to_vec() }))
    }

    /// Reads what a backslash stands before.
    fn escape(&mut self) -> Result<Class, &'static str> {
        let character = self.next().ok_or(BAD_ESCAPE)?;
        let character = match character {
            'd' => return Ok(Class::of(DIGIT)),
            'D' => return Ok(Class::all_but(DIGIT)),
            's' => return Ok(Class::of(SPACE)),
            'S' => return Ok(Class::all_but(SPACE)),
            'w' => return Ok(Class::of(WORD)),
            'W' => return Ok(Class::all_but(WORD)),
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self
                .number(16, 2)
                .filter(|(digits, _)| *digits == 2)
                .map(|(_, character)| character)
                .ok_or(BAD_ESCAPE)?,
            '0'..='7' => {
                let (digits, below) = self.number(8, 2).unwrap_or((0, '\0'));
                // A single digit but 0 would refer back to a group, which there is none of.
                if digits == 0 && character != '0' {
                    return Err(BAD_ESCAPE);
                }
                let high = character.to_digit(8).unwrap_or_default();
                char::from_u32(high * 8_u32.pow(digits) + u32::from(below)).ok_or(BAD_ESCAPE)?
            }
            character if character.is_ascii() && !character.is_ascii_alphanumeric() => character,
            _ => return Err(BAD_ESCAPE),
        };
        Ok(Class::of(&[(character, character)]))
    }

    /// Reads at most so many digits: their number, and the character with that code.
    fn number(&mut self, radix: u32, most: usize) -> Option<(u32, char)> {
        let digits = self.rest.chars().take(most).take_while(|digit| digit.is_digit(radix)).count();
        let code = self.rest.get(..digits).filter(|text| !text.is_empty())?;
        let character = char::from_u32(u32::from_str_radix(code, radix).ok()?)?;
        self.rest = self.rest.get(digits..)?;
        Some((u32::try_from(digits).ok()?, character))
    }
}

enum Member {
    Character(char),
    Class(Class),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, matching: &[&str], others: &[&str]) {
        let parsed = Expression::parse(expression).unwrap();
        for path in matching {
            assert!(parsed.matches(path.as_bytes()), "{expression} does not match {path:?}");
        }
        for path in others {
            assert!(!parsed.matches(path.as_bytes()), "{expression} matches {path:?}");
        }
    }

    #[test]
    fn stars_and_folders_match_any_number() {
        check("a[^/]*b", &["ab", "axxb", "a\nb"], &["a/b", "abx", "a"]);
        check("(.*/)?b", &["b", "a/b", "a/c/b", "/b"], &["ab", "a/bc", "a\n/b"]);
        check("(.*/)?(.*/)?[^/]*\\.txt", &["a.txt", "a/b/c.txt", ".txt"], &["a/txt", "a.txt/b"]);
        check("a.*", &["a", "ab/c"], &["ba", "a\n"]);
        check("", &[""], &["a"]);
    }

    #[test]
    fn classes_are_those_of_regular_expressions() {
        check("[a-c]", &["a", "c"], &["d", "-"]);
        check("[^a-c]", &["d", "/", "\n"], &["a"]);
        check("[[:digit:]x]", &["7", "x"], &["y", ":"]);
        check("[[:^digit:]]", &["y"], &["7"]);
        check("[[a]", &["[", "a"], &["]"]);
        check("[[^/]*]", &["[^/]", "]", "^^]"], &["a]", "["]);
        check("[(.*/)?]", &["(", "/", "?", "."], &["", "a/"]);
        check("[\\d-]", &["1", "-"], &["d"]);
        check("[\\W]", &["-", "é", "\u{10ffff}", "\0"], &["a", "_"]);
        check("[^\\D]", &["1"], &["a"]);
        check("[a-]", &["a", "-"], &["b"]);
    }

    #[test]
    fn escapes_mean_what_they_mean_there() {
        check("\\d\\.\\*", &["1.*"], &["d.*", "1x*"]);
        check("\\x41\\101\\0\\n", &["AA\0\n"], &["x41101"]);
        check("\\w\\s\\S", &["a b"], &["  b"]);
        check("a\\bb", &[], &["ab"]);
        check("a\\b-\\B.", &["a--"], &["a-b"]);
        check("^a\\z", &["a"], &["^a"]);
        check("a^b", &[], &["a^b", "ab"]);
        for bad in [
            "\\y", "\\8", "\\1", "\\x4", "\\x{41}", "\\é", "\\pL", "\\Q", "\\C", "\\", "[a", "[", "[]", "[b-a]",
            "[a-\\d]",
        ] {
            assert!(Expression::parse(bad).is_err(), "{bad}");
        }
    }
}
