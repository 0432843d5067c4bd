//! What the operator remembers of a resource between reconciles. Losing it costs a little time, nothing else.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::cache::Key;
use crate::api::v1alpha1::VoiceAssistScalingStatus;

/// Per resource.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<BTreeMap<Key, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    /// Failures in a row.
    failures: u32,
    /// The status last written, and the resourceVersion it was written over: until the watch shows a newer
    /// one, this is the truth.
    written: Option<(String, VoiceAssistScalingStatus)>,
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

    /// Remembers a status written over `resource_version`.
    pub(super) fn wrote(&self, key: &Key, resource_version: &str, status: VoiceAssistScalingStatus) {
        let mut entries = self.0.lock();
        entries.entry(key.clone()).or_default().written = Some((resource_version.to_owned(), status));
    }

    /// The status written over exactly this version, which the watch has not shown yet.
    pub(super) fn written_over(&self, key: &Key, resource_version: &str) -> Option<VoiceAssistScalingStatus> {
        let entries = self.0.lock();
        let (version, status) = entries.get(key)?.written.as_ref()?;
        (version == resource_version).then(|| status.clone())
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
    fn a_written_status_counts_until_the_watch_moves_on() {
        let memory = Memory::default();
        memory.wrote(&key(), "5", VoiceAssistScalingStatus::default());
        assert!(memory.written_over(&key(), "5").is_some());
        assert!(memory.written_over(&key(), "6").is_none());
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
