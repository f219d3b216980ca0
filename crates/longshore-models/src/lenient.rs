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
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, Visitor};

use visitors::{AnyVisitor, ListVisitor, MapVisitor, Scalar, ScalarVisitor};

/// Decodes one JSON value, as leniently as [the module](self) describes.
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

/// Decodes the JSON value at the beginning of a text, as leniently as [the module](self) describes, and tells its length
/// with the spaces before it.
///
/// # Errors
/// As [`from_slice`]; the error [is one of an early end](serde_json::Error::is_eof) if there is only a part of a value, but
/// for one that is cut inside a number that nobody asks for, behind its sign, point or exponent.
pub fn first_from_str<T: DeserializeOwned>(text: &str) -> Result<(T, usize), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = deserialize(&mut json)?;
    Ok((value, json.into_iter::<IgnoredAny>().byte_offset()))
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

/// Keeps a `#[serde(flatten)]` field lenient: serde buffers its values beyond the reach of the outer decoder.
pub(crate) fn flattened<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(Flattened(deserializer))
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

/// The map a flattened field is read from: always a map, its values lenient.
struct Flattened<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Flattened<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(MapVisitor(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, MapVisitor(visitor))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Outer {
        name: String,
        list: Vec<String>,
        map: BTreeMap<String, Vec<u16>>,
        option: Option<i8>,
        flag: bool,
        float: f64,
        pair: (u8, i64),
        #[serde(flatten, deserialize_with = "flattened")]
        inner: Inner,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        count: u64,
        words: Vec<String>,
    }

    fn read(json: &str) -> Outer {
        from_slice(json.as_bytes()).unwrap()
    }

    #[test]
    fn null_is_empty_everywhere() {
        let nulls = r#"{"name": null, "list": null, "map": null, "option": null, "flag": null, "float": null, "pair": [null, null], "count": null, "words": null, "new": null}"#;
        assert_eq!(read(nulls), Outer::default());
        assert_eq!(read("null"), Outer::default());
        let inside = read(r#"{"list": ["a", null], "map": {"a": null, "b": [1, null]}, "words": [null]}"#);
        assert_eq!(inside.list, ["a", ""]);
        assert_eq!(inside.map, BTreeMap::from([("a".into(), vec![]), ("b".into(), vec![1, 0])]));
        assert_eq!(inside.inner.words, [""]);
    }

    #[test]
    fn a_text_is_a_list_of_one() {
        let texts = read(r#"{"list": "a b", "words": "c", "map": {"x": ""}}"#);
        assert_eq!((texts.list, texts.inner.words), (vec!["a b".to_owned()], vec!["c".to_owned()]));
        assert_eq!(texts.map["x"], [0; 0]);
    }

    #[test]
    fn numbers_are_moved_into_range() {
        let low = read(r#"{"count": -1, "option": -500, "map": {"x": [-1, 70000, 1.9]}, "float": 3}"#);
        assert_eq!(
            (low.inner.count, low.option, low.map["x"].as_slice(), low.float),
            (0, Some(-128), &[0, 65535, 1][..], 3.0)
        );
        let high = read(r#"{"count": 18446744073709551615, "option": 1e300, "pair": [256, 18446744073709551615]}"#);
        assert_eq!((high.inner.count, high.option, high.pair), (u64::MAX, Some(127), (255, i64::MAX)));
    }

    #[test]
    fn another_shape_is_an_error() {
        let values =
            [r#"{"name": {}}"#, r#"{"list": {}}"#, r#"{"flag": "yes"}"#, r#"{"count": "7"}"#, r#"{"words": 7}"#];
        for json in values.into_iter().chain([r#"{"map": []}"#, r#"{"map": "a"}"#, "[]", "7", "{}}"]) {
            assert!(from_slice::<Outer>(json.as_bytes()).is_err(), "{json}");
        }
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
