//! Decoding that takes what engines really send.
//!
//! Go writes `null` for a list, map or pointer without a value, and engines differ in which fields they leave at
//! that. A strict decoder would give up the whole response for one such field. Decoding through this module means:
//!
//! * `null` is the empty value of what is expected: `""`, `0`, `false`, an empty list, an empty map, `None`;
//! * a text where a list is expected is a list of one (`"Cmd": "sh"`);
//! * a number that does not fit is moved to the nearest one that does (`-1` in an unsigned field is 0);
//! * a number with a fraction is cut where a whole one is expected.
//!
//! What remains an error: text that is no JSON, and values of another shape (an object where a text belongs, a
//! list where an object does).

mod visitors;

use std::borrow::Cow;
use std::str::Utf8Chunk;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Visitor};

use visitors::{AnyVisitor, ListVisitor, MapVisitor, Scalar, ScalarVisitor};

/// Decodes one JSON value, as leniently as [the module](self) describes, into a type of your own. For the Engine API's types,
/// [`decode`](crate::decode) is faster.
///
/// What is no UTF-8 is refused where it belongs to a text that is asked for, and read over elsewhere.
///
/// # Errors
/// Says where the text is no JSON, where a value has another shape than `T` expects, or that something follows it.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    let text = text(json);
    let mut json = serde_json::Deserializer::from_str(&text);
    let value = deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// The JSON as text. What is no UTF-8 becomes an escape that stands for nothing, so that the string around it is refused
/// where it is asked for, and read over where it is not.
///
/// A decoder that takes bytes would do the same, but for all types to be compiled once more for it.
pub fn text(json: &[u8]) -> Cow<'_, str> {
    // The question mark keeps a backslash before it from taking the escape's own for what it escapes.
    const NOTHING: &str = "?\\udc00";
    match str::from_utf8(json) {
        Ok(text) => text.into(),
        Err(_) => {
            // One for all that follow one another, so that the text is not many times as long.
            let nothing =
                |place, part: &Utf8Chunk<'_>| !part.invalid().is_empty() && (place == 0 || !part.valid().is_empty());
            let parts = json.utf8_chunks().enumerate();
            parts.flat_map(|(place, part)| [part.valid(), if nothing(place, &part) { NOTHING } else { "" }]).collect()
        }
    }
}

/// Decodes from any self-describing deserializer, as leniently as [the module](self) describes.
///
/// Fits `#[serde(deserialize_with = "longshore_models::lenient::deserialize")]`.
///
/// # Errors
/// Passes on the deserializer's own error.
pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(Lenient(deserializer))
}

struct Lenient<D>(D);

