//! An in-memory copy of watched objects, by namespace and name, that tells what each event changed.

use std::{collections::BTreeMap, sync::Arc};

use kube::runtime::watcher::Event;
use parking_lot::RwLock;
use tokio::sync::watch;

/// Namespace and name.
pub(super) type Key = (String, String);

type Objects<T> = BTreeMap<String, BTreeMap<String, Arc<T>>>;

/// The copy; readers share it, one [`Feed`] fills it.
#[derive(Debug)]
pub(super) struct Cache<T> {
    objects: RwLock<Objects<T>>,
    synced: watch::Sender<bool>,
}

/// What one event changed.
#[derive(Debug)]
pub(super) struct Change<T> {
    pub(super) key: Key,
    pub(super) before: Option<Arc<T>>,
    pub(super) after: Option<Arc<T>>,
}

impl<T> Cache<T> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            objects: RwLock::default(),
            synced: watch::Sender::new(false),
        })
    }

    pub(super) fn in_namespace(&self, namespace: &str) -> Vec<Arc<T>> {
        let objects = self.objects.read();
        let objects = objects.get(namespace);
        objects
            .map(|objects| objects.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Every namespace and name.
    pub(super) fn keys(&self) -> Vec<Key> {
        let objects = self.objects.read();
        let keys = objects
            .iter()
            .flat_map(|(namespace, names)| names.keys().map(|name| (namespace.clone(), name.clone())));
        keys.collect()
    }

    /// Whether the first list is complete.
    pub(super) fn synced(&self) -> watch::Receiver<bool> {
        self.synced.subscribe()
    }

    /// Drops everything and counts as complete: for a kind that the cluster does not serve.
    pub(super) fn clear(&self) {
        self.objects.write().clear();
        self.synced.send_replace(true);
    }

    fn put(&self, key: Key, object: T) -> Change<T> {
        let after = Arc::new(object);
        let mut objects = self.objects.write();
        let names = objects.entry(key.0.clone()).or_default();
        let before = names.insert(key.1.clone(), after.clone());
        Change {
            key,
            before,
            after: Some(after),
        }
    }

    fn remove(&self, key: Key) -> Change<T> {
        let mut objects = self.objects.write();
        let before = objects.get_mut(&key.0).and_then(|names| names.remove(&key.1));
        if objects.get(&key.0).is_some_and(BTreeMap::is_empty) {
            objects.remove(&key.0);
        }
        Change {
            key,
            before,
            after: None,
        }
    }
}

/// The writing side of a [`Cache`].
///
/// A list of several pages is taken in when it is complete, as kube's reflector does: who is told of a change
/// halfway through would look up what the reflector does not hold yet, and nobody would tell again.
#[derive(Debug)]
pub(super) struct Feed<T> {
    cache: Arc<Cache<T>>,
    /// A list that is under way: what is missing at its end was deleted unseen.
    listed: BTreeMap<Key, T>,
}

impl<T> Feed<T> {
    pub(super) fn new(cache: Arc<Cache<T>>) -> Self {
        Self {
            cache,
            listed: BTreeMap::new(),
        }
    }

    /// Takes in one event and tells what it changed.
    pub(super) fn handle(&mut self, event: Event<(Key, T)>) -> Vec<Change<T>> {
        match event {
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply((key, object)) => {
                self.listed.insert(key, object);
                Vec::new()
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                let all = self.cache.keys().into_iter();
                let gone: Vec<Key> = all.filter(|key| !listed.contains_key(key)).collect();
                let gone = gone.into_iter().map(|key| self.cache.remove(key));
                let mut changes: Vec<Change<T>> = gone.collect();
                changes.extend(listed.into_iter().map(|(key, object)| self.cache.put(key, object)));
                self.cache.synced.send_replace(true);
                changes
            }
            Event::Apply((key, object)) => vec![self.cache.put(key, object)],
            Event::Delete((key, _)) => vec![self.cache.remove(key)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        ("ns".to_owned(), name.to_owned())
    }

    fn feed() -> (Arc<Cache<i32>>, Feed<i32>) {
        let cache = Cache::new();
        (cache.clone(), Feed::new(cache))
    }

    fn seen(changes: Vec<Change<i32>>) -> Vec<(String, Option<i32>, Option<i32>)> {
        changes
            .into_iter()
            .map(|change| {
                (
                    change.key.1,
                    change.before.map(|one| *one),
                    change.after.map(|one| *one),
                )
            })
            .collect()
    }

    #[test]
    fn a_change_tells_before_and_after() {
        let (cache, mut feed) = feed();
        let a = || "a".to_owned();
        assert_eq!(
            seen(feed.handle(Event::Apply((key("a"), 1)))),
            [(a(), None, Some(1))]
        );
        assert_eq!(
            seen(feed.handle(Event::Apply((key("a"), 2)))),
            [(a(), Some(1), Some(2))]
        );
        assert_eq!(
            seen(feed.handle(Event::Delete((key("a"), 2)))),
            [(a(), Some(2), None)]
        );
        assert!(cache.in_namespace("ns").is_empty());
    }

    #[test]
    fn what_a_new_list_no_longer_holds_was_deleted() {
        let (cache, mut feed) = feed();
        feed.handle(Event::Apply((key("gone"), 1)));
        feed.handle(Event::Apply((key("kept"), 1)));
        feed.handle(Event::Init);
        feed.handle(Event::InitApply((key("kept"), 1)));
        assert_eq!(
            cache.in_namespace("ns").len(),
            2,
            "a list under way hides nothing"
        );
        assert_eq!(
            seen(feed.handle(Event::InitDone)),
            [
                ("gone".to_owned(), Some(1), None),
                ("kept".to_owned(), Some(1), Some(1))
            ]
        );
    }

    #[test]
    fn a_list_tells_nothing_before_it_is_complete() {
        let (cache, mut feed) = feed();
        feed.handle(Event::Apply((key("edited"), 1)));
        feed.handle(Event::Init);
        for listed in [(key("edited"), 2), (key("new"), 1)] {
            assert!(feed.handle(Event::InitApply(listed)).is_empty());
        }
        assert_eq!(cache.in_namespace("ns"), [Arc::new(1)]);
        assert_eq!(
            seen(feed.handle(Event::InitDone)),
            [
                ("edited".to_owned(), Some(1), Some(2)),
                ("new".to_owned(), None, Some(1))
            ]
        );
    }

    #[test]
    fn a_list_that_breaks_off_leaves_nothing_behind() {
        let (cache, mut feed) = feed();
        feed.handle(Event::Init);
        feed.handle(Event::InitApply((key("a"), 1)));
        feed.handle(Event::Init);
        feed.handle(Event::InitApply((key("b"), 1)));
        feed.handle(Event::InitDone);
        assert_eq!(cache.keys(), [key("b")]);
    }

    #[test]
    fn the_cache_is_complete_only_after_the_first_list() {
        let (cache, mut feed) = feed();
        let synced = cache.synced();
        feed.handle(Event::Init);
        feed.handle(Event::InitApply((key("a"), 1)));
        assert!(!*synced.borrow());
        feed.handle(Event::InitDone);
        assert!(*synced.borrow());
    }
}
