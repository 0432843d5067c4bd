//! An in-memory copy of watched objects, by namespace and name and by what they are about, that tells what each event
//! changed.
//!
//! Nothing here looks at all objects of a namespace unless it is asked to: with ten thousand resources in one
//! namespace, each of them would look at all the others.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use kube::runtime::watcher::Event;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::core::reconcile::child::TargetKey;

/// Namespace and name.
pub(crate) type Key = (String, String);

/// What objects of a namespace can be found by.
#[derive(Debug, Hash)]
pub(crate) enum Term<'a> {
    /// It scales this target, or lays claim to it.
    Target(&'a TargetKey),
    /// It selects pods with this label.
    Label(&'a str, &'a str),
    /// It selects pods by something else than one label.
    Pods,
}

/// Objects that a [`Cache`] can find.
pub(crate) trait Indexed {
    /// By each of these it is found.
    fn all_of(&self) -> Vec<Term<'_>>;

    /// By one of these it is found: by the one that fewest others have.
    fn one_of(&self) -> Vec<Term<'_>>;
}

/// The copy; readers share it, one [`Feed`] fills it.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    objects: RwLock<Objects<T>>,
    synced: watch::Sender<bool>,
}

#[derive(Debug)]
struct Objects<T> {
    by_key: BTreeMap<Key, Arc<T>>,
    /// By the hash of namespace and term; a reader looks whether it is what was meant.
    by_term: HashMap<u64, Vec<Arc<T>>>,
    /// Keyed: who names objects must not choose what collides.
    hasher: RandomState,
}

/// What one event changed.
#[derive(Debug)]
pub(crate) struct Change<T> {
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<T>>,
    pub(crate) after: Option<Arc<T>>,
}

impl<T: Indexed> Objects<T> {
    fn put(&mut self, key: &Key, object: &Arc<T>) -> Option<Arc<T>> {
        let before = self.remove(key);
        let hashes = |terms: Vec<Term<'_>>| -> Vec<u64> {
            terms
                .into_iter()
                .map(|term| self.hasher.hash_one((&key.0, term)))
                .collect()
        };
        let mut places = hashes(object.all_of());
        let taken = |place: &u64| self.by_term.get(place).map_or(0, Vec::len);
        places.extend(hashes(object.one_of()).into_iter().min_by_key(taken));
        for place in places {
            self.by_term
                .entry(place)
                .and_modify(|objects| objects.push(object.clone()))
                .or_insert_with(|| vec![object.clone()]);
        }
        self.by_key.insert(key.clone(), object.clone());
        before
    }

    fn remove(&mut self, key: &Key) -> Option<Arc<T>> {
        let before = self.by_key.remove(key)?;
        for term in before.all_of().into_iter().chain(before.one_of()) {
            let place = self.hasher.hash_one((&key.0, term));
            if let Some(objects) = self.by_term.get_mut(&place) {
                objects.retain(|object| !Arc::ptr_eq(object, &before));
                if objects.is_empty() {
                    self.by_term.remove(&place);
                }
            }
        }
        Some(before)
    }

    /// Those of a namespace whose names are `first` or come after it.
    fn from(&self, namespace: &str, first: &str) -> impl Iterator<Item = (&str, &Arc<T>)> {
        self.by_key
            .range((namespace.to_owned(), first.to_owned())..)
            .take_while(move |(key, _)| key.0 == namespace)
            .map(|(key, object)| (key.1.as_str(), object))
    }
}

impl<T: Indexed> Cache<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            objects: RwLock::new(Objects {
                by_key: BTreeMap::new(),
                by_term: HashMap::new(),
                hasher: RandomState::new(),
            }),
            synced: watch::Sender::new(false),
        })
    }

    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        let key = (namespace.to_owned(), name.to_owned());
        self.objects.read().by_key.get(&key).cloned()
    }

    /// Everything in a namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Vec<Arc<T>> {
        let objects = self.objects.read();
        objects
            .from(namespace, "")
            .map(|(_, object)| object.clone())
            .collect()
    }

    /// Those whose names begin so.
    pub(crate) fn named(&self, namespace: &str, prefix: &str) -> Vec<Arc<T>> {
        let objects = self.objects.read();
        let begins = |(name, _): &(&str, &Arc<T>)| name.starts_with(prefix);
        let named = objects.from(namespace, prefix).take_while(begins);
        named.map(|(_, object)| object.clone()).collect()
    }

    /// Whether any object of a namespace is such a one.
    pub(crate) fn any(&self, namespace: &str, such: impl Fn(&T) -> bool) -> bool {
        self.objects
            .read()
            .from(namespace, "")
            .any(|(_, object)| such(object))
    }

    /// Those that may be found by a term: the caller looks whether they are meant.
    pub(crate) fn found_by(&self, namespace: &str, term: &Term<'_>) -> Vec<Arc<T>> {
        let objects = self.objects.read();
        let place = objects.hasher.hash_one((namespace, term));
        objects.by_term.get(&place).cloned().unwrap_or_default()
    }

    /// Looks at every object.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&Key, &T)) {
        for (key, object) in &self.objects.read().by_key {
            look(key, object);
        }
    }

    /// Every namespace and name.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.objects.read().by_key.keys().cloned().collect()
    }

    /// Whether the first list is complete.
    pub(crate) fn synced(&self) -> watch::Receiver<bool> {
        self.synced.subscribe()
    }

    /// Drops everything and counts as complete: for a kind that the cluster does not serve.
    pub(crate) fn clear(&self) {
        let mut objects = self.objects.write();
        objects.by_key.clear();
        objects.by_term.clear();
        self.synced.send_replace(true);
    }

    fn put(&self, key: Key, object: T) -> Change<T> {
        let after = Arc::new(object);
        let before = self.objects.write().put(&key, &after);
        Change {
            key,
            before,
            after: Some(after),
        }
    }

    fn remove(&self, key: Key) -> Change<T> {
        let before = self.objects.write().remove(&key);
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
pub(crate) struct Feed<T> {
    cache: Arc<Cache<T>>,
    /// A list that is under way: what is missing at its end was deleted unseen.
    listed: BTreeMap<Key, T>,
}

impl<T: Indexed> Feed<T> {
    pub(crate) fn new(cache: Arc<Cache<T>>) -> Self {
        Self {
            cache,
            listed: BTreeMap::new(),
        }
    }

    /// Takes in one event and tells what it changed.
    pub(crate) fn handle(&mut self, event: Event<(Key, T)>) -> Vec<Change<T>> {
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
                changes.extend(
                    listed
                        .into_iter()
                        .map(|(key, object)| self.cache.put(key, object)),
                );
                self.cache.synced.send_replace(true);
                changes
            }
            Event::Apply((key, object)) => vec![self.cache.put(key, object)],
            Event::Delete((key, _)) => vec![self.cache.remove(key)],
        }
    }
}

#[cfg(test)]
mod tests;
