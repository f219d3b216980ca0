//! The rules of a `.dockerignore`.

use longshore_wire::ignore::{IgnoreFile, Verdict};

/// Reads what comes before the last zero byte as rules, and applies them to the path behind it.
pub fn check(bytes: &[u8]) {
    let split = bytes.iter().rposition(|byte| *byte == 0).unwrap_or(bytes.len());
    let (file, path) = (&bytes[..split], bytes.get(split + 1..).unwrap_or(b"a/b.txt"));
    let rules = match IgnoreFile::parse(file) {
        Ok(rules) => rules,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let at_once = rules.is_excluded(path);
    let _ = rules.may_hold_exceptions(path);
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    // With exceptions, a rule that would change nothing for a folder is not looked at, and so forgotten for what is in
    // the folder: an oddity of the official tool.
    if parts.iter().all(|part| !part.is_empty()) && !file.contains(&b'!') {
        let mut verdict: Option<Verdict> = None;
        for end in 1..=parts.len() {
            verdict = Some(rules.judge(&parts[..end].join(&b'/'), verdict.as_ref()));
        }
        assert_eq!(verdict.is_some_and(|verdict| verdict.is_excluded()), at_once, "walking down tells something else");
    }
    assert!(!rules.with_exception(path).is_excluded(path));
}
