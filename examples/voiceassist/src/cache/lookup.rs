//! One lookup: L1, then L2, then the load.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Cache,
    local::Entry,
    metrics::{Hit, Tier},
    remote::{Found, Remote, Turn},
    subject::Subject,
};
use crate::clock;

/// A value whose load overlapped an invalidation may be older than it: it is kept for this long only.
const DOUBTFUL: Duration = Duration::from_secs(1);

/// How often, and for how long each time, a process waits for the load of another.
const WAITS: u32 = 10;
const WAIT: Duration = Duration::from_millis(50);

/// JSON of no value, and of an empty list.
const NOTHING: [&[u8]; 2] = [b"null", b"[]"];

/// A lookup that is about to begin.
#[derive(Debug)]
#[must_use]
pub struct Lookup<'c> {
    cache: &'c Cache,
    subject: &'static Subject,
    key: String,
}

impl<'c> Lookup<'c> {
    pub(super) fn new(cache: &'c Cache, subject: &'static Subject, key: &str) -> Self {
        Self {
            cache,
            subject,
            key: subject.key(key),
        }
    }

    /// The value of the first tier that has it; of many who ask at once, one loads it. An old value comes at once where the
    /// subject allows it, and a new one is loaded meanwhile.
    ///
    /// # Errors
    /// Those of the load. They are not kept.
    pub async fn get_or_load<T, E, F>(self, load: impl Fn() -> F + Send + Sync + 'static) -> Result<T, Arc<E>>
    where
        T: Serialize + DeserializeOwned + Send,
        E: Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let Self { cache, subject, key } = self;
        if cache.off {
            return load().await.map_err(Arc::new);
        }
        let metrics = &cache.metrics;
        let began = clock::now();
        if let Some(entry) = cache.local.get(&key).await
            && let Ok(value) = serde_json::from_slice(&entry.json)
        {
            metrics.took(Tier::Local, "get", began.elapsed());
            if entry.fresh_until > clock::now() {
                metrics.asked(subject, Tier::Local, Hit::Yes);
                return Ok(value);
            }
            metrics.asked(subject, Tier::Local, Hit::Stale);
            let cache = cache.clone();
            tokio::spawn(async move {
                // The old value is fresh again until this ends, so one of many loads.
                let again = Entry {
                    fresh_until: clock::now() + DOUBTFUL,
                    ..entry
                };
                cache.local.put(key.clone(), again).await;
                if let Ok(entry) = fill(&cache, subject, &key, &load).await {
                    cache.local.put(key, entry).await;
                }
            });
            return Ok(value);
        }
        metrics.asked(subject, Tier::Local, Hit::No);
        let entry = cache
            .local
            .get_or_load(key.clone(), fill(cache, subject, &key, &load))
            .await?;
        if let Ok(value) = serde_json::from_slice(&entry.json) {
            return Ok(value);
        }
        // Another version of the service wrote it: what it means is not known here.
        cache.local.remove(&key).await;
        load().await.map_err(Arc::new)
    }
}

/// The value from L2 or from the load; a loaded one goes to L2.
async fn fill<T, E, F>(
    cache: &Cache,
    subject: &'static Subject,
    key: &str,
    load: &impl Fn() -> F,
) -> Result<Entry, E>
where
    T: Serialize,
    F: Future<Output = Result<T, E>>,
{
    let Some(remote) = &cache.remote else {
        return loaded(cache, subject, load).await;
    };
    if let Some(json) = from_remote(cache, remote, subject, key).await {
        return Ok(entry(subject, json, subject.local));
    }
    let turn = if subject.expensive {
        remote.turn(key).await
    } else {
        Turn::Ours
    };
    if let Turn::SomebodyElses = turn {
        // Of all processes one loads. It is not waited for longer than a load takes.
        for _ in 0..WAITS {
            tokio::time::sleep(WAIT).await;
            if let Some(json) = from_remote(cache, remote, subject, key).await {
                return Ok(entry(subject, json, subject.local));
            }
        }
    }
    let entry = loaded(cache, subject, load).await?;
    let kept = if is_nothing(&entry.json) {
        subject.nothing
    } else {
        subject.shared
    };
    let began = clock::now();
    remote.put(key, &entry.json, kept).await;
    cache.metrics.took(Tier::Remote, "set", began.elapsed());
    Ok(entry)
}

async fn from_remote(cache: &Cache, remote: &Remote, subject: &'static Subject, key: &str) -> Option<Bytes> {
    let began = clock::now();
    let found = remote.get(key).await;
    cache.metrics.took(Tier::Remote, "get", began.elapsed());
    let (hit, json) = match found {
        Found::Value(json) => (Hit::Yes, Some(json)),
        Found::Nothing => (Hit::No, None),
        Found::Unreachable => (Hit::Unreachable, None),
    };
    cache.metrics.asked(subject, Tier::Remote, hit);
    json
}

async fn loaded<T, E, F>(cache: &Cache, subject: &'static Subject, load: &impl Fn() -> F) -> Result<Entry, E>
where
    T: Serialize,
    F: Future<Output = Result<T, E>>,
{
    let (began, invalidations) = (clock::now(), cache.local.invalidations());
    let value = load().await;
    cache.metrics.took(Tier::Database, "get", began.elapsed());
    cache.metrics.asked(subject, Tier::Database, Hit::Yes);
    let json = Bytes::from(serde_json::to_vec(&value?).unwrap_or_default());
    let overlapped = cache.local.invalidations() != invalidations;
    let kept = if overlapped { DOUBTFUL } else { subject.local };
    Ok(entry(subject, json, kept))
}

fn entry(subject: &Subject, json: Bytes, fresh: Duration) -> Entry {
    let fresh = if is_nothing(&json) {
        fresh.min(subject.nothing)
    } else {
        fresh
    };
    Entry {
        json,
        fresh_until: clock::now() + fresh,
        kept: fresh + subject.stale,
    }
}

fn is_nothing(json: &[u8]) -> bool {
    NOTHING.contains(&json)
}
