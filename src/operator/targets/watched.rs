//! The Deployments, or the StatefulSets, that are the target of some resource, kept up to date by a watch.
//!
//! The watch brings every object of the kind, but only those that a resource lays claim to are kept. So
//! memory grows with the resources and not with the cluster.
//!
//! A resource may lay claim to an object that the watch brought, and dropped, earlier. Then one GET reads the
//! object. If the watch brings the object while that GET is in flight, the watch's version is kept: it is as
//! new as the answer or newer, or the newer version is the watch's next event.
//!
//! An answer to a GET during a list is used once and not kept. Nobody can tell which of the two is newer, and
//! no event would follow for what happened before the list's first page.
//!
//! ```text
//! begin({a, b})   a list begins; resources lay claim to a and b
//! list(a)         the list holds a
//! answered(c)     a new resource lays claim to c, which a GET reads
//! end()           a: found, b: absent (it was not in the list), c: unknown, to be read again
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::object::Known;
use crate::cache::Key;

/// A kind of `apps/v1` that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WatchedKind {
    Deployment,
    StatefulSet,
}

impl WatchedKind {
    pub(crate) const ALL: [Self; 2] = [Self::Deployment, Self::StatefulSet];
    pub(crate) const GROUP: &'static str = "apps";
    pub(crate) const API_VERSION: &'static str = "apps/v1";

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
        }
    }
}

/// Whether a watch can be used to look up targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// The first list of the watch is not complete.
    Listing,
    /// The watch runs: what it shows, and what it does not show, is true.
    Watched,
    /// The API server forbids the watch: each target is read by a GET request.
    Refused,
}

/// What the watch knows of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lookup {
    Found(Known),
    /// The object does not exist.
    Absent,
    /// The watch dropped the object before a resource laid claim to it: a GET must read the object.
    Unknown(Asking),
}

/// The moment before a GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asking(u64);

/// The targets of one watched kind.
#[derive(Debug)]
pub(crate) struct WatchedTargets {
    entries: Mutex<Entries>,
    coverage: watch::Sender<Coverage>,
}

#[derive(Debug, Default)]
struct Entries {
    /// The claimed objects; `None` is an object that does not exist.
    known: BTreeMap<Key, Option<Known>>,
    listing: Option<Listing>,
    /// The number of times that a list began or ended, or a claim was given up. An answer to a GET is kept
    /// only if this number is the one from before the GET.
    turns: u64,
}

/// A list in progress. Invariant: lookups do not see its objects before it is complete.
#[derive(Debug)]
struct Listing {
    /// The claimed objects that the list has not held so far. At the end of the list they are absent.
    missing: BTreeSet<Key>,
    /// The claimed objects that the list has held so far.
    seen: BTreeMap<Key, Known>,
    /// The objects that a GET answered meanwhile. Whoever used such an answer looks again at the list's end.
    answered: BTreeSet<Key>,
}

