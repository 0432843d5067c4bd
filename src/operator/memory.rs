//! What the operator remembers of a resource between reconciles.
//!
//! Invariant: nothing here is needed for a right result. After a restart the operator reads some targets
//! again and may repeat an Event.

use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;

use crate::{cache::Key, targets::Asked};
use vas_core::reconcile::{child::Child, contest::Contests, outcome::Change, plan::Plan};

/// The memory of all resources, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<BTreeMap<Key, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    /// Number of failed reconciles in a row.
    failures: u32,
    /// The last answer for each target that is read by GET requests, by workload.
    asked: BTreeMap<String, Asked>,
    /// The children that were written in the last minutes.
    contests: Contests,
    /// UID and error of the object that was last reported as one that does not parse.
    malformed: Option<(String, String)>,
}

impl Memory {
    /// Counts a failed reconcile and returns the number of failures in a row.
    pub(super) fn failed(&self, key: &Key) -> u32 {
        let mut entries = self.0.lock();
        let entry = entries.entry(key.clone()).or_default();
        entry.failures = entry.failures.saturating_add(1);
        entry.failures
    }

    /// Number of failed reconciles in a row.
    pub(super) fn failures(&self, key: &Key) -> u32 {
        self.0.lock().get(key).map_or(0, |entry| entry.failures)
    }

    /// Resets the failures to zero.
    pub(super) fn succeeded(&self, key: &Key) {
        if let Some(entry) = self.0.lock().get_mut(key) {
            entry.failures = 0;
        }
    }

    /// The last answer for the target of a workload that is read by GET requests.
    pub(super) fn asked(&self, key: &Key, workload: &str) -> Option<Asked> {
        self.0.lock().get(key)?.asked.get(workload).cloned()
    }

    /// Replaces the answers of all workloads whose targets are read by GET requests. A workload without one
    /// in `asked` is forgotten.
    pub(super) fn remember_asked(&self, key: &Key, asked: BTreeMap<String, Asked>) {
        let mut entries = self.0.lock();
        match entries.get_mut(key) {
            Some(entry) => entry.asked = asked,
            None if asked.is_empty() => {}
            None => entries.entry(key.clone()).or_default().asked = asked,
        }
    }

    /// Removes from a plan the writes that must wait because somebody undoes them again and again.
    pub(super) fn damp(&self, key: &Key, plan: &mut Plan, now: Duration) {
        if let Some(entry) = self.0.lock().get_mut(key) {
            entry.contests.damp(plan, now);
        }
    }

    /// Records a write of a child, and returns whether an Event is to be published for it.
    pub(super) fn wrote(&self, key: &Key, child: &Child, change: &Change, now: Duration) -> bool {
        let mut entries = self.0.lock();
        entries
            .entry(key.clone())
            .or_default()
            .contests
            .wrote(child, change, now)
    }

    /// Time until a target is read again or a delayed write of a child is due; `None` if nothing waits.
    pub(super) fn next_due(&self, key: &Key, now: Duration) -> Option<Duration> {
        let entries = self.0.lock();
        let entry = entries.get(key)?;
        let reads = entry.asked.values().filter_map(Asked::retry_at);
        let reads = reads.map(|at| at.saturating_sub(now));
        reads.chain(entry.contests.next(now)).min()
    }

    /// The object parses: an error that comes back is reported again.
    pub(super) fn parsed(&self, key: &Key) {
        if let Some(entry) = self.0.lock().get_mut(key) {
            entry.malformed = None;
        }
    }

    /// Whether this error was already reported for the object with this UID.
    pub(super) fn was_reported(&self, key: &Key, uid: &str, error: &str) -> bool {
        let entries = self.0.lock();
        let reported = entries.get(key).and_then(|entry| entry.malformed.as_ref());
        reported.is_some_and(|(of, what)| of == uid && what == error)
    }

    /// Remembers that this error was reported for the object with this UID.
    pub(super) fn reported(&self, key: &Key, uid: &str, error: &str) {
        let mut entries = self.0.lock();
        entries.entry(key.clone()).or_default().malformed = Some((uid.to_owned(), error.to_owned()));
    }

    /// Drops everything about a deleted resource.
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
        assert!(!memory.was_reported(&key(), "1", "x"));
        memory.reported(&key(), "1", "x");
        assert!(memory.was_reported(&key(), "1", "x"));
        assert!(!memory.was_reported(&key(), "1", "y"));
        assert!(
            !memory.was_reported(&key(), "2", "x"),
            "another object of that name"
        );
        memory.parsed(&key());
        assert!(!memory.was_reported(&key(), "1", "x"));
    }
}
