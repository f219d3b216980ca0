//! Image references.

use std::fmt;
use std::str::FromStr;

/// The registry that a reference without one means.
pub const DEFAULT_REGISTRY: &str = "docker.io";

/// The tag that a reference without tag and digest means.
pub const DEFAULT_TAG: &str = "latest";

/// Names an image: `[registry/]repository[:tag][@digest]`.
///
/// Displays as it was written; two references are equal if they were written alike. What comes before the first slash
/// is a registry if it is `localhost`, holds a `.` or a `:`, or has a capital letter; else it is part of the
/// repository, on Docker Hub.
///
/// ```
/// use longshore_wire::reference::Reference;
///
/// let image = Reference::parse("alpine:3")?;
/// assert_eq!(image.canonical(), "docker.io/library/alpine:3");
/// assert_eq!(Reference::parse("localhost:5000/a/b")?.registry(), "localhost:5000");
/// # Ok::<(), longshore_wire::reference::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    name: String,
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// [`ReferenceError`], which says what part is wrong and why. An image id is refused too, because it names no
    /// repository: see [`ReferenceError::is_id`].
    pub fn parse(text: &str) -> Result<Reference, ReferenceError> {
        if is_id(text) {
            return Err(ReferenceError {
                id: true,
                ..ReferenceError::new(text, "this is the id of an image, not a name for one")
            });
        }
        split(text).map_err(|reason| ReferenceError::new(text, &reason))
    }

    /// Returns the name as it was written, without tag and digest: `alpine`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the registry, with its port if one is given: `docker.io` if none is written.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the repository as the registry knows it: `library/alpine` for `alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag, if one is written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, such as `sha256:…`, if one is written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Replaces the tag.
    ///
    /// # Errors
    /// [`ReferenceError`] if it is not a tag.
    pub fn with_tag(mut self, tag: &str) -> Result<Reference, ReferenceError> {
        check_tag(tag).map_err(|reason| ReferenceError::new(tag, &reason))?;
        self.tag = Some(tag.to_owned());
        Ok(self)
    }

    /// Adds the tag `latest` if there is neither a tag nor a digest.
    #[must_use]
    pub fn with_default_tag(mut self) -> Reference {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// Writes the reference in full: `docker.io/library/alpine:3`.
    pub fn canonical(&self) -> String {
        format!("{}{}", self.canonical_name(), self.suffix())
    }

    /// Writes the reference as short as it can be: `alpine:3` for `docker.io/library/alpine:3`.
    pub fn familiar(&self) -> String {
        let suffix = self.suffix();
        if self.registry != DEFAULT_REGISTRY {
            return format!("{}{suffix}", self.canonical_name());
        }
        let short = match self.repository.strip_prefix(OFFICIAL) {
            Some(name) if !name.contains('/') => name,
            _ => &self.repository,
        };
        let short = format!("{short}{suffix}");
        // Some names mean something else without their registry: docker.io/example.com/x, or 64 hexadecimal digits.
        match Reference::parse(&short) {
            Ok(read) if read.canonical() == self.canonical() => short,
            _ => self.canonical(),
        }
    }

    /// Returns what a pull sends as `fromImage` and `tag`.
    ///
    /// The name is in full, so that the image comes from the registry that [`Reference::registry`] names (and gets its
    /// credentials) on every engine. A digest goes into the tag, in place of one; without either the tag is `latest`,
    /// because no tag at all pulls every tag there is.
    pub fn pull_parameters(&self) -> (String, String) {
        let tag = self.digest().or(self.tag()).unwrap_or(DEFAULT_TAG);
        (self.canonical_name(), tag.to_owned())
    }

    fn canonical_name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    fn suffix(&self) -> String {
        let mut suffix = String::new();
        if let Some(tag) = &self.tag {
            suffix.push(':');
            suffix.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            suffix.push('@');
            suffix.push_str(digest);
        }
        suffix
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.suffix())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Reference, ReferenceError> {
        Reference::parse(text)
    }
}

