//! A typed value beside the JSON it came from.

use std::fmt;
use std::ops::{Deref, Index};
use std::sync::OnceLock;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::decode::{self, Decode};

/// A response: its typed value by `Deref`, and on demand the JSON as the engine sent it.
///
/// Indexing reaches what the type does not model; a missing key answers `null`, as `serde_json` does.
///
/// ```
/// use longshore_models::{ContainerInspect, Raw};
///
/// let inspect = Raw::<ContainerInspect>::decode(br#"{"Id": "0a1b", "HostConfig": {"NewField": 7}}"#)?;
/// assert_eq!(inspect.id, "0a1b");
/// assert_eq!(inspect["HostConfig"]["NewField"], 7);
/// assert!(inspect["Nothing"].is_null());
/// assert!(!inspect.contains_key("Nothing"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Raw<T> {
    typed: T,
    json: Box<str>,
    value: OnceLock<Value>,
}

impl<T: DeserializeOwned> Raw<T> {
    /// Decodes a type of your own, leniently as [`from_slice`](crate::lenient::from_slice) does, and keeps the text.
    ///
    /// # Errors
    /// Says what is wrong with the JSON, or where it does not fit the type.
    pub fn from_slice(json: &[u8]) -> Result<Self, serde_json::Error> {
        let typed = crate::lenient::from_slice(json)?;
        let json = str::from_utf8(json).map_err(serde_json::Error::custom)?;
        Ok(Self::new(typed, json.into()))
    }
}

impl<T: Decode + Default> Raw<T> {
    /// Decodes one of the Engine API's types, and keeps the text.
    ///
    /// # Errors
    /// As [`from_slice`](Self::from_slice).
    pub fn decode(json: &[u8]) -> Result<Self, serde_json::Error> {
        let json = str::from_utf8(json).map_err(serde_json::Error::custom)?;
        Ok(Self::new(decode::from_str(json)?, json.into()))
    }
}

impl<T> Raw<T> {
    fn new(typed: T, json: Box<str>) -> Self {
        Self { typed, json, value: OnceLock::new() }
    }

    /// Returns the JSON, byte for byte as it was sent.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the JSON as a tree. It is parsed at the first call and kept.
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| decode::from_str(&self.json).unwrap_or_default())
    }

    /// Tells whether the JSON is an object with that key, be its value `null`.
    pub fn contains_key(&self, key: &str) -> bool {
        self.value().get(key).is_some()
    }

    /// Returns the typed value and lets go of the JSON.
    pub fn into_inner(self) -> T {
        self.typed
    }
}

impl<T> Deref for Raw<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.typed
    }
}

impl<T> Index<&str> for Raw<T> {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.value().get(key).unwrap_or(&NULL)
    }
}

impl<T: fmt::Debug> fmt::Debug for Raw<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        self.typed.fmt(formatter)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Raw<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json: Box<str> = Box::<RawValue>::deserialize(deserializer)?.into();
        let typed = crate::lenient::from_slice(json.as_bytes()).map_err(D::Error::custom)?;
        Ok(Self::new(typed, json))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::{ContainerInspect, ContainerSummary, ProgressMessage, VolumeInspect};

    #[test]
    fn keeps_the_text_of_each_item_of_a_list() {
        let list = br#"[{"Id": "a",  "New": [1]}, {"Id": null}, null]"#;
        let list: Vec<Raw<ContainerSummary>> = crate::lenient::from_slice(list).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list[0].json(), r#"{"Id": "a",  "New": [1]}"#);
        assert_eq!(list[0]["New"][0], 1);
        assert!(list[1].contains_key("Id"));
        assert_eq!(list[2].id, "");
        assert!(!list[2].contains_key("Id"));
        assert_eq!(list[0].clone().into_inner().id, "a");
    }

    #[test]
    fn refuses_what_is_no_json() {
        for json in [b"".as_slice(), b"{", b"{} {}", b"{\"Id\": \"\xff\"}", b"[]x", b"<html>"] {
            assert!(Raw::<ContainerSummary>::from_slice(json).is_err());
        }
    }

    #[test]
    fn a_label_can_not_pose_as_something_else() {
        for value in [r#""{\"Privileged\":true}""#, r#""no JSON""#, "[1]"] {
            let label = format!(r#"{{"$serde_json::private::RawValue":{value},"b":"c"}}"#);
            let map: Map<String, Value> = [
                ("$serde_json::private::RawValue".to_owned(), serde_json::from_str(value).unwrap()),
                ("b".to_owned(), "c".into()),
            ]
            .into_iter()
            .collect();
            let expected = Value::Object(map);
            let inspect = format!(r#"{{"Id":"a","Config":{{"New":{label}}}}}"#);
            let inspect = Raw::<ContainerInspect>::decode(inspect.as_bytes()).unwrap();
            assert_eq!(inspect["Config"]["New"], expected);
            assert_eq!(inspect["Id"], "a");
            let message: ProgressMessage = decode::from_str(&format!(r#"{{"aux":{label}}}"#)).unwrap();
            assert_eq!(message.aux, expected);
            let volume = format!(r#"{{"Status":{{"x":{label}}}}}"#);
            let volume: VolumeInspect = decode::from_str(&volume).unwrap();
            assert_eq!(volume.status["x"], expected);
        }
    }
}
