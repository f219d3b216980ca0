//! Request paths.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Every byte that stands for something else than itself in a path segment or a query.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const REFERENCE: &AsciiSet = &RESERVED.remove(b'/').remove(b':').remove(b'@');

/// Builds the path of a request, without the API version in front.
///
/// ```
/// use longshore_wire::path::Path;
///
/// let path = Path::new("containers").segment("my web")?.literal("json");
/// assert_eq!(path.as_str(), "/containers/my%20web/json");
/// # Ok::<(), longshore_wire::path::InvalidSegment>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct Path(String);

impl Path {
    /// Starts a path with words of the API, such as `containers` or `containers/json`.
    pub fn new(literal: &'static str) -> Path {
        Path(String::new()).literal(literal)
    }

    /// Appends words of the API, as they are.
    pub fn literal(mut self, literal: &'static str) -> Path {
        self.0.push('/');
        self.0.push_str(literal);
        self
    }

    /// Appends an id or a name as one segment: a slash in it becomes `%2F`.
    ///
    /// # Errors
    /// [`InvalidSegment`] if the name is empty, or has an empty part, `.` or `..` between slashes. Encoding can't
    /// protect those: the engine and the proxies before it decode the path and then tidy it, so that the request
    /// would be redirected or reach something else. (Names in a container list begin with a slash: take it off first.)
    pub fn segment(self, name: &str) -> Result<Path, InvalidSegment> {
        self.encoded(name, RESERVED)
    }

    /// Appends an image name: its `/`, `:` and `@` stay readable, the rest is encoded.
    ///
    /// # Errors
    /// [`InvalidSegment`] as for [`Path::segment`].
    pub fn reference(self, name: &str) -> Result<Path, InvalidSegment> {
        self.encoded(name, REFERENCE)
    }

    /// Takes a whole path as it is: beginning with a slash, and percent-encoded already where it has to be.
    ///
    /// # Errors
    /// [`InvalidPath`] if a character may not stand in a path, or a part between slashes is empty, `.` or `..`.
    pub fn verbatim(path: &str) -> Result<Path, InvalidPath> {
        let error = |reason| Err(InvalidPath { path: path.to_owned(), reason });
        let Some(parts) = path.strip_prefix('/') else { return error("it does not begin with a slash") };
        if path.contains(['?', '#']) {
            return error("it has a query, which is given by itself");
        }
        if !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte)) {
            return error("it has a character that must be percent-encoded");
        }
        let mut escapes = path.split('%').skip(1);
        if !escapes.all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())) {
            return error("a percent sign is not followed by two hexadecimal digits");
        }
        let decoded = percent_decode_str(parts).decode_utf8_lossy();
        match check(&decoded) {
            Ok(()) => Ok(Path(path.to_owned())),
            Err(InvalidSegment::DotPart(_)) => error("it has a part `.` or `..`, which would lead to another path"),
            Err(_) => error("it is empty, ends with a slash, or has two in a row"),
        }
    }

    /// Returns the encoded path, which begins with a slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn encoded(mut self, name: &str, encode: &'static AsciiSet) -> Result<Path, InvalidSegment> {
        check(name)?;
        self.0.push('/');
        self.0.extend(utf8_percent_encode(name, encode));
        Ok(self)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(name: &str) -> Result<(), InvalidSegment> {
    if name.is_empty() {
        return Err(InvalidSegment::Empty);
    }
    for part in name.split('/') {
        match part {
            "" => return Err(InvalidSegment::EmptyPart(name.to_owned())),
            "." | ".." => return Err(InvalidSegment::DotPart(name.to_owned())),
            _ => {}
        }
    }
    Ok(())
}

/// Says why a name can't stand in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSegment {
    /// The name is empty.
    Empty,
    /// The name begins or ends with a slash, or has two in a row.
    EmptyPart(String),
    /// The name is `.` or `..`, or has one of them between slashes.
    DotPart(String),
}

impl fmt::Display for InvalidSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidSegment::Empty => f.write_str("the name is empty"),
            InvalidSegment::EmptyPart(name) => {
                write!(f, "the name `{}` begins or ends with a slash, or has two in a row", name.escape_debug())
            }
            InvalidSegment::DotPart(name) => {
                write!(f, "the name `{}` has a part `.` or `..`, which would lead to another path", name.escape_debug())
            }
        }
    }
}

impl std::error::Error for InvalidSegment {}

/// Says why a whole path can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPath {
    path: String,
    reason: &'static str,
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the path `{}` can't be used: {}", self.path.escape_debug(), self.reason)
    }
}

impl std::error::Error for InvalidPath {}

/// A small repeatable source of test inputs, for the property tests of this crate.
#[cfg(test)]
pub(crate) mod random {
    pub(crate) struct Random(u64);

