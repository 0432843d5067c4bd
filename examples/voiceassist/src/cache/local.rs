//! L1: values in memory, at most [`CAPACITY`] bytes of them. Moka lets one of many who want the same value load it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Bytes;
use moka::{Expiry, future::Cache, notification::RemovalCause};

/// Bytes of keys and values. With what moka keeps beside each of them, a pod stays below 100 MB.
pub(super) const CAPACITY: u64 = 64 * 1024 * 1024;

/// What moka and the allocator have beside a key and a value, about.
const OVERHEAD: usize = 300;

/// A value as JSON.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) json: Bytes,
    /// From when on a new one is wanted.
    pub(super) fresh_until: Instant,
    /// How long it is kept.
    pub(super) kept: Duration,
}

/// The values of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Local {
    values: Cache<String, Entry>,
    invalidations: Arc<AtomicU64>,
}

impl Local {
    /// An empty one that tells of each value that it gives up because it is full.
    pub(super) fn counting(evicted: impl Fn() + Send + Sync + 'static) -> Self {
        let values = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|key: &String, entry: &Entry| {
                u32::try_from(key.len() + entry.json.len() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .expire_after(Kept)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted();
                }
            })
            .build();
        Self {
            values,
            invalidations: Arc::default(),
        }
    }

    pub(super) async fn get(&self, key: &str) -> Option<Entry> {
        self.values.get(key).await
    }

    pub(super) async fn put(&self, key: String, entry: Entry) {
        self.values.insert(key, entry).await;
    }

    pub(super) async fn remove(&self, key: &str) {
        self.invalidations.fetch_add(1, Ordering::Relaxed);
        self.values.invalidate(key).await;
    }

    pub(super) fn clear(&self) {
        self.invalidations.fetch_add(1, Ordering::Relaxed);
        self.values.invalidate_all();
    }

    /// How many there were: a load during which the number changed may have read what was invalidated.
    pub(super) fn invalidations(&self) -> u64 {
        self.invalidations.load(Ordering::Relaxed)
    }

    /// The entry, or that which one of all who ask now loads.
    pub(super) async fn get_or_load<E: Send + Sync + 'static>(
        &self,
        key: String,
        load: impl Future<Output = Result<Entry, E>>,
    ) -> Result<Entry, Arc<E>> {
        self.values.try_get_with(key, load).await
    }

    /// How many values there are, and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.values.entry_count(), self.values.weighted_size())
    }
}

/// Each entry says how long it is kept.
struct Kept;

impl Expiry<String, Entry> for Kept {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.kept)
    }

    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.kept)
    }
}
