//! Which files of a folder are left out of a build: the rules of a `.dockerignore` file.
//!
//! They are not those of `.gitignore`: a pattern always begins at the folder itself, `**` stands for any number of
//! folders, a pattern takes all that is below what it matches, and the last one that matches a file decides. Where the
//! official command line tool has oddities, they are here too, since the same file has to give the same build.

mod expression;
mod lines;
mod rule;

use std::fmt;

use self::rule::Rule;

/// The rules of a `.dockerignore` file.
///
/// ```
/// use longshore_wire::ignore::IgnoreFile;
///
/// let ignored = IgnoreFile::parse(b"# results\ntarget\n**/*.log\n!keep.log\n")?;
/// assert!(ignored.is_excluded(b"target/debug/app") && ignored.is_excluded(b"a/b.log"));
/// assert!(!ignored.is_excluded(b"keep.log") && !ignored.is_excluded(b"src/target"));
/// # Ok::<(), longshore_wire::ignore::InvalidPattern>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct IgnoreFile {
    rules: Vec<Rule>,
}

/// What the rules say of one path; those of the paths below it are found from it.
#[derive(Debug, Clone)]
pub struct Verdict {
    excluded: bool,
    /// Which rules match the path or a folder that it is in.
    matched: Vec<bool>,
}

impl Verdict {
    /// Whether the path is left out.
    pub fn is_excluded(&self) -> bool {
        self.excluded
    }
}

impl IgnoreFile {
    /// Reads a `.dockerignore` file.
    ///
    /// One pattern a line, with spaces around it and a `/` before it taken off; lines that begin with `#` are comments.
    /// A pattern that begins with `!` takes files back in.
    ///
    /// # Errors
    /// [`InvalidPattern`] for a pattern that can't be read, such as `[` or `!` alone.
    pub fn parse(file: &[u8]) -> Result<IgnoreFile, InvalidPattern> {
        let mut rules = Vec::new();
        for pattern in lines::patterns(file)? {
            rules.extend(Rule::new(&pattern)?);
        }
        Ok(IgnoreFile { rules })
    }

    /// Takes this file back in if it is left out, whatever characters its name has.
    #[must_use]
    pub fn with_exception(mut self, path: &[u8]) -> IgnoreFile {
        if self.is_excluded(path) {
            self.rules.push(Rule::exception(path));
        }
        self
    }

    /// Says whether the file or folder at this path is left out. The path begins below the folder of the build, and its
    /// parts are separated by slashes.
    pub fn is_excluded(&self, path: &[u8]) -> bool {
        self.judge(path, None).excluded
    }

    /// Says what becomes of a path, given what became of the folder that it is in; without one, all folders on the way
    /// are looked at. Walking through a folder is quicker so.
    pub fn judge(&self, path: &[u8], parent: Option<&Verdict>) -> Verdict {
        let mut verdict = Verdict { excluded: false, matched: vec![false; self.rules.len()] };
        for (index, (rule, matched)) in self.rules.iter().zip(&mut verdict.matched).enumerate() {
            let inherited = parent.is_some_and(|parent| parent.matched.get(index).copied().unwrap_or_default());
            // A rule that would change nothing is not looked at, and counts as one that does not match.
            if !inherited && rule.is_exception != verdict.excluded {
                continue;
            }
            *matched =
                inherited || rule.matches(path) || parent.is_none() && parents(path).any(|folder| rule.matches(folder));
            if *matched {
                verdict.excluded = !rule.is_exception;
            }
        }
        verdict
    }

    /// Whether something may be taken back in that is below this folder, so that the folder has to be looked through
    /// though it is left out.
    pub fn may_hold_exceptions(&self, folder: &[u8]) -> bool {
        let is_below = |rule: &Rule| {
            let rest = rule.text.strip_prefix(folder);
            rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
        };
        self.rules.iter().any(|rule| rule.is_exception && is_below(rule))
    }
}

/// The folders on the way to a path, the outermost first.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes.filter_map(|(end, _)| path.get(..end))
}

/// A pattern of a `.dockerignore` file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPattern {
    pattern: String,
    reason: &'static str,
}

impl InvalidPattern {
    fn new(pattern: &[u8], reason: &'static str) -> Self {
        const SHOWN: usize = 200;
        let shown = pattern.get(..SHOWN).unwrap_or(pattern);
        InvalidPattern { pattern: String::from_utf8_lossy(shown).into_owned(), reason }
    }

    /// The pattern; of a very long one, its beginning.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the pattern `{}` can't be read: {}", self.pattern, self.reason)
    }
}

impl std::error::Error for InvalidPattern {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::random::Random;

    fn parse(text: &str) -> IgnoreFile {
        IgnoreFile::parse(text.as_bytes()).unwrap()
    }

    #[track_caller]
    fn check(file: &str, excluded: &[&str], kept: &[&str]) {
        let file = parse(file);
        for path in excluded {
            assert!(file.is_excluded(path.as_bytes()), "{path} is kept");
        }
        for path in kept {
            assert!(!file.is_excluded(path.as_bytes()), "{path} is left out");
        }
    }

    #[test]
    fn a_pattern_begins_at_the_folder_and_takes_all_below() {
        check("target", &["target", "target/a", "target/a/b"], &["src/target", "targets", "a"]);
        check("/a/b/", &["a/b", "a/b/c"], &["a", "b", "a/bc"]);
        check("./a//c/../b", &["a/b"], &["a/c"]);
        check("", &[], &["a"]);
        check(".", &[], &["a", "a/b"]);
        check("/\n..\n../a", &[], &["a", "b"]);
    }

