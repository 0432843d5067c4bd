//! What the operator remembers of a resource between reconciles. Losing it costs a little time, nothing else.

use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;

use super::targets::Asked;
use crate::{
    cluster::watch::cache::Key,
    core::reconcile::{child::Child, contest::Contests, outcome::Change, plan::Plan},
};

/// Per resource.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<BTreeMap<Key, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    /// Failures in a row.
    failures: u32,
    /// What was last read of targets that are asked for, by workload.
    asked: BTreeMap<String, Asked>,
    /// The children that were written not long ago.
    contests: Contests,
    /// What was last said about an object that does not parse: its UID and the error.
    malformed: Option<(String, String)>,
}

impl Memory {
    /// Counts a failure and returns how many there are in a row.
    pub(super) fn failed(&self, key: &Key) -> u32 {
        let mut entries = self.0.lock();
        let entry = entries.entry(key.clone()).or_default();
        entry.failures = entry.failures.saturating_add(1);
        entry.failures
    }

    /// Failures in a row so far.
    pub(super) fn failures(&self, key: &Key) -> u32 {
        self.0.lock().get(key).map_or(0, |entry| entry.failures)
    }

    /// Forgets the failures.
    pub(super) fn succeeded(&self, key: &Key) {
        if let Some(entry) = self.0.lock().get_mut(key) {
            entry.failures = 0;
        }
    }

    /// What was last read of the target of a workload by asking for it.
    pub(super) fn asked(&self, key: &Key, workload: &str) -> Option<Asked> {
        self.0.lock().get(key)?.asked.get(workload).cloned()
    }

    /// Remembers what was read of the targets of all workloads that are asked for; others are forgotten.
    pub(super) fn remember_asked(&self, key: &Key, asked: BTreeMap<String, Asked>) {
        let mut entries = self.0.lock();
        match entries.get_mut(key) {
            Some(entry) => entry.asked = asked,
            None if asked.is_empty() => {}
            None => entries.entry(key.clone()).or_default().asked = asked,
        }
    }

    /// Takes those writes out of a plan that wait because somebody undoes them.
    pub(super) fn damp(&self, key: &Key, plan: &mut Plan, now: Duration) {
        if let Some(entry) = self.0.lock().get_mut(key) {
            entry.contests.damp(plan, now);
        }
    }

    /// Takes note of a write of a child, and returns whether an Event is to tell of it.
    pub(super) fn wrote(&self, key: &Key, child: &Child, change: &Change, now: Duration) -> bool {
        let mut entries = self.0.lock();
        entries
            .entry(key.clone())
            .or_default()
            .contests
            .wrote(child, change, now)
    }

    /// How long until a target is to be asked for again, or a child may be written again; `None` where nothing waits.
    pub(super) fn next_look(&self, key: &Key, now: Duration) -> Option<Duration> {
        let entries = self.0.lock();
        let entry = entries.get(key)?;
        let looks = entry.asked.values().filter_map(Asked::look_again);
        let looks = looks.map(|at| at.saturating_sub(now));
        looks.chain(entry.contests.next(now)).min()
    }

    /// The object parses (again).
    pub(super) fn parsed(&self, key: &Key) {
        if let Some(entry) = self.0.lock().get_mut(key) {
            entry.malformed = None;
        }
    }

    /// Whether this was already said about the object with this UID, which does not parse.
    pub(super) fn was_told(&self, key: &Key, uid: &str, error: &str) -> bool {
        let entries = self.0.lock();
        let told = entries.get(key).and_then(|entry| entry.malformed.as_ref());
        told.is_some_and(|(told_uid, told_error)| told_uid == uid && told_error == error)
    }

    /// Remembers that it was.
    pub(super) fn told(&self, key: &Key, uid: &str, error: &str) {
        let mut entries = self.0.lock();
        entries.entry(key.clone()).or_default().malformed = Some((uid.to_owned(), error.to_owned()));
    }

    /// Forgets a resource that is gone.
    pub(super) fn forget(&self, key: &Key) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        ("ns".to_owned(), "a".to_owned())
    }

    #[test]
    fn failures_count_up_until_a_success() {
        let memory = Memory::default();
        assert_eq!((memory.failed(&key()), memory.failed(&key())), (1, 2));
        memory.succeeded(&key());
        assert_eq!(memory.failures(&key()), 0);
    }

    #[test]
    fn an_error_is_told_once_of_each_object() {
        let memory = Memory::default();
        assert!(!memory.was_told(&key(), "1", "x"));
        memory.told(&key(), "1", "x");
        assert!(memory.was_told(&key(), "1", "x"));
        assert!(!memory.was_told(&key(), "1", "y"));
        assert!(!memory.was_told(&key(), "2", "x"), "another object of that name");
        memory.parsed(&key());
        assert!(!memory.was_told(&key(), "1", "x"));
    }
}