    impl Random {
        pub(crate) fn new(seed: u64) -> Random {
            Random(seed ^ 0x9e37_79b9_7f4a_7c15)
        }

        /// A number below `limit` (xorshift64*).
        pub(crate) fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
            number as usize % limit
        }

        pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
            choices[self.below(choices.len())]
        }

        /// Up to `longest` characters of `alphabet`, possibly none.
        pub(crate) fn text(&mut self, alphabet: &str, longest: usize) -> String {
            let alphabet: Vec<char> = alphabet.chars().collect();
            let length = self.below(longest + 1);
            (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::random::Random;
    use super::*;

    #[test]
    fn literals_are_kept() {
        assert_eq!(Path::new("containers/json").as_str(), "/containers/json");
        assert_eq!(Path::new("images").literal("json").to_string(), "/images/json");
    }

    #[test]
    fn segments_are_encoded() {
        let encoded = |name| Path::new("x").segment(name).unwrap().0;
        assert_eq!(encoded("web-1_a.b~c"), "/x/web-1_a.b~c");
        assert_eq!(encoded("a b+c?d#e%f&g=h"), "/x/a%20b%2Bc%3Fd%23e%25f%26g%3Dh");
        assert_eq!(encoded("vieux/sshfs:1@2"), "/x/vieux%2Fsshfs%3A1%402");
        assert_eq!(encoded("é\r\n\0"), "/x/%C3%A9%0D%0A%00");
        assert_eq!(encoded("..."), "/x/...");
    }

    #[test]
    fn references_stay_readable() {
        let path = Path::new("images").reference("localhost:5000/a b/c:1@sha256:ff").unwrap().literal("json");
        assert_eq!(path.as_str(), "/images/localhost:5000/a%20b/c:1@sha256:ff/json");
    }

    #[test]
    fn names_that_would_lead_elsewhere_are_refused() {
        let segment = |name| Path::new("x").segment(name).unwrap_err();
        let reference = |name| Path::new("x").reference(name).unwrap_err();
        assert_eq!(segment(""), InvalidSegment::Empty);
        assert_eq!(reference(""), InvalidSegment::Empty);
        for name in [".", "..", "a/..", "../a", "a/./b", "a/../../b"] {
            assert_eq!(segment(name), InvalidSegment::DotPart(name.into()));
            assert_eq!(reference(name), InvalidSegment::DotPart(name.into()));
        }
        for name in ["/web", "a/", "/", "a//b"] {
            assert_eq!(segment(name), InvalidSegment::EmptyPart(name.into()));
            assert_eq!(reference(name), InvalidSegment::EmptyPart(name.into()));
        }
    }

    #[test]
    fn a_whole_path_is_kept_or_refused() {
        for path in ["/info", "/containers/my%20web/json", "/images/localhost:5000/a@sha256:0f/json", "/v1.41/a+b"] {
            assert_eq!(Path::verbatim(path).unwrap().as_str(), path);
        }
        for (path, reason) in [
            ("", "does not begin"),
            ("info", "does not begin"),
            ("/", "is empty"),
            ("/a/", "ends with a slash"),
            ("/a//b", "two in a row"),
            ("/a/../b", "a part `.`"),
            ("/a/%2e%2E/b", "a part `.`"),
            ("/a%2F..", "a part `.`"),
            ("/a?b=1", "has a query"),
            ("/a#b", "has a query"),
            ("/a b", "must be percent-encoded"),
            ("/é", "must be percent-encoded"),
            ("/a\r\nX: y", "must be percent-encoded"),
            ("/a%2", "two hexadecimal digits"),
            ("/%zz", "two hexadecimal digits"),
            ("/a%", "two hexadecimal digits"),
        ] {
            let error = Path::verbatim(path).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains('\n'), "{path:?}: {error}");
        }
    }

    #[test]
    fn errors_are_one_readable_line() {
        assert_eq!(InvalidSegment::Empty.to_string(), "the name is empty");
        assert_eq!(
            InvalidSegment::DotPart("a\n/..".into()).to_string(),
            "the name `a\\n/..` has a part `.` or `..`, which would lead to another path"
        );
    }

    #[test]
    fn any_accepted_name_decodes_to_itself_and_holds_nothing_special() {
        let mut random = Random::new(1);
        for _ in 0..20_000 {
            let name = random.text("ab./:@?#%&=+ ~_-é\0\n日🐳\"\\", 12);
            for path in [Path::new("x").segment(&name), Path::new("x").reference(&name)] {
                let Ok(path) = path else { continue };
                let written = path.as_str().strip_prefix("/x/").unwrap();
                assert_eq!(percent_decode_str(written).decode_utf8().unwrap(), name);
                assert!(written.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%/:@".contains(&b)));
            }
        }
    }
}
