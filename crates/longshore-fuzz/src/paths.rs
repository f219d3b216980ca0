//! Targets of requests.

use std::collections::BTreeMap;

use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::query::Query;
use longshore_wire::request::{Method, RequestFraming, RequestHead};
use percent_encoding::percent_decode_str;

/// Writes a name, a value and a filter into the target of a request, and reads them back.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let paths = [Path::new("a").segment(text), Path::new("a").reference(text)];
    for path in paths.into_iter().flatten() {
        assert_eq!(decoded(path.as_str()), format!("/a/{text}"));
        assert!(Path::verbatim(path.as_str()).is_ok_and(|again| again == path), "{path}");
        target(path.as_str());
    }
    if let Ok(path) = Path::verbatim(text) {
        let decoded = percent_decode_str(path.as_str()).decode_utf8_lossy();
        assert!(!decoded.split('/').any(|part| matches!(part, "." | "..")), "{path}");
        target(path.as_str());
    }
    let mut query = Query::new();
    query.push(text, text).filters(&Filters::new().with(text, text));
    target(query.as_str());
    let pairs: Vec<&str> = query.as_str().split('&').collect();
    let [pair, filters] = pairs[..] else { panic!("{query}") };
    let (key, value) = pair.split_once('=').expect("a key and a value");
    assert_eq!((decoded(key), decoded(value)), (text.to_owned(), text.to_owned()));
    let filters = filters.strip_prefix("filters=").expect("filters");
    let found: BTreeMap<String, Vec<String>> = serde_json::from_str(&decoded(filters)).expect("JSON");
    assert_eq!(found, [(text.to_owned(), vec![text.to_owned()])].into());
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().expect("text").into_owned()
}

/// Nothing that ends a target may be in one.
fn target(target: &str) {
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{target:?}");
    let mut head = Vec::new();
    let request =
        RequestHead { method: Method::Get, target, host: "docker", headers: &[], framing: RequestFraming::None };
    request.write(&mut head).expect("nothing in it poses as a field");
    assert_eq!(head, format!("GET {target} HTTP/1.1\r\nHost: docker\r\n\r\n").into_bytes());
}