const OFFICIAL: &str = "library/";
const LEGACY_REGISTRY: &str = "index.docker.io";
const LONGEST_REPOSITORY: usize = 255;
const LONGEST_TAG: usize = 128;

/// Tells a full image id from a name. `sha256:<id>` would also parse as a repository `sha256` with a tag.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.len() == 64 && digits.bytes().all(is_lower_hex)
}

fn split(text: &str) -> Result<Reference, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(format!("a reference has no scheme: leave out `{}://`", shorten(scheme)));
    }
    let (tagged, digest) = cut(text, '@');
    let (registry, path) = split_registry(tagged);
    let (path, tag) = cut(path, ':');
    if let Some(registry) = registry {
        check_registry(registry)?;
    }
    for part in path.split('/') {
        check_part(part)?;
    }
    tag.map_or(Ok(()), check_tag)?;
    digest.map_or(Ok(()), check_digest)?;

    let name = match registry {
        Some(registry) => format!("{registry}/{path}"),
        None => path.to_owned(),
    };
    let registry = match registry {
        None | Some(LEGACY_REGISTRY) => DEFAULT_REGISTRY,
        Some(registry) => registry,
    };
    let official = registry == DEFAULT_REGISTRY && !path.contains('/');
    let repository = format!("{}{path}", if official { OFFICIAL } else { "" });
    if repository.len() > LONGEST_REPOSITORY {
        return Err(format!("the repository has {} characters, more than {LONGEST_REPOSITORY}", repository.len()));
    }
    Ok(Reference {
        name,
        registry: registry.to_owned(),
        repository,
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
    })
}

fn cut(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn split_registry(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((first, rest)) if looks_like_registry(first) => (Some(first), rest),
        _ => (None, text),
    }
}

fn looks_like_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.to_lowercase() != first
}

fn check_registry(registry: &str) -> Result<(), String> {
    let shown = || shorten(registry);
    let (valid_host, port) = match registry.strip_prefix('[') {
        Some(address) => {
            let Some((address, port)) = address.split_once(']') else {
                return Err(format!("the registry `{}` lacks a `]`", shown()));
            };
            (is_ipv6(address), port)
        }
        None => {
            let end = registry.find(':').unwrap_or(registry.len());
            let (host, port) = registry.split_at(end);
            (host.split('.').all(is_label), port)
        }
    };
    if !valid_host {
        return Err(format!("the registry `{}` is not a host name or address", shown()));
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(port) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
        Some(port) if port.contains(':') => {
            Err(format!("the registry `{}` has several `:`; an IPv6 address is written in brackets", shown()))
        }
        _ => Err(format!("the port of the registry `{}` is not a number", shown())),
    }
}

fn is_ipv6(address: &str) -> bool {
    !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
}

fn is_label(label: &str) -> bool {
    !label.starts_with('-')
        && !label.ends_with('-')
        && !label.is_empty()
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Checks what stands between two slashes of the repository.
fn check_part(part: &str) -> Result<(), String> {
    let shown = || shorten(part);
    if part.is_empty() {
        return Err("the repository has an empty part".into());
    }
    if part.to_lowercase() != part {
        return Err(format!("the repository part `{}` must be lower case", shown()));
    }
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if let Some(wrong) = part.chars().find(|c| !is_word(*c) && !"._-".contains(*c)) {
        return Err(format!(
            "the repository part `{}` holds {wrong:?}; lower-case letters, digits, `.`, `_` and `-` are allowed",
            shown()
        ));
    }
    if !part.starts_with(is_word) || !part.ends_with(is_word) {
        return Err(format!("the repository part `{}` must begin and end with a letter or a digit", shown()));
    }
    let is_separator = |text: &str| matches!(text, "." | "_" | "__") || text.bytes().all(|b| b == b'-');
    if !part.split(is_word).all(is_separator) {
        return Err(format!(
            "the repository part `{}` may only have one `.`, one or two `_`, or only `-` in a row",
            shown()
        ));
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), String> {
    if tag.is_empty() {
        return Err("the tag is empty".into());
    }
    if let Some(wrong) = tag.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c)) {
        return Err(format!("the tag holds {wrong:?}; letters, digits, `_`, `.` and `-` are allowed"));
    }
    if tag.starts_with(['.', '-']) {
        return Err("the tag must begin with a letter, a digit or `_`".into());
    }
    if tag.len() > LONGEST_TAG {
        return Err(format!("the tag has {} characters, more than {LONGEST_TAG}", tag.len()));
    }
    Ok(())
}

