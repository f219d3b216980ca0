//! Finds where in a JSON text a byte is, for people who look for what is wrong there.

/// The path to the value that ends before a byte of a text, or that this byte is in, such as `[1].Names[0]`; empty for the
/// text as a whole. Keys stand there as they are written.
///
/// ```
/// use longshore_wire::json_path::path_at;
///
/// let json = br#"[{"Names": []}, {"Names": [7]}]"#;
/// assert_eq!(path_at(json, 28), "[1].Names[0]");
/// ```
pub fn path_at(json: &[u8], end: usize) -> String {
    let mut open: Vec<Step<'_>> = Vec::new();
    let mut at = 0;
    let end = end.min(json.len());
    while at < end {
        if let (Some(Step::Item(index @ None)), false) = (open.last_mut(), is_space(json[at]) || json[at] == b']') {
            *index = Some(0);
        }
        match json[at] {
            b'"' => {
                let length = string_length(&json[at..end]);
                if let Some(Step::Key(key @ None)) = open.last_mut() {
                    *key = Some(json[at..at + length].strip_prefix(b"\"").unwrap_or_default());
                }
                at += length;
                continue;
            }
            b'{' => open.push(Step::Key(None)),
            b'[' => open.push(Step::Item(None)),
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Step::Key(key)) => *key = None,
                Some(Step::Item(index)) => *index = index.map(|index| index + 1),
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for step in open {
        match step {
            Step::Key(Some(key)) => {
                let key = key.strip_suffix(b"\"").unwrap_or(key);
                let dot = if path.is_empty() { "" } else { "." };
                path += &format!("{dot}{}", String::from_utf8_lossy(key));
            }
            Step::Item(Some(index)) => path += &format!("[{index}]"),
            Step::Key(None) | Step::Item(None) => {}
        }
    }
    path
}

/// A step into an object or a list; there is no key or item before the first.
enum Step<'a> {
    Key(Option<&'a [u8]>),
    Item(Option<usize>),
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The length of the string at the beginning of a text, with its quotes; that of the text if it has no end.
fn string_length(text: &[u8]) -> usize {
    let mut is_escaped = false;
    for (place, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn told(text: &str, path: &str) {
        // The mark stands behind the byte that is asked for.
        let at = text.find('^').unwrap();
        assert_eq!(path_at(text.replace('^', "").as_bytes(), at), path, "{text}");
    }

    #[test]
    fn values_are_found_by_their_ends() {
        told("7^", "");
        told(r#"{"a":1^}"#, "a");
        told(r#"{"a":1, "b":"x"^}"#, "b");
        told(r#"{"a":1, "b":{"c" : [1,2,3^]}}"#, "b.c[2]");
        told(r#"{"a":{}^}"#, "a");
        told(r#"{"a":{^}}"#, "a");
        told(r#"{"a":[^1]}"#, "a");
        told(r#"{"a":[ 1^ ]}"#, "a[0]");
        told(r#"{"a":[[],[ {"b":null}, {"b":tru^e}]]}"#, "a[1][1].b");
        told(r#"[1,"]},\"{",{"x]\\":{"y":"z"^}}]"#, r"[2].x]\\.y");
        told(r#"[1,^"a"]"#, "[1]");
        told(r#"[[1,2]^,3]"#, "[0]");
        told(r#"{"a":1}^"#, "");
    }

    #[test]
    fn whatever_the_text_is_there_is_a_path() {
        let text = br#"]}{"a\" [":[{"": -1.5e3},"\u00e9",{"b":[]}]"#;
        for end in 0..=text.len() + 1 {
            path_at(text, end);
            path_at(&text[end.min(text.len())..], 10);
        }
        assert_eq!(path_at(b"[1", 100), "[0]");
    }
}
