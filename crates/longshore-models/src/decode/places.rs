//! The places of values of the standard library's types.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Decode, List, Object, Optional, Place, Plain, Scalar, Through};
use crate::SortedMap;

impl Place<'_> {
    /// What is expected, for people.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Place::Text(_) => "a text",
            Place::Scalar(scalar) => scalar.expected(),
            Place::List(_) => "a list",
            Place::Object(_) => "an object",
            Place::Ignored | Place::Optional(_) | Place::Tree(_) | Place::Through(_) => "something else",
        }
    }

    /// Takes a value without parts, or says what is expected.
    pub(super) fn take(self, value: Plain<'_>) -> Result<(), &'static str> {
        match (self, value) {
            (Place::Text(place), Plain::Text(text)) => *place = text.to_owned(),
            (Place::Scalar(scalar), value) => return if scalar.take(value) { Ok(()) } else { Err(scalar.expected()) },
            (Place::List(list), Plain::Text(text)) => {
                list.begin();
                if !text.is_empty() {
                    list.element().take(value)?;
                }
            }
            (Place::Optional(optional), value) => optional.some().take(value)?,
            (Place::Tree(tree), value) => *tree = value.into(),
            (Place::Through(mut through), value) => {
                through.place().take(value)?;
                through.finish();
            }
            (Place::Ignored, _) => {}
            (place, _) => return Err(place.expected()),
        }
        Ok(())
    }

    /// Takes nothing. What is there by default is that already.
    pub(super) fn null(self) {
        if let Place::Tree(tree) = self {
            *tree = Value::Null;
        }
    }
}

impl From<Plain<'_>> for Value {
    fn from(value: Plain<'_>) -> Self {
        match value {
            Plain::Text(text) => text.into(),
            Plain::Bool(value) => value.into(),
            Plain::Signed(number) => number.into(),
            Plain::Unsigned(number) => number.into(),
            Plain::Float(number) => number.into(),
        }
    }
}

impl Decode for String {
    fn place(&mut self) -> Place<'_> {
        Place::Text(self)
    }
}

/// `serde_json` itself takes an object whose first field is called `$serde_json::private::RawValue` for a value of its own. An
/// engine's object can have that name, since a label can: here it is a name as any other.
impl Decode for Value {
    fn place(&mut self) -> Place<'_> {
        Place::Tree(self)
    }
}

impl Decode for bool {
    fn place(&mut self) -> Place<'_> {
        Place::Scalar(self)
    }
}

impl Scalar for bool {
    fn expected(&self) -> &'static str {
        "a boolean"
    }

    fn take(&mut self, value: Plain<'_>) -> bool {
        let Plain::Bool(value) = value else { return false };
        *self = value;
        true
    }
}

/// Numbers that do not fit become the nearest ones that do.
macro_rules! whole_numbers {
    ($($number:ty)*) => {
        $(
            impl Decode for $number {
                fn place(&mut self) -> Place<'_> {
                    Place::Scalar(self)
                }
            }

            impl Scalar for $number {
                fn expected(&self) -> &'static str {
                    "a number"
                }

                fn take(&mut self, value: Plain<'_>) -> bool {
                    *self = match value {
                        Plain::Signed(number) if number < 0 => Self::try_from(number).unwrap_or(Self::MIN),
                        Plain::Signed(number) => Self::try_from(number).unwrap_or(Self::MAX),
                        Plain::Unsigned(number) => Self::try_from(number).unwrap_or(Self::MAX),
                        Plain::Float(number) => number as Self,
                        Plain::Text(_) | Plain::Bool(_) => return false,
                    };
                    true
                }
            }
        )*
    };
}

whole_numbers! { u8 u16 u32 u64 i64 }

impl Decode for f64 {
    fn place(&mut self) -> Place<'_> {
        Place::Scalar(self)
    }
}

impl Scalar for f64 {
    fn expected(&self) -> &'static str {
        "a number"
    }

    fn take(&mut self, value: Plain<'_>) -> bool {
        *self = match value {
            Plain::Signed(number) => number as f64,
            Plain::Unsigned(number) => number as f64,
            Plain::Float(number) => number,
            Plain::Text(_) | Plain::Bool(_) => return false,
        };
        true
    }
}