fn check_digest(digest: &str) -> Result<(), String> {
    let Some((algorithm, digits)) = digest.split_once(':') else {
        return Err("the digest has no `:`; it is written like sha256:…".into());
    };
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if !algorithm.split(['-', '_', '+', '.']).all(is_word) {
        return Err("the algorithm of the digest is not a name like sha256".into());
    }
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("the digest holds other characters than hexadecimal digits".into());
    }
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ if digits.len() >= 32 => return Ok(()),
        _ => {
            return Err(format!("the digest has {} hexadecimal digits, fewer than 32", digits.len()));
        }
    };
    if digits.len() != length {
        return Err(format!("a {algorithm} digest has {length} hexadecimal digits, not {}", digits.len()));
    }
    if !digits.bytes().all(is_lower_hex) {
        return Err(format!("a {algorithm} digest is written in lower case"));
    }
    Ok(())
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Makes one readable line of any text, for an error.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut characters = text.escape_debug();
    let mut shown: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Says what part of an image reference is wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceError {
    shown: String,
    reason: String,
    id: bool,
}

impl ReferenceError {
    /// Tells whether the text is the full id of an image, with or without `sha256:`.
    ///
    /// An id is good for finding a local image, but can't be pulled, pushed or tagged onto.
    pub fn is_id(&self) -> bool {
        self.id
    }

    fn new(text: &str, reason: &str) -> ReferenceError {
        // What follows a scheme may be a user and a password.
        let text = text.split_once("://").map_or(text, |(scheme, _)| scheme);
        ReferenceError { shown: shorten(text), reason: reason.to_owned(), id: false }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid image reference `{}`: {}", self.shown, self.reason)
    }
}

