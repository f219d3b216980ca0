//! Fills places with what a deserializer reads.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::{Map, Value};

use super::{List, Object, Place, Plain};

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Place::Ignored => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            place => deserializer.deserialize_any(place),
        }
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.expected())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.null();
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.null();
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.plain(Plain::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.plain(Plain::Signed(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.plain(Plain::Unsigned(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.plain(Plain::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.plain(Plain::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        match self {
            Place::List(list) => {
                list.begin();
                while items.next_element_seed(Element(list))?.is_some() {}
                Ok(())
            }
            Place::Tree(tree) => {
                let mut list = Vec::new();
                while items.next_element_seed(Element(&mut list))?.is_some() {}
                *tree = Value::Array(list);
                Ok(())
            }
            Place::Optional(optional) => optional.some().visit_seq(items),
            Place::Through(mut through) => {
                through.place().visit_seq(items)?;
                through.finish();
                Ok(())
            }
            Place::Ignored => IgnoredAny.visit_seq(items).map(drop),
            place => Err(A::Error::invalid_type(Unexpected::Seq, &place.expected())),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        match self {
            Place::Object(object) => fill_object(object, fields),
            Place::Tree(tree) => {
                let mut map = Map::new();
                fill_object(&mut map, fields)?;
                *tree = Value::Object(map);
                Ok(())
            }
            Place::Optional(optional) => optional.some().visit_map(fields),
            Place::Through(mut through) => {
                through.place().visit_map(fields)?;
                through.finish();
                Ok(())
            }
            Place::Ignored => {
                while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(())
            }
            place => Err(A::Error::invalid_type(Unexpected::Map, &place.expected())),
        }
    }
}

impl Place<'_> {
    fn plain<E: Error>(self, value: Plain<'_>) -> Result<(), E> {
        self.take(value).map_err(|expected| E::invalid_type(value.into(), &expected))
    }
}

fn fill_object<'de, A: MapAccess<'de>>(object: &mut dyn Object, mut fields: A) -> Result<(), A::Error> {
    object.begin();
    while let Some(place) = fields.next_key_seed(Key(object))? {
        fields.next_value_seed(place)?;
    }
    object.end();
    Ok(())
}

/// Reads a key, and gives the place of its value.
struct Key<'a>(&'a mut dyn Object);

impl<'de, 'a> DeserializeSeed<'de> for Key<'a> {
    type Value = Place<'a>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Place<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Key<'a> {
    type Value = Place<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Place<'a>, E> {
        Ok(self.0.field(key))
    }
}

/// Reads another element. It is only made when there is one.
struct Element<'a>(&'a mut dyn List);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.element().deserialize(deserializer)
    }
}

impl<'a> From<Plain<'a>> for Unexpected<'a> {
    fn from(value: Plain<'a>) -> Self {
        match value {
            Plain::Text(text) => Unexpected::Str(text),
            Plain::Bool(value) => Unexpected::Bool(value),
            Plain::Signed(number) => Unexpected::Signed(number),
            Plain::Unsigned(number) => Unexpected::Unsigned(number),
            Plain::Float(number) => Unexpected::Float(number),
        }
    }
}
