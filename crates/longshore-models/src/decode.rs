//! Where the parts of a JSON value go: how the types of the Engine API are decoded.
//!
//! A type tells the [`Place`] of a value in it, a struct the place of each key, a list that of its next element. One decoder
//! walks through the JSON and fills them, so that no type has a decoder of its own: to compile one for each takes longer
//! than all the rest, and what comes of it is larger and slower. `#[derive(Decode)]` tells the places of a struct.
//!
//! What has no place for a value refuses it; `null` leaves everything as it is, which is empty. The rules are those of
//! [`lenient`]. There are two readers of JSON, which make the same of it: a quick one of what engines write, and serde_json
//! for all else, whose errors they are. serde's `Deserialize` of a type fills the same places.

mod fill;
mod places;
mod reader;

use serde::Deserializer;
use serde::de::{DeserializeSeed as _, IgnoredAny};
use serde_json::Value;

use crate::lenient;

pub use longshore_derive::Decode;
pub(crate) use places::{Key, deserialize, from_text};

/// Tells where a value goes. Derived for structs.
pub trait Decode {
    /// The place of a value in this one, which is as it is by default.
    fn place(&mut self) -> Place<'_>;
}

/// Where a value goes, by what is expected.
pub enum Place<'a> {
    /// Anything, for nobody.
    Ignored,
    /// A text.
    Text(&'a mut String),
    /// A value without parts.
    Scalar(&'a mut dyn Scalar),
    /// A list, or a text for a list of one.
    List(&'a mut dyn List),
    /// An object, as a struct or as a map.
    Object(&'a mut dyn Object),
    /// What may be left out.
    Optional(&'a mut dyn Optional),
    /// Anything, kept as it is.
    Tree(&'a mut Value),
    /// Something that is converted when it is there.
    Through(Box<dyn Through + 'a>),
}

impl<'a> Place<'a> {
    /// A place for a `W`, of which `value` is made.
    pub fn through<W: Decode + Default + 'a, T: From<W>>(value: &'a mut T) -> Self {
        Place::Through(Box::new(places::Converted { wire: W::default(), value }))
    }
}

/// A value without parts, as it comes.
#[derive(Clone, Copy)]
pub enum Plain<'a> {
    /// A text.
    Text(&'a str),
    /// A boolean.
    Bool(bool),
    /// A number that may be negative.
    Signed(i64),
    /// A number that is not negative.
    Unsigned(u64),
    /// A number with a fraction, or one that is too large for the others.
    Float(f64),
}

/// Something that a value without parts is made of.
pub trait Scalar {
    /// What it takes, for people.
    fn expected(&self) -> &'static str;

    /// Takes a value, or says that it does not.
    fn take(&mut self, value: Plain<'_>) -> bool;
}

/// A list.
pub trait List {
    /// Empties it.
    fn begin(&mut self);

    /// Makes another element, and tells its place.
    fn element(&mut self) -> Place<'_>;

    /// Takes the last element back.
    fn take_back(&mut self);
}

/// A struct or a map.
pub trait Object {
    /// Empties it, if it is a map.
    fn begin(&mut self) {}

    /// Tells the place of a key's value.
    fn field(&mut self, key: &str) -> Place<'_>;

    /// Knows that everything has come.
    fn end(&mut self) {}
}

/// What may be left out.
pub trait Optional {
    /// Makes it be there, and tells its place.
    fn some(&mut self) -> Place<'_>;
}

/// Something that is converted when it is there.
pub trait Through {
    /// The place of what is converted.
    fn place(&mut self) -> Place<'_>;

    /// Converts it.
    fn finish(self: Box<Self>);
}

/// Decodes one JSON value, as leniently as [`lenient`] describes.
///
/// What is no UTF-8 is refused where it belongs to a text that is asked for, and read over elsewhere.
///
/// ```
/// use longshore_models::{ContainerTop, decode};
///
/// let top: ContainerTop = decode::from_slice(br#"{"Titles": ["PID", "CMD"], "Processes": null, "New": 7}"#)?;
/// assert_eq!(top.titles, ["PID", "CMD"]);
/// assert!(top.processes.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Says where the text is no JSON, where a value has another shape than `T` expects, or that something follows it.
pub fn from_slice<T: Decode + Default>(json: &[u8]) -> Result<T, serde_json::Error> {
    from_str(&lenient::text(json))
}

/// Decodes one JSON value, as [`from_slice`] does.
///
/// # Errors
/// As [`from_slice`].
pub fn from_str<T: Decode + Default>(json: &str) -> Result<T, serde_json::Error> {
    let mut value = T::default();
    fill(&mut value, json)?;
    Ok(value)
}

/// Fills a value that is empty with JSON. After an error, some of it may be filled.
///
/// # Errors
/// As [`from_slice`].
pub fn fill(value: &mut dyn Decode, json: &str) -> Result<(), serde_json::Error> {
    if reader::fill(value.place(), json).is_some_and(|length| reader::ends(json, length)) {
        return Ok(());
    }
    let mut json = serde_json::Deserializer::from_str(json);
    value.place().deserialize(&mut json)?;
    json.end()
}

/// Adds an element to a list from the JSON at the beginning of a text, and tells its length with the spaces before it.
///
/// # Errors
/// As [`from_slice`], and the element is not there then; the error [is one of an early end](serde_json::Error::is_eof) if there is only a part of a value, but
/// for one that is cut inside a number that nobody asks for, behind its sign, point or exponent.
pub fn push_first(list: &mut dyn List, text: &str) -> Result<usize, serde_json::Error> {
    if let Some(length) = reader::fill(list.element(), text) {
        return Ok(length);
    }
    list.take_back();
    let mut json = serde_json::Deserializer::from_str(text);
    match list.element().deserialize(&mut json) {
        Ok(()) => Ok(json.into_iter::<IgnoredAny>().byte_offset()),
        Err(error) => {
            list.take_back();
            Err(error)
        }
    }
}

/// Decodes a value from any self-describing deserializer.
///
/// # Errors
/// Passes on the deserializer's own error.
pub fn deserialize<'de, T: Decode + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut value = T::default();
    value.place().deserialize(deserializer)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Debug;
    use std::time::Duration;

    use serde::de::DeserializeOwned;
    use serde_json::{Map, json};

    use super::*;
    use crate::SortedMap;

    #[derive(Debug, Default, PartialEq, Decode)]
    #[serde(rename_all = "PascalCase")]
    struct Outer {
        #[serde(rename = "ID", alias = "Identifier")]
        id: String,
        r#type: String,
        some_map: SortedMap<String, Inner>,
        trees: Map<String, Value>,
        list: Vec<Inner>,
        set: BTreeSet<String>,
        wait: Duration,
        option: Option<Value>,
        #[decode(from = Vec<u32>)]
        size: Size,
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Debug, Default, PartialEq, Decode)]
    #[serde(rename_all = "camelCase")]
    struct Inner {
        inner_count: u64,
        words: Vec<String>,
    }

    #[derive(Debug, Default, PartialEq, Decode)]
    struct Numbers {
        floats: Vec<f64>,
        unsigned: Vec<u64>,
    }

    #[derive(Debug, Default, PartialEq)]
    struct Size(usize, u32);

    impl From<Vec<u32>> for Size {
        fn from(numbers: Vec<u32>) -> Self {
            Self(numbers.len(), numbers.iter().sum())
        }
    }

    /// Decodes by both readers, which make the same of it.
    #[track_caller]
    fn read<T: Decode + Default + Debug + DeserializeOwned>(json: &str) -> Result<T, String> {
        let value = from_str::<T>(json).map_err(|error| error.to_string());
        let by_serde = lenient::from_slice::<T>(json.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(format!("{value:?}"), format!("{by_serde:?}"), "{json}");
        value
    }

    fn inner(inner_count: u64, words: &[&str]) -> Inner {
        Inner { inner_count, words: words.iter().copied().map(str::to_owned).collect() }
    }

    #[test]
    fn keys_find_their_places() {
        let value = json!({
            "ID": "a", "Type": "b", "innerCount": 7, "words": ["c"], "InnerCount": 8, "inner": {"innerCount": 9},
            "SomeMap": {"y": {"innerCount": 1}, "x": {"words": "d"}, "z": null},
            "Trees": {"b": [1, {"c": null}], "a": null}, "Option": {"x": [null]}, "List": [{"words": []}, null],
            "Set": {"f": {}, "e": {"x": 1}, "d": null}, "Wait": 1_500_000_000, "Size": [3, 4]
        });
        let outer: Outer = read(&value.to_string()).unwrap();
        let map = [("x", inner(0, &["d"])), ("y", inner(1, &[])), ("z", inner(0, &[]))];
        let expected = Outer {
            id: "a".to_owned(),
            r#type: "b".to_owned(),
            some_map: map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            trees: value["Trees"].as_object().cloned().unwrap(),
            list: vec![inner(0, &[]), inner(0, &[])],
            set: ["d", "e", "f"].map(str::to_owned).into(),
            wait: Duration::from_millis(1500),
            option: Some(json!({"x": [null]})),
            size: Size(2, 7),
            inner: inner(7, &["c"]),
        };
        assert_eq!(outer, expected);
        assert_eq!(serde_json::from_value::<Outer>(value).unwrap(), expected);
        let alias: Outer = read(r#"{"Identifier": "b", "Size": "", "Wait": -1}"#).unwrap();
        assert_eq!(alias, Outer { id: "b".to_owned(), ..Outer::default() });
    }

    #[test]
    fn the_last_of_several_holds() {
        let twice = r#"{"ID": "a", "words": ["x"], "Trees": {"a": 1}, "Option": 1, "SomeMap": {"a": {"innerCount": 1}},
            "ID": "b", "words": ["y"], "Trees": {"b": 1}, "Option": [2], "SomeMap": {"b": {}, "b": {"innerCount": 2}}}"#;
        let outer: Outer = read(twice).unwrap();
        assert_eq!((outer.id.as_str(), outer.inner.words, outer.option), ("b", vec!["y".to_owned()], Some(json!([2]))));
        assert_eq!(Value::from(outer.trees), json!({"b": 1}));
        assert_eq!(outer.some_map, SortedMap::from([("b".to_owned(), inner(2, &[]))]));
    }

    #[test]
    fn what_does_not_fit_tells_what_does() {
        for (json, expected) in [
            (r#"{"Wait": "1s"}"#, "a number of nanoseconds"),
            (r#"{"Size": {}}"#, "a list"),
            (r#"{"Size": [""]}"#, "a number"),
            (r#"{"List": [1]}"#, "an object"),
            (r#"{"Set": []}"#, "an object"),
            ("true", "an object"),
        ] {
            let error = read::<Outer>(json).unwrap_err();
            assert!(error.contains(&format!("expected {expected} at ")), "{json}: {error}");
        }
    }

    #[test]
    fn both_readers_make_the_same_of_all_json() {
        let texts = [
            r#""""#,
            r#""a\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\udc33\ud83D\uDC33z""#,
            "\"\u{e9}\u{1f433}\u{7f}\"",
            r#""12345678\n""#,
        ];
        let numbers = ["0", "-0", "7", "-7", "10", "0.5", "-1.5e3", "1E+2", "1e-2", "123456789012345678"];
        let long =
            ["9223372036854775807", "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1e400"];
        let words =
            ["null", "true", "false", "[]", "{}", " [ 1 , \n[ ] ,\t{ } ]\r\n", r#"{"a" : {"b":[{"c":null}]}, "a":2}"#];
        for json in texts.iter().chain(&numbers).chain(&long).chain(&words) {
            let tree = read::<Value>(json);
            assert_eq!(tree.ok(), serde_json::from_str(json).ok(), "{json}");
            let known = format!(r#"[{{"new": {json}, "innerCount": 7}}]"#);
            assert_eq!(read::<Vec<Inner>>(&known).unwrap(), [inner(7, &[])], "{json}");
            let floats = read::<Numbers>(&format!(r#"{{"floats": [{json}]}}"#));
            let unsigned = read::<Numbers>(&format!(r#"{{"unsigned": [{json}]}}"#));
            assert_eq!(floats.is_ok(), unsigned.is_ok(), "{json}");
        }
        let wrong = [
            "", " ", "nul", "nulL", "truex", "01", "-", "-a", "1.", ".5", "1e", "+1", "--1", "0x1", "1 2", "\"", "\"a",
            "\"\n\"",
        ];
        let strings = [
            r#""\"#,
            r#""\""#,
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\n""#,
            r#""\ud800\u0041""#,
        ];
        let parts = [
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "{\"a\" 1}",
            "[}",
            "{]",
            "]",
        ];
        for json in wrong.iter().chain(&strings).chain(&parts) {
            assert!(read::<Value>(json).is_err(), "{json}");
            // Where nobody asks for it, half of a character is read over.
            let unknown = read::<Inner>(&format!(r#"{{"new": {json}}}"#));
            assert!(unknown.is_err() || json.contains("\\ud") || json.is_empty(), "{json}");
        }
        for depth in [50, 99, 100, 101, 126, 127, 128, 129, 1000] {
            let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(read::<Value>(&deep).is_ok(), depth < 128, "{depth}");
        }
    }

    #[test]
    fn the_quick_reader_understands_what_engines_send() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        let mut count = 0;
        for folder in
            std::fs::read_dir(fixtures).unwrap().map(|folder| folder.unwrap().path()).filter(|path| path.is_dir())
        {
            for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
                let json = std::fs::read_to_string(&file).unwrap();
                let mut tree = Value::Null;
                let length = reader::fill(tree.place(), &json);
                assert!(length.is_some_and(|length| reader::ends(&json, length)), "{}", file.display());
                assert_eq!(tree, serde_json::from_str::<Value>(&json).unwrap(), "{}", file.display());
                count += 1;
            }
        }
        assert!(count > 200, "{count}");
    }

    #[test]
    fn an_element_is_added_or_not() {
        let mut list = Vec::<Inner>::new();
        for text in [r#" {"innerCount": 1}, {"#, r#"{"new": "\ud800", "innerCount": 2}]"#] {
            assert_eq!(push_first(&mut list, text).ok(), text.find('}').map(|end| end + 1), "{text}");
        }
        for cut in [r#"{"innerCount": 1"#, r#"{"words": ["a"#, "{", ""] {
            assert!(push_first(&mut list, cut).unwrap_err().is_eof(), "{cut}");
        }
        assert!(push_first(&mut list, r#"{"words": {}}"#).is_err());
        assert_eq!(list, [inner(1, &[]), inner(2, &[])]);
    }
}