impl std::error::Error for ReferenceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::random::Random;

    const ID: &str = "dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9c";

    fn parse(text: &str) -> Reference {
        Reference::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refusal(text: &str) -> String {
        match Reference::parse(text) {
            Err(error) => error.to_string(),
            Ok(reference) => panic!("{text} was read as {reference:?}"),
        }
    }

    #[test]
    fn references_fall_into_parts() {
        let cases = [
            ("alpine", "docker.io", "library/alpine", None),
            ("alpine:3", "docker.io", "library/alpine", Some("3")),
            ("jane/app", "docker.io", "jane/app", None),
            ("docker.io/alpine", "docker.io", "library/alpine", None),
            ("index.docker.io/jane/app", "docker.io", "jane/app", None),
            ("localhost/app", "localhost", "app", None),
            ("localhost:5000", "docker.io", "library/localhost", Some("5000")),
            ("localhost:5000/a/b:Tag_1.0-x", "localhost:5000", "a/b", Some("Tag_1.0-x")),
            ("test.com:tag", "docker.io", "library/test.com", Some("tag")),
            ("192.168.1.1:8/a", "192.168.1.1:8", "a", None),
            ("[2001:db8::1]:5000/a:1", "[2001:db8::1]:5000", "a", Some("1")),
            ("[::1]/a", "[::1]", "a", None),
            ("Host/a", "Host", "a", None),
            ("xn--n3h.com/a__b/c---d.e_f", "xn--n3h.com", "a__b/c---d.e_f", None),
            ("a_b/c", "docker.io", "a_b/c", None),
        ];
        for (text, registry, repository, tag) in cases {
            let reference = parse(text);
            assert_eq!(reference.registry(), registry, "{text}");
            assert_eq!(reference.repository(), repository, "{text}");
            assert_eq!(reference.tag(), tag, "{text}");
            assert_eq!(reference.digest(), None, "{text}");
            assert_eq!(reference.to_string(), text);
        }
        let text = format!("localhost:5000/a/b:tag@sha256:{ID}");
        let reference = parse(&text);
        assert_eq!(reference.name(), "localhost:5000/a/b");
        assert_eq!(reference.tag(), Some("tag"));
        assert_eq!(reference.digest(), Some(format!("sha256:{ID}").as_str()));
        assert_eq!(reference.to_string(), text);
    }

    #[test]
    fn canonical_and_familiar_forms() {
        let cases = [
            ("alpine:3", "docker.io/library/alpine:3", "alpine:3"),
            ("index.docker.io/library/alpine", "docker.io/library/alpine", "alpine"),
            ("docker.io/jane/app:1", "docker.io/jane/app:1", "jane/app:1"),
            ("library/a/b", "docker.io/library/a/b", "library/a/b"),
            ("localhost:5000/library/a", "localhost:5000/library/a", "localhost:5000/library/a"),
            ("docker.io/test.com/a", "docker.io/test.com/a", "docker.io/test.com/a"),
            ("docker.io/localhost/a", "docker.io/localhost/a", "docker.io/localhost/a"),
        ];
        for (text, canonical, familiar) in cases {
            assert_eq!(parse(text).canonical(), canonical);
            assert_eq!(parse(text).familiar(), familiar);
        }
        let id_as_name = format!("docker.io/library/{ID}");
        assert_eq!(parse(&id_as_name).familiar(), id_as_name);
        let both = format!("alpine:3@sha256:{ID}");
        assert_eq!(parse(&both).canonical(), format!("docker.io/library/{both}"));
        assert_eq!(parse(&both).familiar(), both);
    }

    #[test]
    fn a_pull_always_names_one_image() {
        let pull = |text: &str| parse(text).pull_parameters();
        let pair = |name: &str, tag: &str| (name.to_owned(), tag.to_owned());
        assert_eq!(pull("alpine"), pair("docker.io/library/alpine", "latest"));
        assert_eq!(pull("localhost:5000/a:1"), pair("localhost:5000/a", "1"));
        let digest = format!("sha256:{ID}");
        for text in [format!("a/b:1@{digest}"), format!("a/b@{digest}")] {
            assert_eq!(pull(&text), pair("docker.io/a/b", &digest));
        }
    }

    #[test]
    fn tags_are_set_and_defaulted() {
        assert_eq!(parse("a").with_default_tag().to_string(), "a:latest");
        assert_eq!(parse("a:1").with_default_tag().to_string(), "a:1");
        let digest = format!("a@sha256:{ID}");
        assert_eq!(parse(&digest).with_default_tag().to_string(), digest);
        assert_eq!(parse("a:1").with_tag("2").unwrap().to_string(), "a:2");
        assert_eq!(
            parse("a").with_tag("-x").unwrap_err().to_string(),
            "invalid image reference `-x`: the tag must begin with a letter, a digit or `_`"
        );
    }

    #[test]
    fn ids_are_not_names() {
        for text in [ID.to_owned(), format!("sha256:{ID}")] {
            let error = Reference::parse(&text).unwrap_err();
            assert!(error.is_id());
            assert!(error.to_string().contains("is the id of an image"));
        }
        for text in [&ID[1..], &format!("a/{ID}"), &format!("{ID}:1")] {
            assert_eq!(parse(text).to_string(), text);
        }
        assert!(!Reference::parse("A").unwrap_err().is_id());
    }

    #[test]
    fn refusals_say_what_part_is_wrong() {
        let cases = [
            ("", "it is empty"),
            ("https://jane:s3cret@ghcr.io/a", "a reference has no scheme: leave out `https://`"),
            ("Alpine", "the repository part `Alpine` must be lower case"),
            ("docker.io/a/B:1", "the repository part `B` must be lower case"),
            ("a b", "holds ' '"),
            ("alpine\n", "holds '\\n'"),
            ("a^b/c", "holds '^'"),
            (":tag", "the repository has an empty part"),
            ("@sha256:ff", "the repository has an empty part"),
            ("a/", "the repository has an empty part"),
            ("a//b", "the repository has an empty part"),
            ("-a", "`-a` must begin and end with a letter or a digit"),
            ("a_", "`a_` must begin and end with a letter or a digit"),
            ("a..b", "may only have one `.`, one or two `_`, or only `-` in a row"),
            ("a___b", "may only have one `.`, one or two `_`, or only `-` in a row"),
            ("a-.b", "may only have one `.`, one or two `_`, or only `-` in a row"),
            ("[::1]", "holds '['"),
            ("a_b.com/c", "the registry `a_b.com` is not a host name or address"),
            ("-a.com/b", "the registry `-a.com` is not a host name or address"),
            ("docker./a", "the registry `docker.` is not a host name or address"),
            ("[fe80::1%eth0]:1/a", "is not a host name or address"),
            ("[fe80::1/a", "the registry `[fe80::1` lacks a `]`"),
            ("fc00::1:5000/a", "an IPv6 address is written in brackets"),
            ("h:http/a", "the port of the registry `h:http` is not a number"),
            ("[::1]5/a", "the port of the registry `[::1]5` is not a number"),
            ("h:/a", "the port of the registry `h:` is not a number"),
            ("a:", "the tag is empty"),
            ("a:b:c", "the tag holds ':'"),
            ("a:.b", "the tag must begin with a letter, a digit or `_`"),
            ("a@", "the digest has no `:`"),
            ("a@2x:ff", "the algorithm of the digest is not a name"),
            ("a@sha256+:ff", "the algorithm of the digest is not a name"),
            ("a@sha256:xx", "other characters than hexadecimal digits"),
            ("a@sha256:ff", "a sha256 digest has 64 hexadecimal digits, not 2"),
            ("a@md5:ff", "the digest has 2 hexadecimal digits, fewer than 32"),
        ];
        for (text, reason) in cases {
            let message = refusal(text);
            assert!(message.contains(reason), "{text}: {message}");
            assert!(message.starts_with("invalid image reference `"), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
        assert!(refusal(&format!("a@sha256:{}", ID.to_uppercase())).contains("lower case"));
    }

    #[test]
    fn lengths_are_limited() {
        let longest = "a/".repeat(127) + "a";
        assert_eq!(parse(&longest).repository().len(), 255);
        let too_long = "a/".repeat(128) + "a";
        assert!(refusal(&too_long).contains("the repository has 257 characters, more than 255"));
        // The registry doesn't count, `library/` does.
        let host = "h".repeat(60) + ".com/";
        assert_eq!(parse(&(host + &longest)).repository().len(), 255);
        assert!(refusal(&"a".repeat(248)).contains("256 characters"));
        let tag = "t".repeat(128);
        assert_eq!(parse(&format!("a:{tag}")).tag(), Some(tag.as_str()));
        assert!(refusal(&format!("a:{tag}t")).contains("the tag has 129 characters"));
        assert!(refusal(&"A".repeat(1_000_000)).len() < 1_000);
        assert!(parse(&format!("a@blake3:{}", "F".repeat(32))).digest().is_some());
    }

    #[test]
    fn every_form_reads_back() {
        let mut random = Random::new(8);
        let digest = format!("@sha256:{ID}");
        let pieces = [
            "a",
            "b1",
            "library",
            "docker.io",
            "index.docker.io",
            "localhost",
            "host",
            "A",
            ".",
            "_",
            "__",
            "-",
            "/",
            ":",
            "5000",
            "[::1]",
            ID,
            &digest,
            "sha256:",
        ];
        let mut read = 0;
        for _ in 0..100_000 {
            let mut text = String::new();
            for _ in 0..=random.below(7) {
                text += random.pick(&pieces);
            }
            let Ok(reference) = Reference::parse(&text) else {
                continue;
            };
            read += 1;
            assert_eq!(reference.to_string(), text);
            let canonical = parse(&reference.canonical());
            assert_eq!(canonical.canonical(), reference.canonical());
            assert_eq!(parse(&reference.familiar()).canonical(), reference.canonical());
        }
        assert!(read > 10_000, "only {read} references were valid");
    }
}
