//! A limit on what is in flight at once for one key, such as a user or a namespace, so that none of them
//! takes the places of others.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

/// Counts what is in flight, by key. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct InFlight<K> {
    limit: usize,
    counts: Arc<Mutex<BTreeMap<K, usize>>>,
}

/// The permit for one request, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit<K: Ord> {
    key: K,
    counts: Arc<Mutex<BTreeMap<K, usize>>>,
}

impl<K: Ord + Clone> InFlight<K> {
    /// A limit of so many at once for each key.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            counts: Arc::default(),
        }
    }

    /// A permit, or `None` if the key is at the limit.
    pub(crate) fn enter(&self, key: &K) -> Option<Permit<K>> {
        let mut counts = self.counts.lock();
        let count = counts.entry(key.clone()).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Permit {
            key: key.clone(),
            counts: self.counts.clone(),
        })
    }
}

impl<K: Ord> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_places_of_its_own_and_nothing_is_kept_of_who_left() {
        let limit = InFlight::new(2);
        let places = [limit.enter(&"a"), limit.enter(&"a")];
        assert!(places.iter().all(Option::is_some));
        assert!(limit.enter(&"a").is_none());
        let other = limit.enter(&"b");
        assert!(other.is_some());
        drop(places);
        assert!(limit.enter(&"a").is_some());
        drop(other);
        assert!(limit.counts.lock().is_empty());
    }
}
