//! An in-memory copy of watched objects. Objects are found by namespace and name, and by [`Term`]s such as
//! the target that they scale; each change returns what the object was before.
//!
//! kube's reflector store does not serve here. It finds an object by its name only, a writer does not learn what
//! an event changed, and it keeps whole objects, of which the compact forms here take a fraction of the memory.
//!
//! Nothing here visits all objects of a namespace unless the caller requests it. With 10,000 resources in one
//! namespace, each of which looked at all others, one change of each would cost 100 million visits.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use parking_lot::RwLock;
use tokio::sync::watch;

use vas_core::reconcile::child::TargetKey;

/// Namespace and name.
pub(super) type Key = (String, String);

/// What an object can be found by within its namespace.
#[derive(Debug, Hash)]
pub(super) enum Term<'a> {
    /// The object scales this target, or claims it.
    Target(&'a TargetKey),
    /// The object selects pods that have this label (key, value).
    Label(&'a str, &'a str),
    /// The object selects pods in another way than by one label and value.
    Pods,
}

/// Objects that a [`Cache`] can find.
pub(super) trait Indexed {
    /// The terms of which each one finds the object.
    fn all_of(&self) -> Vec<Term<'_>>;

    /// Terms of which one suffices to find the object; the cache takes the one that fewest objects share.
    fn one_of(&self) -> Vec<Term<'_>>;
}

/// The copy of the objects. Readers share it, and one watch fills it.
#[derive(Debug)]
pub(super) struct Cache<T> {
    objects: RwLock<Objects<T>>,
    synced: watch::Sender<bool>,
}

#[derive(Debug)]
struct Objects<T> {
    by_key: BTreeMap<Key, Arc<T>>,
    /// Objects by the hash of namespace and term. Hashes may collide, so a reader checks what it finds.
    by_term: HashMap<u64, Vec<Arc<T>>>,
    /// A randomly keyed hash, so that a tenant who names objects cannot choose colliding names.
    hasher: RandomState,
}

/// What became of one object: `before` is `None` for a new object, `after` for a deleted one.
#[derive(Debug)]
pub(super) struct Change<T> {
    pub(super) key: Key,
    pub(super) before: Option<Arc<T>>,
    pub(super) after: Option<Arc<T>>,
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
        // A budget that selects `app=a, tier=web` is stored under whichever of the two labels has fewer
        // objects. So a label that 10,000 objects share does not hold all of them where a rarer one will do.
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
        // Under which term of `one_of` the object was stored is not recorded: look under each.
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

    /// The objects of a namespace in the order of their names, from the name `first` on.
    fn from(&self, namespace: &str, first: &str) -> impl Iterator<Item = (&str, &Arc<T>)> {
        self.by_key
            .range((namespace.to_owned(), first.to_owned())..)
            .take_while(move |(key, _)| key.0 == namespace)
            .map(|(key, object)| (key.1.as_str(), object))
    }
}

impl<T: Indexed> Cache<T> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            objects: RwLock::new(Objects {
                by_key: BTreeMap::new(),
                by_term: HashMap::new(),
                hasher: RandomState::new(),
            }),
            synced: watch::Sender::new(false),
        })
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        let key = (namespace.to_owned(), name.to_owned());
        self.objects.read().by_key.get(&key).cloned()
    }

    /// All objects of a namespace.
    pub(super) fn in_namespace(&self, namespace: &str) -> Vec<Arc<T>> {
        let objects = self.objects.read();
        objects
            .from(namespace, "")
            .map(|(_, object)| object.clone())
            .collect()
    }

    /// The objects of a namespace whose names begin with `prefix`.
    pub(super) fn named(&self, namespace: &str, prefix: &str) -> Vec<Arc<T>> {
        let objects = self.objects.read();
        let begins = |(name, _): &(&str, &Arc<T>)| name.starts_with(prefix);
        let named = objects.from(namespace, prefix).take_while(begins);
        named.map(|(_, object)| object.clone()).collect()
    }

    /// Whether any object of a namespace satisfies `such`.
    pub(super) fn any(&self, namespace: &str, such: impl Fn(&T) -> bool) -> bool {
        self.objects
            .read()
            .from(namespace, "")
            .any(|(_, object)| such(object))
    }

    /// The objects stored under a term. Some may be there by a hash collision or by one term of several: the
    /// caller checks each.
    pub(super) fn found_by(&self, namespace: &str, term: &Term<'_>) -> Vec<Arc<T>> {
        let objects = self.objects.read();
        let place = objects.hasher.hash_one((namespace, term));
        objects.by_term.get(&place).cloned().unwrap_or_default()
    }

    /// Calls `look` with every object.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Key, &T)) {
        for (key, object) in &self.objects.read().by_key {
            look(key, object);
        }
    }

    /// The namespace and name of every object.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.objects.read().by_key.keys().cloned().collect()
    }

    /// Turns true when the first list is complete.
    pub(super) fn synced(&self) -> watch::Receiver<bool> {
        self.synced.subscribe()
    }

    /// Removes everything and counts as synced: for a kind that the cluster does not serve.
    pub(super) fn clear(&self) {
        let mut objects = self.objects.write();
        objects.by_key.clear();
        objects.by_term.clear();
        self.synced.send_replace(true);
    }

    /// Takes in a complete list. An object that the list lacks was deleted while the watch was broken. Returns
    /// what became of every object.
    pub(super) fn replace(&self, listed: Vec<(Key, T)>) -> Vec<Change<T>> {
        let listed: BTreeMap<Key, T> = listed.into_iter().collect();
        let gone = self.keys().into_iter().filter(|key| !listed.contains_key(key));
        let gone: Vec<Change<T>> = gone.map(|key| self.remove(key)).collect();
        let listed = listed.into_iter().map(|(key, object)| self.put(key, object));
        let changes = gone.into_iter().chain(listed).collect();
        self.synced.send_replace(true);
        changes
    }

    /// Takes in a new or changed object.
    pub(super) fn put(&self, key: Key, object: T) -> Change<T> {
        let after = Arc::new(object);
        let before = self.objects.write().put(&key, &after);
        Change {
            key,
            before,
            after: Some(after),
        }
    }

    /// Removes an object.
    pub(super) fn remove(&self, key: Key) -> Change<T> {
        let before = self.objects.write().remove(&key);
        Change {
            key,
            before,
            after: None,
        }
    }
}

#[cfg(test)]
mod tests;
