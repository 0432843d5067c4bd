//! A map with names as keys that is built once and then read: the labels of a series, the pods of a
//! namespace.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

/// Values sorted by name, in one piece of memory. An answer has thousands of maps with one to three entries,
/// and a `BTreeMap` allocates room for eleven at once.
#[derive(Clone, Debug, PartialEq)]
pub struct ByName<V>(Box<[(Box<str>, V)]>);

impl<V> ByName<V> {
    /// The value under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&V> {
        let place = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Names and values, in the order of the names.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Names and mutable values, in the order of the names.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = (&str, &mut V)> {
        self.0.iter_mut().map(|(name, value)| (&**name, value))
    }

    /// Number of entries.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Removes the entries that are not to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &V) -> bool) {
        let mut entries = std::mem::take(&mut self.0).into_vec();
        entries.retain(|(name, value)| keep(name, value));
        self.0 = entries.into_boxed_slice();
    }

    /// The values, in the order of the names.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<V> Default for ByName<V> {
    fn default() -> Self {
        Self(Box::default())
    }
}

/// Where several entries have the same name, the last one counts, as in the maps of the standard library.
impl<N: Into<Box<str>>, V> FromIterator<(N, V)> for ByName<V> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let named = entries.into_iter().map(|(name, value)| (name.into(), value));
        let mut entries: Vec<(Box<str>, V)> = named.collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        // `dedup_by` drops the later of two, so the later one takes the place of the earlier first. The sort
        // is stable, so later here means later in the input too.
        entries.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Self(entries.into_boxed_slice())
    }
}

impl<N: Into<Box<str>>, V, const COUNT: usize> From<[(N, V); COUNT]> for ByName<V> {
    fn from(entries: [(N, V); COUNT]) -> Self {
        entries.into_iter().collect()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for ByName<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
    type Value = ByName<V>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut entries: Vec<(Box<str>, V)> = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_would(
            entries in proptest::collection::vec(("[a-c]{0,2}", any::<u8>()), 0..12),
            asked in "[a-c]{0,2}",
        ) {
            let tree: BTreeMap<String, u8> = entries.iter().cloned().collect();
            let map: ByName<u8> = entries.into_iter().collect();
            let known = tree.iter().map(|(name, value)| (name.as_str(), value));
            prop_assert!(map.entries().eq(known));
            prop_assert!(map.values().eq(tree.values()));
            prop_assert_eq!(map.get(&asked), tree.get(&asked));
            let (mut less, mut fewer) = (map, tree);
            less.retain(|name, value| name == asked || *value > 99);
            fewer.retain(|name, value| *name == asked || *value > 99);
            prop_assert!(less.entries().eq(fewer.iter().map(|(name, value)| (name.as_str(), value))));
        }
    }

    #[test]
    fn a_json_object_is_read_and_nothing_else() {
        let labels: ByName<Box<str>> =
            serde_json::from_str(r#"{"pod":"a","namespace":"n","pod":"b"}"#).unwrap();
        assert_eq!(
            labels,
            ByName::from([("namespace", "n".into()), ("pod", "b".into())])
        );
        assert!(serde_json::from_str::<ByName<Box<str>>>("[]").is_err());
        assert!(serde_json::from_str::<ByName<Box<str>>>(r#"{"pod":1}"#).is_err());
    }
}
