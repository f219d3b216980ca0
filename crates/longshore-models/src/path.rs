//! Where in a JSON text something went wrong.

/// Names the value at which decoding failed, such as `[2].HostConfig.PortBindings.80/tcp[0]`; empty for the outermost.
///
/// It takes the text that was decoded and the error that came of it, and reads no further than the error.
///
/// ```
/// use longshore_models::{ContainerInspect, error_path, lenient};
///
/// let json = br#"{"Id": "0a1b", "State": {"Health": {"Log": [{"Output": "fine"}, {"Output": {}}]}}}"#;
/// let error = lenient::from_slice::<ContainerInspect>(json).unwrap_err();
/// assert_eq!(error_path(json, &error), "State.Health.Log[1].Output");
/// ```
pub fn error_path(json: &[u8], error: &serde_json::Error) -> String {
    let lines = json.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    let end = lines.map(<[u8]>::len).sum::<usize>().saturating_add(error.column()).min(json.len());
    path_at_end(json.get(..end).unwrap_or(json))
}

enum Level {
    Object { key: Option<String>, key_follows: bool },
    List { index: usize },
}

/// Names the value that the text stops in or right behind.
fn path_at_end(json: &[u8]) -> String {
    let mut levels: Vec<Level> = Vec::new();
    let mut rest = json;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, levels.last_mut()) {
            (b'{', _) => levels.push(Level::Object { key: None, key_follows: true }),
            (b'[', _) => levels.push(Level::List { index: 0 }),
            (b'}' | b']', _) => drop(levels.pop()),
            (b',', Some(Level::List { index })) => *index += 1,
            (b',', Some(Level::Object { key_follows, .. })) => *key_follows = true,
            (b'"', level) => {
                let (text, after) = text_and_rest(rest);
                rest = after;
                if let Some(Level::Object { key, key_follows: key_follows @ true }) = level {
                    *key = Some(String::from_utf8_lossy(text).into_owned());
                    *key_follows = false;
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object { key: Some(key), .. } if path.is_empty() => path = key,
            Level::Object { key: Some(key), .. } => path = path + "." + &key,
            Level::Object { key: None, .. } => {}
            Level::List { index } => path = format!("{path}[{index}]"),
        }
    }
    path
}

/// Splits behind the closing quote; escapes stay as they are written.
fn text_and_rest(text: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    });
    let (text, rest) = text.split_at(end.unwrap_or(text.len()));
    (text, rest.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContainerSummary, lenient};

    #[test]
    fn names_the_value_that_did_not_fit() {
        let cases = [
            (r#"[{"Id": "a"}, {"Id": {}}]"#, "[1].Id"),
            ("[{\"Id\": \"a\"},\n {\"Names\": [\"x\",\n 7]}]", "[1].Names[1]"),
            (r#"[{"Labels": {"a,}\"b": [1]}}]"#, r#"[0].Labels.a,}\"b[0]"#),
            (r#"[{"Ports": [{"IP": "::"}, 7]}]"#, "[0].Ports[1]"),
            (r#"[{"Id": "a", "New": {"x": [1, {}]}, "State": 7}]"#, "[0].State"),
            (r#"{"Id": 7}"#, ""),
            ("7", ""),
            ("", ""),
            (r#"[{"Id": "a"#, "[0].Id"),
        ];
        for (json, path) in cases {
            let error = lenient::from_slice::<Vec<ContainerSummary>>(json.as_bytes()).unwrap_err();
            assert_eq!(error_path(json.as_bytes(), &error), path, "{json}: {error}");
        }
    }

    #[test]
    fn reads_any_bytes() {
        let error = lenient::from_slice::<Vec<ContainerSummary>>(b"[{\n\n\n\n\"Id\": 7").unwrap_err();
        for json in ["", "]]}}", "\"\\", "{\"a\": \"\\\"", ",,,", "\u{e9}{\"\u{e9}"] {
            error_path(json.as_bytes(), &error);
        }
    }
}
