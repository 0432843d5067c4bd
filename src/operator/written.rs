//! The statuses that were written and that the watch does not show yet. Such a status is newer than the
//! watch's copy. It is forgotten as soon as the watch shows a newer version of the resource.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::cache::Key;
use vas_api::v1alpha1::VoiceAssistScalingStatus;

/// A written status and the resourceVersion that it replaced.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) over: String,
    /// `None` while the API server has not answered.
    pub(super) status: Option<VoiceAssistScalingStatus>,
}

/// The last written status of each resource.
#[derive(Debug, Default)]
pub(super) struct WrittenStatuses(Mutex<BTreeMap<Key, Written>>);

impl WrittenStatuses {
    /// Records that a status is about to be written over the version `over`.
    pub(super) fn begin(&self, key: &Key, over: &str) {
        let written = Written {
            over: over.to_owned(),
            status: None,
        };
        self.0.lock().insert(key.clone(), written);
    }

    /// Records the answer to a write: the status, or `None` if the write failed. Nothing is remembered if the
    /// watch showed the new version before the answer came.
    pub(super) fn end(&self, key: &Key, status: Option<VoiceAssistScalingStatus>) {
        let mut all = self.0.lock();
        match (all.get_mut(key), status) {
            (Some(written), Some(status)) => written.status = Some(status),
            (Some(_), None) => {
                all.remove(key);
            }
            (None, _) => {}
        }
    }

    /// The last written status, unless the watch shows a newer version. Call this before reading the watch's
    /// own copy: the watch replaces its copy first, so whoever finds nothing here finds the newer version
    /// there.
    pub(super) fn last(&self, key: &Key) -> Option<Written> {
        self.0.lock().get(key).cloned()
    }

    /// Records the version that the watch shows; `None` if the resource was deleted.
    pub(super) fn seen(&self, key: &Key, resource_version: Option<&str>) {
        let mut all = self.0.lock();
        let is_older = |written: &Written| Some(written.over.as_str()) != resource_version;
        if all.get(key).is_some_and(is_older) {
            all.remove(key);
        }
    }

    /// Records that a list is complete. `version_of` is the version of a resource in the watch's copy now;
    /// `None` if it does not exist. The objects of a list do not count before it is complete, because the
    /// watch's copy is the one from before the list until then.
    pub(super) fn listed(&self, version_of: impl Fn(&Key) -> Option<String>) {
        let mut all = self.0.lock();
        all.retain(|key, written| version_of(key).is_some_and(|version| version == written.over));
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
        let written = WrittenStatuses::default();
        written.begin(&key(), "5");
        written.end(&key(), Some(VoiceAssistScalingStatus::default()));
        written.seen(&key(), Some("5"));
        let last = written.last(&key()).unwrap();
        assert!(last.over == "5" && last.status.is_some());
        written.seen(&key(), Some("6"));
        assert!(written.last(&key()).is_none(), "it takes no memory any more");
    }

    #[test]
    fn a_watch_that_is_quicker_than_the_answer_leaves_nothing_behind() {
        let written = WrittenStatuses::default();
        written.begin(&key(), "5");
        written.seen(&key(), Some("6"));
        written.end(&key(), Some(VoiceAssistScalingStatus::default()));
        assert!(written.last(&key()).is_none());
    }

    #[test]
    fn a_write_that_failed_is_forgotten() {
        let written = WrittenStatuses::default();
        written.begin(&key(), "5");
        written.end(&key(), None);
        assert!(written.last(&key()).is_none());
    }
}
