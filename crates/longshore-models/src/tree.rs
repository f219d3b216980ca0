//! JSON as a tree, whatever its objects call their fields.
//!
//! `serde_json` marks values of its own by a name of a field, `$serde_json::private::RawValue`, and takes an object that begins
//! with it for such a value. An engine's object can have that name, since a label can: as a tree, it would be what the
//! label's text says.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::SortedMap;

/// Parses a text.
pub(crate) fn from_str(json: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(json).map(|Tree(value)| value)
}

/// Fits `#[serde(deserialize_with = …)]` of a field that is a tree.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Tree::deserialize(deserializer).map(|Tree(value)| value)
}

/// Fits `#[serde(deserialize_with = …)]` of a field that is a map of trees.
pub(crate) fn deserialize_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SortedMap<String, Value>, D::Error> {
    let trees = SortedMap::<String, Tree>::deserialize(deserializer)?;
    Ok(trees.into_iter().map(|(key, Tree(value))| (key, value)).collect())
}

struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Tree)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Tree(value))) = fields.next_entry()? {
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContainerInspect, ProgressMessage, Raw, VolumeInspect, lenient};

    #[test]
    fn a_tree_is_as_serde_json_has_it() {
        let json = r#"{"a":[null,true,-1,18446744073709551615,1.5,"\u00e9",[],{}],"a b":{"c":{"d":"e"}},"z":1}"#;
        assert_eq!(from_str(json).unwrap(), serde_json::from_str::<Value>(json).unwrap());
        for json in ["", "[1", "{} {}", "nul", &"[".repeat(200)] {
            assert!(from_str(json).is_err(), "{json}");
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
            let inspect = Raw::<ContainerInspect>::from_slice(inspect.as_bytes()).unwrap();
            assert_eq!(inspect["Config"]["New"], expected);
            assert_eq!(inspect["Id"], "a");
            let message: ProgressMessage = lenient::from_slice(format!(r#"{{"aux":{label}}}"#).as_bytes()).unwrap();
            assert_eq!(message.aux, expected);
            let volume = format!(r#"{{"Status":{{"x":{label}}}}}"#);
            let volume: VolumeInspect = lenient::from_slice(volume.as_bytes()).unwrap();
            assert_eq!(volume.status["x"], expected);
        }
    }
}
