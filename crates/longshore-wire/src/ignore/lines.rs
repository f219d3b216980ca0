use std::str::from_utf8;

use super::InvalidPattern;

/// The longest line, in bytes: what the official tool reads at most.
const LONGEST: usize = 64 * 1024;

/// The patterns of a file, as they are written but for spaces, needless parts of paths and a leading slash.
pub(super) fn patterns(file: &[u8]) -> Result<Vec<Vec<u8>>, InvalidPattern> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let mut patterns = Vec::new();
    for line in file.split(|byte| *byte == b'\n') {
        if line.len() >= LONGEST {
            return Err(InvalidPattern::new(line, "its line is too long"));
        }
        if line.first() == Some(&b'#') {
            continue;
        }
        let line = trim(line);
        match line.split_first() {
            None => {}
            Some((b'!', rest)) => patterns.push([b"!", &relative(trim(rest))[..]].concat()),
            Some(_) => patterns.push(relative(line)),
        }
    }
    Ok(patterns)
}

/// A path in its shortest form, and from the folder even if it is written as from the root.
fn relative(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return Vec::new();
    }
    let path = clean(path);
    match path.split_first() {
        Some((b'/', rest)) if !rest.is_empty() => rest.to_vec(),
        _ => path,
    }
}

/// The shortest path that means the same: without empty parts, `.`, and `..` behind a name.
pub(super) fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => _ = parts.pop(),
            b".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &joined[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// Takes spaces of all kinds off both ends.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let valid = match from_utf8(text) {
        Ok(valid) => return valid.trim().as_bytes(),
        Err(error) => text.get(..error.valid_up_to()).and_then(|valid| from_utf8(valid).ok()).unwrap_or_default(),
    };
    let start = valid.len() - valid.trim_start().len();
    let last = text.utf8_chunks().last();
    let spaces =
        last.filter(|last| last.invalid().is_empty()).map(|last| last.valid().len() - last.valid().trim_end().len());
    text.get(start..text.len() - spaces.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<String> {
        patterns(text).unwrap().into_iter().map(|pattern| String::from_utf8_lossy(&pattern).into_owned()).collect()
    }

    #[test]
    fn lines_become_patterns() {
        let text = "test1\n/test2\r\n/a/file/here\n\n  lastfile \t\n# comment\n ## no comment\n! /inverted/abs/path\n!\n! \n./!a";
        let all = ["test1", "test2", "a/file/here", "lastfile", "## no comment", "!inverted/abs/path", "!", "!", "!a"];
        assert_eq!(read(text.as_bytes()), all);
        assert_eq!(read(b"\xef\xbb\xbf# a\n\xef\xbb\xbfb"), ["\u{feff}b"]);
        assert_eq!(read(b""), [""; 0]);
        assert_eq!(read(b" \xffa\xff \n\xff\n"), ["\u{fffd}a\u{fffd}", "\u{fffd}"]);
    }

    #[test]
    fn paths_are_made_as_short_as_can_be() {
        for (path, short) in [
            ("", "."),
            ("a/b", "a/b"),
            ("a//b/./c/../", "a/b"),
            ("..", ".."),
            ("../../a", "../../a"),
            ("a/../..", ".."),
            ("/..", "/"),
            ("/../a", "/a"),
            ("//", "/"),
            ("./", "."),
            (".../a", ".../a"),
        ] {
            assert_eq!(String::from_utf8(clean(path.as_bytes())).unwrap(), short, "{path}");
        }
    }

    #[test]
    fn spaces_of_all_kinds_are_taken_off() {
        assert_eq!(trim("\u{a0}\u{2003} a b\t\u{3000}".as_bytes()), b"a b");
        assert_eq!(trim(b" \t\xff \xc2\xa0"), b"\xff");
        assert_eq!(trim(b" \xff"), b"\xff");
        assert_eq!(trim(b"   "), b"");
    }
}