impl<'de, D: Deserializer<'de>> Lenient<D> {
    fn scalar<V: Visitor<'de>>(self, scalar: Scalar, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(ScalarVisitor { visitor, scalar })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Lenient<D> {
    type Error = D::Error;

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(AnyVisitor(visitor))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Bool, visitor)
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Signed(i8::MIN.into(), i8::MAX.into()), visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Signed(i16::MIN.into(), i16::MAX.into()), visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Signed(i32::MIN.into(), i32::MAX.into()), visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Signed(i64::MIN, i64::MAX), visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Unsigned(u8::MAX.into()), visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Unsigned(u16::MAX.into()), visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Unsigned(u32::MAX.into()), visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Unsigned(u64::MAX), visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Float, visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Float, visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_char(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Text, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.scalar(Scalar::Text, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_byte_buf(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(AnyVisitor(visitor))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, AnyVisitor(visitor))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(ListVisitor(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(ListVisitor(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(ListVisitor(visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(MapVisitor(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(MapVisitor(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_identifier(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// As the models are: decoded by their own places.
    mod model {
        use crate::SortedMap;
        use crate::decode::Decode;

        #[derive(Debug, Default, PartialEq, Decode)]
        pub(super) struct Value {
            pub(super) name: String,
            pub(super) list: Vec<String>,
            map: SortedMap<String, Vec<u16>>,
            option: Option<i64>,
            flag: bool,
            float: f64,
            count: u64,
            boxed: Option<Box<u8>>,
        }
    }

    /// As users have them: decoded by what serde derives.
    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Value {
        name: String,
        list: Vec<String>,
        map: BTreeMap<String, Vec<u16>>,
        option: Option<i64>,
        flag: bool,
        float: f64,
        count: u64,
        boxed: Option<Box<u8>>,
    }

    #[track_caller]
    fn read(json: &str) -> Value {
        let value: Value = from_slice(json.as_bytes()).unwrap();
        let model: model::Value = from_slice(json.as_bytes()).unwrap();
        assert_eq!(format!("{value:?}"), format!("{model:?}"));
        let plain: model::Value = serde_json::from_str(json).unwrap();
        assert_eq!(plain, model);
        value
    }

    #[test]
    fn null_is_empty_everywhere() {
        let nulls = r#"{"name": null, "list": null, "map": null, "option": null, "flag": null, "float": null, "count": null, "boxed": null, "new": null}"#;
        assert_eq!(read(nulls), Value::default());
        assert_eq!(read("null"), Value::default());
        let inside = read(r#"{"list": ["a", null], "map": {"a": null, "b": [1, null]}}"#);
        assert_eq!(inside.list, ["a", ""]);
        assert_eq!(inside.map, BTreeMap::from([("a".into(), vec![]), ("b".into(), vec![1, 0])]));
    }

    #[test]
    fn a_text_is_a_list_of_one() {
        let texts = read(r#"{"list": "a b", "map": {"x": ""}}"#);
        assert_eq!(texts.list, ["a b"]);
        assert_eq!(texts.map["x"], [0; 0]);
    }

    #[test]
    fn numbers_are_moved_into_range() {
        let low =
            read(r#"{"count": -1, "option": -500, "map": {"x": [-1, 70000, 1.9, 65536.5]}, "float": 3, "boxed": -7}"#);
        assert_eq!(
            (low.count, low.option, low.map["x"].as_slice(), low.float, low.boxed),
            (0, Some(-500), &[0, 65535, 1, 65535][..], 3.0, Some(Box::new(0)))
        );
        let high = read(r#"{"count": 18446744073709551615, "option": 1e300, "boxed": 256, "float": -2}"#);
        assert_eq!(
            (high.count, high.option, high.boxed, high.float),
            (u64::MAX, Some(i64::MAX), Some(Box::new(255)), -2.0)
        );
        assert_eq!(read(r#"{"option": 18446744073709551615}"#).option, Some(i64::MAX));
    }

    #[test]
    fn what_is_not_known_is_read_over() {
        let known =
            read(r#"{"new": {"name": "x", "list": [{}]}, "name": "a", "newer": [[], {"a": 1.5}], "newest": "\u00e9"}"#);
        assert_eq!(known, Value { name: "a".to_owned(), ..Value::default() });
    }

    #[test]
    fn another_shape_is_an_error() {
        let values = [r#"{"name": {}}"#, r#"{"name": []}"#, r#"{"name": 7}"#, r#"{"list": {}}"#, r#"{"list": 7}"#];
        let more =
            [r#"{"list": [[]]}"#, r#"{"flag": "yes"}"#, r#"{"flag": 1}"#, r#"{"count": "7"}"#, r#"{"count": true}"#];
        let maps = [
            r#"{"map": []}"#,
            r#"{"map": "a"}"#,
            r#"{"map": {"x": {}}}"#,
            "[]",
            "7",
            r#""a""#,
            "{}}",
            r#"{"name": "\ud800"}"#,
        ];
        for json in values.into_iter().chain(more).chain(maps) {
            assert!(from_slice::<Value>(json.as_bytes()).is_err(), "{json}");
            assert!(from_slice::<model::Value>(json.as_bytes()).is_err(), "{json}");
        }
        let error = from_slice::<model::Value>(br#"{"name": {}}"#).unwrap_err();
        assert_eq!(error.to_string(), "invalid type: map, expected a text at line 1 column 11");
    }

    #[test]
    fn what_is_no_utf8_is_refused_where_it_is_asked_for() {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default)]
        struct Named {
            #[serde(rename = "name")]
            _name: String,
        }
        let cases: [(&[u8], bool, bool); 6] = [
            (b"{\"name\":\"a\xff\"}", false, true),
            (b"{\"name\":\"\xff\xfe\xe2\x82\"}", false, true),
            // An escape of something that is no character is wrong wherever it is.
            (b"{\"name\":\"a\\\xff\"}", false, false),
            (b"{\"name\":\"a\\u\xff00\"}", false, false),
            (b"{\"name\":\"a\\\\\xff\"}", false, true),
            (b"{\"name\":\xff}", false, false),
        ];
        for (json, is_name, is_unknown) in cases {
            assert_eq!(from_slice::<Named>(json).is_ok(), is_name, "{json:?}");
            let unknown: Vec<u8> = json.iter().map(|byte| if *byte == b'n' { b'x' } else { *byte }).collect();
            let read = from_slice::<Named>(&unknown);
            assert_eq!(read.is_ok(), is_unknown, "{unknown:?} {read:?}");
        }
        assert!(text(&[0xff; 1000]).len() < 10);
    }
}
