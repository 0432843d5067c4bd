//! Three tiers: memory of the process (L1, a minute), Redis (L2, five minutes), PostgreSQL (L3, the truth).
//!
//! ```text
//! let flags: Vec<Flag> = cache.cached(&FLAGS, "enabled").get_or_load(async || database.ask(&ENABLED).all().await).await?;
//! ```
//!
//! Invariant: the cache never makes a request fail or wait that would not without it. Redis has a time for an answer (50 ms),
//! and after a failure it is left alone for a second, so a Redis that is away, slow or full costs a request nothing. A value is
//! at most as old as its subject's time in L1, also where the message that invalidates it was lost.

mod invalidation;
mod local;
mod lookup;
mod metrics;
mod remote;
mod subject;

use std::{sync::Arc, time::Duration};

use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use self::{local::Local, metrics::CacheMetrics, remote::Remote};
pub use self::{lookup::Lookup, subject::Subject};

/// The cache of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cache {
    local: Local,
    remote: Option<Remote>,
    metrics: Arc<CacheMetrics>,
    off: bool,
}

impl Cache {
    /// A cache that `registry` exports. Without a URL there is no L2; with one, `timeout` is the longest wait for an answer of it.
    ///
    /// # Errors
    /// If the URL is none. Whether Redis answers does not matter.
    pub fn register(
        registry: &mut Registry,
        redis: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, redis::RedisError> {
        let (metrics, local) = CacheMetrics::register(registry);
        let remote = redis.map(|url| Remote::open(url, timeout)).transpose()?;
        Ok(Self {
            local,
            remote,
            metrics,
            off: false,
        })
    }

    /// A cache that keeps nothing: every lookup is a load. It is there to be measured beside the others.
    #[must_use]
    pub fn off(self) -> Self {
        Self { off: true, ..self }
    }

    /// A value that is looked up in the tiers one after the other.
    pub fn cached<'c>(&'c self, subject: &'static Subject, key: &str) -> Lookup<'c> {
        Lookup::new(self, subject, key)
    }

    /// Forgets a value here, in Redis, and in all other processes.
    pub async fn invalidate(&self, subject: &'static Subject, key: &str) {
        let key = subject.key(key);
        self.local.remove(&key).await;
        if let Some(remote) = &self.remote {
            remote.invalidate(&key).await;
        }
    }

    /// Forgets what other processes invalidate, until `stop`.
    pub async fn follow_invalidations(self, stop: CancellationToken) {
        if let Some(remote) = self.remote.clone() {
            invalidation::follow(&self.local, &remote, &stop).await;
        }
    }
}
