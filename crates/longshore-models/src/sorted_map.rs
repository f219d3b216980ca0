//! Maps that are small in memory.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::decode::{Decode, Key, Object, Place};

/// A map in the order of its keys, such as labels: a sorted list of entries.
///
/// Engines send many maps of few entries. Here each costs its entries and no more, where a node of a [`BTreeMap`] has room
/// for eleven. Looking up takes `O(log n)`, as there; [`insert`](Self::insert) and [`remove`](Self::remove) move what
/// follows, so that large maps are made best by [`collect`](Iterator::collect) or [`extend`](Extend::extend), which sort
/// once. Of entries with the same key, the last one stays.
///
/// ```
/// use longshore_models::SortedMap;
///
/// let mut labels = SortedMap::from([("tier", "front"), ("app", "shop")]);
/// labels.insert("tier", "back");
/// assert_eq!(labels["tier"], "back");
/// assert_eq!(labels.get("owner"), None);
/// assert_eq!(labels.keys().copied().collect::<Vec<_>>(), ["app", "tier"]);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortedMap<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> SortedMap<K, V> {
    /// Makes an empty map.
    pub const fn new() -> Self {
        SortedMap { entries: Vec::new() }
    }

    /// Tells how many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells if there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Goes through the entries in the order of their keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.into_iter()
    }

    /// Goes through the entries in the order of their keys, with values that can be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> + ExactSizeIterator {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Goes through the keys in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Goes through the values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.entries.iter().map(|(_, value)| value)
    }

    /// Goes through the values in the order of their keys, to change them.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> + ExactSizeIterator {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// Gives the keys in their order.
    pub fn into_keys(self) -> impl DoubleEndedIterator<Item = K> + ExactSizeIterator {
        self.entries.into_iter().map(|(key, _)| key)
    }

    /// Gives the values in the order of their keys.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> + ExactSizeIterator {
        self.entries.into_iter().map(|(_, value)| value)
    }

    /// Removes the entries for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Returns the value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| &self.entries[place].1)
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| &mut self.entries[place].1)
    }

    /// Returns the value of a key, to change it; makes one if there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = self.find(&key).unwrap_or_else(|place| {
            self.entries.insert(place, (key, make()));
            place
        });
        &mut self.entries[place].1
    }

    /// Tells if there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Sets the value of a key, and gives the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(place) => Some(std::mem::replace(&mut self.entries[place].1, value)),
            Err(place) => {
                self.entries.insert(place, (key, value));
                None
            }
        }
    }

    /// Removes a key, and gives the value it had.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| self.entries.remove(place).1)
    }

    /// The place of a key, or else where it would be.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.entries.binary_search_by(|(other, _)| other.borrow().cmp(key))
    }

    /// Brings entries into order, of which the later ones of a key hold.
    fn from_entries(entries: Vec<(K, V)>) -> Self {
        if entries.is_sorted_by(|(before, _), (after, _)| before < after) {
            return SortedMap { entries };
        }
        let places = sorted_places(entries.len(), &|one, other| entries[one].0.cmp(&entries[other].0));
        let mut unsorted: Vec<Option<(K, V)>> = entries.into_iter().map(Some).collect();
        let mut entries: Vec<(K, V)> = Vec::with_capacity(unsorted.len());
        for entry in places.into_iter().filter_map(|place| unsorted[place].take()) {
            match entries.last_mut() {
                Some(last) if last.0 == entry.0 => *last = entry,
                _ => entries.push(entry),
            }
        }
        SortedMap { entries }
    }
}

/// The places from 0 on in the order that `compare` gives them; equal ones stay as they are. This is compiled once for the
/// maps of all types.
fn sorted_places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|one, other| compare(*one, *other));
    places
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        SortedMap::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self).finish()
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    /// # Panics
    /// If there is no such key; [`get`](SortedMap::get) says so instead.
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no such key in the map")
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        SortedMap::from_entries(entries.into_iter().collect())
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let mut all = std::mem::take(&mut self.entries);
        all.extend(entries);
        *self = SortedMap::from_entries(all);
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for SortedMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Ord, V> From<BTreeMap<K, V>> for SortedMap<K, V> {
    fn from(map: BTreeMap<K, V>) -> Self {
        map.into_iter().collect()
    }
}

impl<K: Ord, V> From<SortedMap<K, V>> for BTreeMap<K, V> {
    fn from(map: SortedMap<K, V>) -> Self {
        map.into_iter().collect()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

type Iter<'a, K, V> = std::iter::Map<std::slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter().map(|(key, value)| (key, value))
    }
}

impl<K: Serialize, V: Serialize> Serialize for SortedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for SortedMap<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

struct MapVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for MapVisitor<K, V> {
    type Value = SortedMap<K, V>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = fields.next_entry()? {
            if entries.is_empty() {
                // Most maps have one entry, and a list would begin with room for four.
                entries.reserve_exact(1);
            }
            entries.push(entry);
        }
        Ok(SortedMap::from_entries(entries))
    }
}

