//! When each resource was last reconciled, for the age of the oldest reconcile.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;

use crate::cache::Key;

/// The monotonic times at which reconciles ended, by resource.
#[derive(Debug, Default)]
pub(super) struct LastReconciles(Mutex<HashMap<Key, Duration>>);

impl LastReconciles {
    /// Records that a reconcile of a resource ended, with or without success.
    pub(super) fn ended(&self, key: &Key, now: Duration) {
        self.0.lock().insert(key.clone(), now);
    }

    /// Drops the time of a deleted resource.
    pub(super) fn forget(&self, key: &Key) {
        self.0.lock().remove(key);
    }

    /// Longest time for which one of these resources, which are all that are resynced, was not reconciled. The time of one that
    /// was never reconciled counts from the first look at it. `None` without resources.
    pub(super) fn oldest(&self, resynced: impl Iterator<Item = Key>, now: Duration) -> Option<Duration> {
        let mut ended = self.0.lock();
        let known: HashMap<Key, Duration> = resynced
            .map(|key| {
                let at = ended.get(&key).copied().unwrap_or(now);
                (key, at)
            })
            .collect();
        *ended = known;
        let oldest = ended.values().min().copied();
        oldest.map(|at| now.saturating_sub(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        ("ns".to_owned(), name.to_owned())
    }

    #[test]
    fn the_oldest_is_that_of_a_resource_that_exists() {
        let seconds = Duration::from_secs;
        let last = LastReconciles::default();
        assert_eq!(last.oldest(std::iter::empty(), seconds(1)), None);
        last.ended(&key("gone"), seconds(1));
        last.ended(&key("a"), seconds(5));
        last.ended(&key("b"), seconds(8));
        let existing = || [key("a"), key("b"), key("never")].into_iter();
        assert_eq!(last.oldest(existing(), seconds(10)), Some(seconds(5)));
        last.ended(&key("a"), seconds(11));
        assert_eq!(last.oldest(existing(), seconds(12)), Some(seconds(4)));
        last.ended(&key("b"), seconds(12));
        assert_eq!(
            last.oldest(existing(), seconds(14)),
            Some(seconds(4)),
            "never reconciled, seen first at 10"
        );
    }
}
