//! Records that users created. Only the latest are kept, so that a long run does not fill the memory.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Most records that are kept. The oldest are removed first.
const KEPT: usize = 10_000;

/// Records of one kind, each with the number of parts added to it.
#[derive(Debug, Default)]
pub(super) struct Records(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    created: u64,
    parts: BTreeMap<u64, u64>,
}

impl Records {
    /// Creates a record and returns its number.
    pub(super) fn create(&self) -> u64 {
        let mut kept = self.0.lock();
        kept.created += 1;
        let number = kept.created;
        kept.parts.insert(number, 0);
        if kept.parts.len() > KEPT {
            kept.parts.pop_first();
        }
        number
    }

    /// Number of parts of a record; `None` if the record does not exist.
    pub(super) fn parts(&self, number: u64) -> Option<u64> {
        self.0.lock().parts.get(&number).copied()
    }

    /// Adds a part to a record and returns the number of its parts; `None` if the record does not exist.
    pub(super) fn add_part(&self, number: u64) -> Option<u64> {
        let mut kept = self.0.lock();
        let parts = kept.parts.get_mut(&number)?;
        *parts += 1;
        Some(*parts)
    }

    /// Removes a record. Returns whether it existed.
    pub(super) fn remove(&self, number: u64) -> bool {
        self.0.lock().parts.remove(&number).is_some()
    }

    /// Numbers of the latest records, the last one first.
    pub(super) fn latest(&self, count: usize) -> Vec<u64> {
        self.0.lock().parts.keys().rev().take(count).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_gone_and_numbers_are_not_used_again() {
        let records = Records::default();
        assert_eq!((records.create(), records.create()), (1, 2));
        assert!(records.remove(2));
        assert!(!records.remove(2));
        assert_eq!(records.add_part(2), None);
        assert_eq!(records.create(), 3);
        assert_eq!(records.latest(20), [3, 1]);
    }

    #[test]
    fn only_the_latest_are_kept() {
        let records = Records::default();
        for _ in 0..=KEPT {
            records.create();
        }
        assert_eq!(records.parts(1), None);
        assert_eq!(records.parts(2), Some(0));
    }
}