    #[test]
    fn stars_stop_at_slashes_and_double_stars_do_not() {
        check("*", &["a", "a/b", ".a"], &[]);
        check("*/b", &["a/b", "a/b/c"], &["b", "a/c/b"]);
        check("*.md", &["a.md", ".md"], &["a/a.md", "md"]);
        check("**", &["a", "a/b"], &[]);
        check("**/b", &["b", "a/b", "a/c/b", "b/c"], &["ab", "a/bc"]);
        check("**b", &["b", "ab", "a/cb"], &["bc"]);
        check("a/**", &["a/b", "a/b/c"], &["a", "ab"]);
        check("a/**/b", &["a/b", "a/c/b", "a/c/d/b"], &["a", "ab", "a/cb"]);
        check("**/*.log", &["a.log", "b/a.log", "c/b/a.log"], &["a.logs", "log"]);
        check("a?c", &["abc", "aéc"], &["ac", "a/c", "abbc"]);
    }

    #[test]
    fn classes_and_escapes() {
        check("a[b-d]e", &["abe", "ade"], &["aae", "ae"]);
        check("a[^b-d]e", &["aae", "aze"], &["abe"]);
        check("[!a]x", &["!x", "ax"], &["bx"]);
        check(r"a\*b", &["a*b"], &["aab", "a\\*b"]);
        check(r"\!a", &["!a"], &["a"]);
        check(r"\#a", &["#a"], &["a"]);
        check("[x\\-z]", &["-", "x"], &["y"]);
        check("[a-ζ]*", &["α", "a"], &["A"]);
    }

    #[test]
    fn the_last_rule_that_matches_decides() {
        check("*.md\n!README.md", &["a.md"], &["README.md"]);
        check("!README.md\n*.md", &["README.md"], &[]);
        check("*.md\n!README*.md\nREADME-secret.md", &["a.md", "README-secret.md"], &["README.md", "README-a.md"]);
        check("docs\n!docs/a", &["docs", "docs/b"], &["docs/a", "docs/a/b"]);
        check("**\n!util/docker/web\nutil/docker/web/foo", &["a", "util/docker/web/foo"], &["util/docker/web/bar"]);
        check("*/\n!dir/*.txt", &["dir", "dir/a"], &["dir/a.txt"]);
    }

    #[test]
    fn a_folder_is_looked_through_when_something_in_it_may_be_taken_back() {
        let file = parse("*\n!a/b/c\n!*.d");
        assert!(
            file.may_hold_exceptions(b"a") && file.may_hold_exceptions(b"a/b") && file.may_hold_exceptions(b"a/b/c")
        );
        assert!(
            !file.may_hold_exceptions(b"b") && !file.may_hold_exceptions(b"a/bc") && !file.may_hold_exceptions(b"x")
        );
        // A pattern that is no plain path takes nothing back in from a folder that is left out.
        assert!(!parse("a\n!a*/b").may_hold_exceptions(b"a"));
        assert!(!parse("a/b").may_hold_exceptions(b"a"));
    }

    #[test]
    fn a_file_is_taken_back_in_by_its_name() {
        let file = parse("*\n!b").with_exception(b"a/[x]*").with_exception(b"b");
        assert!(!file.is_excluded(b"a/[x]*") && file.is_excluded(b"a/x1") && file.is_excluded(b"a"));
        assert!(file.may_hold_exceptions(b"a") && file.rules.len() == 3);
        let mut verdict = file.judge(b"a", None);
        assert!(verdict.is_excluded());
        verdict = file.judge(b"a/[x]*", Some(&verdict));
        assert!(!verdict.is_excluded());
    }

    #[test]
    fn what_can_not_be_read_is_refused_by_name() {
        for bad in ["!", "! ", "!/", "[", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "\\", "[^", "[^bc", "a\n\n["]
        {
            let error = IgnoreFile::parse(bad.as_bytes()).unwrap_err();
            assert_eq!(error.pattern(), bad.trim_start_matches("a\n\n").trim().replace("!/", "!"), "{error}");
            assert!(error.to_string().contains(error.pattern()), "{error}");
        }
        // Classes that the one who checks them accepts, but not the one who compiles them.
        for bad in ["[z-a]", r"\y", r"\pL", r"\Qa", "[[:word]:]]", r"\9", r"\x4g"] {
            assert!(IgnoreFile::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn anything_is_read_or_refused_and_a_walk_tells_what_asking_tells() {
        let mut random = Random::new(11);
        for _ in 0..20_000 {
            let file = random.text("ab/*?[]!^\\-.#\n \u{feff}é", 24);
            let Ok(file) = IgnoreFile::parse(file.as_bytes()) else { continue };
            let parts: Vec<String> = (0..1 + random.below(4)).map(|_| format!("a{}", random.text("ab.é", 2))).collect();
            let path = parts.join("/");
            let mut verdict = None;
            for end in 1..=parts.len() {
                verdict = Some(file.judge(parts[..end].join("/").as_bytes(), verdict.as_ref()));
            }
            assert_eq!(verdict.unwrap().is_excluded(), file.is_excluded(path.as_bytes()), "{file:?} {path}");
        }
        for length in 0..64 {
            let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
            let _ = IgnoreFile::parse(&bytes);
        }
    }

    #[test]
    fn long_patterns_and_paths_take_their_time_but_no_more() {
        let file = parse(&format!("{}b", "*".repeat(2000)));
        assert!(
            !file
                .judge("a/".repeat(1000).as_bytes(), Some(&Verdict { excluded: false, matched: vec![false] }))
                .excluded
        );
        assert!(parse(&"**/".repeat(2000)).is_excluded(b"a"));
        let long = vec![b'a'; 70_000];
        assert!(IgnoreFile::parse(&long).unwrap_err().pattern().len() <= 200);
    }
}