impl Decode for Duration {
    fn place(&mut self) -> Place<'_> {
        Place::Scalar(self)
    }
}

/// Whole nanoseconds, as Go has it; negative ones are zero.
impl Scalar for Duration {
    fn expected(&self) -> &'static str {
        "a number of nanoseconds"
    }

    fn take(&mut self, value: Plain<'_>) -> bool {
        let mut nanoseconds = 0_i64;
        let is_number = nanoseconds.take(value);
        *self = Duration::from_nanos(nanoseconds.try_into().unwrap_or_default());
        is_number
    }
}

/// Has a type decoded from a text, by its `From<&str>`.
macro_rules! from_text {
    ($name:ident) => {
        impl $crate::decode::Decode for $name {
            fn place(&mut self) -> $crate::decode::Place<'_> {
                $crate::decode::Place::Scalar(self)
            }
        }

        impl $crate::decode::Scalar for $name {
            fn expected(&self) -> &'static str {
                "a word"
            }

            fn take(&mut self, value: $crate::decode::Plain<'_>) -> bool {
                let $crate::decode::Plain::Text(text) = value else { return false };
                *self = Self::from(text);
                true
            }
        }

        $crate::decode::deserialize!($name);
    };
}

/// Has serde decode a type as the models are.
macro_rules! deserialize {
    ($name:ty) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::decode::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use {deserialize, from_text};

impl<T: Decode + Default> Decode for Option<T> {
    fn place(&mut self) -> Place<'_> {
        Place::Optional(self)
    }
}

impl<T: Decode + Default> Optional for Option<T> {
    fn some(&mut self) -> Place<'_> {
        self.insert(T::default()).place()
    }
}

impl<T: Decode> Decode for Box<T> {
    fn place(&mut self) -> Place<'_> {
        T::place(self)
    }
}

impl<T: Decode + Default> Decode for Vec<T> {
    fn place(&mut self) -> Place<'_> {
        Place::List(self)
    }
}

impl<T: Decode + Default> List for Vec<T> {
    fn begin(&mut self) {
        self.clear();
    }

    fn element(&mut self) -> Place<'_> {
        self.push(T::default());
        self.last_mut().map_or(Place::Ignored, T::place)
    }

    fn take_back(&mut self) {
        self.pop();
    }
}

/// What keys become.
pub(crate) trait Key: Ord {
    /// Understands a text.
    fn of(text: &str) -> Self;
}

impl Key for String {
    fn of(text: &str) -> Self {
        text.to_owned()
    }
}

impl<K: Key, V: Decode + Default> Decode for SortedMap<K, V> {
    fn place(&mut self) -> Place<'_> {
        Place::Object(self)
    }
}

/// Sets are objects with empty objects, as Go has it.
impl<K: Key> Decode for BTreeSet<K> {
    fn place(&mut self) -> Place<'_> {
        Place::Object(self)
    }
}

impl<K: Key> Object for BTreeSet<K> {
    fn begin(&mut self) {
        self.clear();
    }

    fn field(&mut self, key: &str) -> Place<'_> {
        self.insert(K::of(key));
        Place::Ignored
    }
}

impl Decode for Map<String, Value> {
    fn place(&mut self) -> Place<'_> {
        Place::Object(self)
    }
}

impl Object for Map<String, Value> {
    fn begin(&mut self) {
        self.clear();
    }

    fn field(&mut self, key: &str) -> Place<'_> {
        Place::Tree(self.entry(key).or_insert(Value::Null))
    }
}

/// A value of type `W`, of which `value` is made when it is there.
pub(super) struct Converted<'a, W, T> {
    pub(super) wire: W,
    pub(super) value: &'a mut T,
}

impl<W: Decode, T: From<W>> Through for Converted<'_, W, T> {
    fn place(&mut self) -> Place<'_> {
        self.wire.place()
    }

    fn finish(self: Box<Self>) {
        *self.value = T::from(self.wire);
    }
}