impl WatchedTargets {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            entries: Mutex::default(),
            coverage: watch::Sender::new(Coverage::Listing),
        })
    }

    /// The coverage of the watch now, and its later changes.
    pub(crate) fn coverage(&self) -> watch::Receiver<Coverage> {
        self.coverage.subscribe()
    }

    /// Records that the API server forbids the watch. Returns whether it was not forbidden before.
    pub(crate) fn refuse(&self) -> bool {
        self.coverage.send_replace(Coverage::Refused) != Coverage::Refused
    }

    /// Looks up an object.
    pub(super) fn get(&self, namespace: &str, name: &str) -> Lookup {
        let key = (namespace.to_owned(), name.to_owned());
        let entries = self.entries.lock();
        match entries.known.get(&key) {
            Some(Some(known)) => Lookup::Found(known.clone()),
            Some(None) => Lookup::Absent,
            None => Lookup::Unknown(Asking(entries.turns)),
        }
    }

    /// Takes in the answer of a GET that was sent after the moment `asking`, and returns the object as it is
    /// known now: the watch's version if the watch brought one while the GET was in flight.
    pub(super) fn answered(
        &self,
        namespace: &str,
        name: &str,
        asking: Asking,
        answer: Option<Known>,
    ) -> Option<Known> {
        let key = (namespace.to_owned(), name.to_owned());
        let mut entries = self.entries.lock();
        if let Some(known) = entries.known.get(&key) {
            return known.clone();
        }
        if let Some(listing) = &mut entries.listing {
            listing.answered.insert(key);
        } else if asking == Asking(entries.turns) {
            entries.known.insert(key, answer.clone());
        }
        answer
    }

    /// Forgets an object that no resource lays claim to any more, also in the list in progress. Events of an
    /// unclaimed object are ignored from now on, so anything that stayed would be out of date when the object
    /// is claimed again.
    pub(crate) fn release(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        let mut entries = self.entries.lock();
        entries.turns = entries.turns.wrapping_add(1);
        entries.known.remove(&key);
        if let Some(listing) = &mut entries.listing {
            listing.seen.remove(&key);
            listing.missing.remove(&key);
            listing.answered.remove(&key);
        }
    }

    /// A list begins; `claimed` are all objects that resources lay claim to.
    pub(crate) fn begin(&self, claimed: BTreeSet<Key>) {
        let mut entries = self.entries.lock();
        entries.turns = entries.turns.wrapping_add(1);
        entries.listing = Some(Listing {
            missing: claimed,
            seen: BTreeMap::new(),
            answered: BTreeSet::new(),
        });
    }

    /// Takes in a claimed object of the list.
    pub(crate) fn list(&self, key: Key, known: Known) {
        if let Some(listing) = &mut self.entries.lock().listing {
            listing.missing.remove(&key);
            listing.seen.insert(key, known);
        }
    }

    /// The list is complete. Returns the objects that changed, or that somebody read by a GET meanwhile.
    pub(crate) fn end(&self) -> Vec<Key> {
        let mut entries = self.entries.lock();
        let Some(listing) = entries.listing.take() else {
            return Vec::new();
        };
        entries.turns = entries.turns.wrapping_add(1);
        // An object that is neither in the list, nor missing from it, is not claimed any more, or only since
        // the list passed it: then it is unknown.
        let claimed = |key: &Key| listing.seen.contains_key(key) || listing.missing.contains(key);
        entries.known.retain(|key, _| claimed(key));
        let seen = listing.seen.into_iter().map(|(key, known)| (key, Some(known)));
        let missing = listing.missing.into_iter().map(|key| (key, None));
        let mut changed = listing.answered;
        changed.extend(
            seen.chain(missing)
                .filter_map(|(key, known)| entries.put(key, known)),
        );
        // Whoever waits for the coverage reads the entries next: they are complete and unlocked by then.
        drop(entries);
        self.is_watched();
        changed.into_iter().collect()
    }

    /// Records that the watch brings events. A watch that was forbidden for a while continues where it
    /// stopped, without a new list, so its first event is the sign that it is allowed again.
    pub(crate) fn goes_on(&self) {
        if *self.coverage.borrow() == Coverage::Refused {
            self.is_watched();
        }
    }

    fn is_watched(&self) {
        self.coverage.send_if_modified(|coverage| {
            let changed = *coverage != Coverage::Watched;
            *coverage = Coverage::Watched;
            changed
        });
    }

    /// Takes in a claimed object from the watch; `None` if it was deleted. Returns whether the object
    /// changed.
    pub(crate) fn put(&self, key: Key, known: Option<Known>) -> bool {
        self.entries.lock().put(key, known).is_some()
    }
}