impl<K: Key, V: Decode + Default> Object for SortedMap<K, V> {
    fn begin(&mut self) {
        self.clear();
    }

    fn field(&mut self, key: &str) -> Place<'_> {
        if self.entries.is_empty() {
            // Most maps have one entry, and a list would begin with room for four.
            self.entries.reserve_exact(1);
        }
        self.entries.push((K::of(key), V::default()));
        self.entries.last_mut().map_or(Place::Ignored, |(_, value)| value.place())
    }

    fn end(&mut self) {
        if !self.entries.is_sorted_by(|(before, _), (after, _)| before < after) {
            *self = SortedMap::from_entries(std::mem::take(&mut self.entries));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Both = (SortedMap<u8, usize>, BTreeMap<u8, usize>);

    /// All lists of up to five of three keys; the values are the places in the list.
    fn lists() -> Vec<Vec<(u8, usize)>> {
        let mut lists = vec![vec![]];
        let mut last = lists.clone();
        for place in 0..5 {
            let longer = |list: &Vec<_>| [1, 3, 5].map(|key| [list.as_slice(), &[(key, place)]].concat());
            last = last.iter().flat_map(longer).collect();
            lists.extend(last.clone());
        }
        lists
    }

    fn both(entries: &[(u8, usize)]) -> Both {
        (entries.iter().copied().collect(), entries.iter().copied().collect())
    }

    #[track_caller]
    fn same((map, tree): &Both) {
        assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
        assert!(map.iter().eq(tree) && map.keys().eq(tree.keys()) && map.values().eq(tree.values()));
        assert!(map.clone().into_keys().eq(tree.clone().into_keys()));
        assert!(map.clone().into_values().eq(tree.clone().into_values()));
        assert_eq!(BTreeMap::from(map.clone()), *tree);
        assert_eq!(SortedMap::from(tree.clone()), *map);
        assert_eq!(format!("{map:?}"), format!("{tree:?}"));
        let json = serde_json::to_string(tree).unwrap();
        assert_eq!(serde_json::to_string(map).unwrap(), json);
        assert_eq!(serde_json::from_str::<SortedMap<u8, usize>>(&json).unwrap(), *map);
    }

    #[test]
    fn it_is_as_a_tree() {
        for list in lists() {
            let (map, tree) = both(&list);
            same(&(map.clone(), tree.clone()));
            for key in 0..7 {
                assert_eq!((map.get(&key), map.contains_key(&key)), (tree.get(&key), tree.contains_key(&key)));
                let (mut map, mut tree) = (map.clone(), tree.clone());
                assert_eq!(map.get_mut(&key), tree.get_mut(&key));
                assert_eq!(map.get_or_insert_with(key, || 7), tree.entry(key).or_insert(7));
                same(&(map.clone(), tree.clone()));
                assert_eq!(map.remove(&key), tree.remove(&key));
                same(&(map.clone(), tree.clone()));
                assert_eq!(map.remove(&key), None);
                assert_eq!(map.insert(key, 8), None);
                assert_eq!(map.insert(key, 9), Some(8));
                tree.insert(key, 9);
                same(&(map.clone(), tree.clone()));
                map.extend(list.iter().rev().copied());
                tree.extend(list.iter().rev().copied());
                same(&(map, tree));
            }
        }
    }

    #[test]
    fn values_can_be_changed() {
        for list in lists() {
            let (mut map, mut tree) = both(&list);
            map.iter_mut().for_each(|(key, value)| *value += usize::from(*key));
            map.values_mut().for_each(|value| *value *= 2);
            tree.iter_mut().for_each(|(key, value)| *value = (*value + usize::from(*key)) * 2);
            map.retain(|key, value| *key > 1 && *value < 14);
            tree.retain(|key, value| *key > 1 && *value < 14);
            same(&(map.clone(), tree));
            map.clear();
            assert!(map.is_empty());
        }
    }

    #[test]
    fn the_last_of_several_holds() {
        let json = r#"{"b":1,"a":2,"b":3,"a":4,"c":5,"a":6}"#;
        let map: SortedMap<String, u8> = serde_json::from_str(json).unwrap();
        assert_eq!(map, SortedMap::from([("a", 6), ("b", 3), ("c", 5)].map(|(key, value)| (key.to_owned(), value))));
        assert_eq!(map["b"], 3);
    }

    #[test]
    fn one_entry_takes_no_more_room_than_it_needs() {
        let map: SortedMap<String, u8> = serde_json::from_str(r#"{"a":1}"#).unwrap();
        assert_eq!(map.entries.capacity(), 1);
    }

    #[test]
    #[should_panic(expected = "no such key")]
    fn a_key_that_is_not_there_has_no_value() {
        let _ = SortedMap::from([("a", 1)])["b"];
    }
}
