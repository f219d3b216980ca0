//! Filter sets of list, prune and event requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Collects filters: for each key a set of values.
///
/// What several values of one key mean depends on the key: the engine wants one of them for most keys, all of them
/// for `label`. Different keys must all match.
///
/// ```
/// use longshore_wire::filters::Filters;
///
/// let filters = Filters::new().with("status", "running").with("label", "tier=front");
/// assert_eq!(filters.to_json(), r#"{"label":["tier=front"],"status":["running"]}"#);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

impl Filters {
    /// Starts without filters, which matches everything.
    pub fn new() -> Filters {
        Filters::default()
    }

    /// Adds a value to the set of a key, and returns the filters.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Display) -> Filters {
        self.add(key, value);
        self
    }

    /// Adds a value to the set of a key.
    pub fn add(&mut self, key: impl Into<String>, value: impl Display) {
        self.0.entry(key.into()).or_default().insert(value.to_string());
    }

    /// Tells whether there are no filters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the filters as a JSON object of arrays, keys and values in alphabetical order.
    ///
    /// Every engine reads this form; the object of objects that some clients send means the same.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("invariant: a map of strings to sets of strings is always valid JSON")
    }
}

impl<K: Into<String>, V: Display> FromIterator<(K, V)> for Filters {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(filters: I) -> Filters {
        filters.into_iter().fold(Filters::new(), |all, (key, value)| all.with(key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::random::Random;
    use serde_json::Value;

    #[test]
    fn keys_hold_sets_in_stable_order() {
        let mut filters = Filters::new();
        assert!(filters.is_empty());
        assert_eq!(filters.to_json(), "{}");
        filters.add("status", "running");
        filters.add("label", "b");
        filters.add("label", "a=\"x\"");
        filters.add("label", "b");
        assert!(!filters.is_empty());
        assert_eq!(filters.to_json(), r#"{"label":["a=\"x\"","b"],"status":["running"]}"#);
    }

    #[test]
    fn values_may_be_anything_that_prints() {
        let filters = Filters::new().with("dangling", true).with(String::from("exited"), 0);
        assert_eq!(filters.to_json(), r#"{"dangling":["true"],"exited":["0"]}"#);
        assert_eq!(filters, Filters::from_iter([("exited", "0"), ("dangling", "true")]));
    }

    #[test]
    fn any_filters_read_back() {
        let mut random = Random::new(3);
        for _ in 0..2_000 {
            let pairs: Vec<(String, String)> =
                (0..random.below(8)).map(|_| (random.text("ab\"", 2), random.text("ab=\"\\\n\0é🐳", 5))).collect();
            let json = Filters::from_iter(pairs.clone()).to_json();
            let value: Value = serde_json::from_str(&json).unwrap();
            let mut read: Vec<(String, String)> = Vec::new();
            for (key, values) in value.as_object().unwrap() {
                for value in values.as_array().unwrap() {
                    read.push((key.clone(), value.as_str().unwrap().to_owned()));
                }
            }
            let expected: BTreeSet<(String, String)> = pairs.into_iter().collect();
            assert_eq!(read.len(), expected.len());
            assert_eq!(BTreeSet::from_iter(read), expected);
        }
    }
}