impl Entries {
    fn put(&mut self, key: Key, known: Option<Known>) -> Option<Key> {
        let before = self.known.insert(key.clone(), known.clone());
        (before != Some(known)).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::targets::object::tests::object;

    fn key(name: &str) -> Key {
        ("ns".to_owned(), name.to_owned())
    }

    impl WatchedTargets {
        /// The moment before a GET, which must be needed.
        fn asking(&self, name: &str) -> Asking {
            match self.get("ns", name) {
                Lookup::Unknown(asking) => asking,
                known => panic!("{known:?}"),
            }
        }

        fn is_unknown(&self, name: &str) -> bool {
            matches!(self.get("ns", name), Lookup::Unknown(_))
        }
    }

    fn known(name: &str) -> Known {
        object(name, json!({"matchLabels": {"app": name}}), 1)
            .into_parts()
            .unwrap()
            .1
    }

    #[test]
    fn a_claimed_object_that_a_list_does_not_hold_is_known_to_be_missing() {
        let targets = WatchedTargets::new();
        targets.begin(BTreeSet::from([key("a"), key("b")]));
        assert!(targets.is_unknown("a"), "not before the list is complete");
        targets.list(key("a"), known("a"));
        assert_eq!(targets.end(), [key("a"), key("b")]);
        assert_eq!(targets.get("ns", "a"), Lookup::Found(known("a")));
        assert_eq!(targets.get("ns", "b"), Lookup::Absent);
        assert_eq!(*targets.coverage().borrow(), Coverage::Watched);
    }

    #[test]
    fn a_later_claim_is_asked_for_once_and_the_watch_goes_before_the_answer() {
        let targets = WatchedTargets::new();
        targets.begin(BTreeSet::new());
        targets.end();
        let ask = targets.asking("a");
        assert_eq!(
            targets.answered("ns", "a", ask, Some(known("a"))),
            Some(known("a"))
        );
        assert_eq!(
            targets.get("ns", "a"),
            Lookup::Found(known("a")),
            "no second time"
        );
        // While a GET is in flight, the watch shows that the object is gone.
        let ask = targets.asking("b");
        assert!(targets.put(key("b"), None));
        assert_eq!(targets.answered("ns", "b", ask, Some(known("b"))), None);
    }

    #[test]
    fn an_answer_during_a_list_is_used_once_and_looked_at_again_at_its_end() {
        let targets = WatchedTargets::new();
        targets.begin(BTreeSet::from([key("changed"), key("deleted")]));
        // Before the first page: `changed` is not yet as the list holds it, `deleted` is still there, and a
        // resource that is new lays claim to `late`, which the list will not hold either.
        for name in ["changed", "deleted", "late"] {
            let ask = targets.asking(name);
            let old = known("old");
            assert_eq!(targets.answered("ns", name, ask, Some(old.clone())), Some(old));
        }
        targets.list(key("changed"), known("changed"));
        assert_eq!(targets.end(), [key("changed"), key("deleted"), key("late")]);
        assert_eq!(targets.get("ns", "changed"), Lookup::Found(known("changed")));
        assert_eq!(targets.get("ns", "deleted"), Lookup::Absent);
        assert!(targets.is_unknown("late"), "no event tells that it was deleted");
    }

    #[test]
    fn an_answer_from_before_a_list_or_from_an_earlier_claim_is_not_kept() {
        let targets = WatchedTargets::new();
        let before_the_list = targets.asking("a");
        targets.begin(BTreeSet::new());
        targets.end();
        targets.answered("ns", "a", before_the_list, Some(known("a")));
        assert!(targets.is_unknown("a"));
        // While nobody claims the object its events are ignored.
        let before_the_release = targets.asking("a");
        targets.release("ns", "a");
        targets.answered("ns", "a", before_the_release, Some(known("a")));
        assert!(targets.is_unknown("a"));
    }

    #[test]
    fn what_a_list_passed_before_it_was_claimed_is_read_again() {
        let targets = WatchedTargets::new();
        targets.put(key("a"), Some(known("a")));
        targets.begin(BTreeSet::new());
        targets.end();
        assert!(targets.is_unknown("a"), "nobody knows what the list held of it");
    }

    #[test]
    fn what_nobody_claims_is_forgotten() {
        let targets = WatchedTargets::new();
        targets.put(key("a"), Some(known("a")));
        targets.release("ns", "a");
        assert!(targets.is_unknown("a"));
    }

    #[test]
    fn what_is_released_during_a_list_does_not_come_back_with_it() {
        let targets = WatchedTargets::new();
        targets.begin(BTreeSet::from([key("a"), key("b"), key("c")]));
        targets.list(key("b"), known("b"));
        targets.answered("ns", "c", targets.asking("c"), None);
        for name in ["a", "b", "c"] {
            targets.release("ns", name);
        }
        assert!(targets.end().is_empty());
        for name in ["a", "b", "c"] {
            assert!(targets.is_unknown(name), "{name}");
        }
    }

    #[test]
    fn a_watch_that_was_refused_is_relied_on_again_when_it_goes_on() {
        let targets = WatchedTargets::new();
        targets.goes_on();
        assert_eq!(
            *targets.coverage().borrow(),
            Coverage::Listing,
            "not before its first list"
        );
        targets.begin(BTreeSet::new());
        targets.end();
        targets.refuse();
        targets.goes_on();
        assert_eq!(*targets.coverage().borrow(), Coverage::Watched);
    }

    #[test]
    fn a_refusal_is_news_once() {
        let targets = WatchedTargets::new();
        assert!(targets.refuse());
        assert!(!targets.refuse());
        targets.begin(BTreeSet::new());
        targets.end();
        assert!(targets.refuse(), "it was allowed in between");
    }
}
