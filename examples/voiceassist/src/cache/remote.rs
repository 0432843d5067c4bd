//! L2: Redis. Its keys have a time to live, and it evicts those that were not used for longest (`allkeys-lru`).
//!
//! Invariant: no call takes longer than the timeout; after one that failed nobody calls for [`PAUSE`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use redis::{
    Client, FromRedisValue, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::clock;

/// Redis is left alone for so long after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Connections; each carries any number of requests at once.
const CONNECTIONS: u64 = 4;

/// No value is stored for so long after an invalidation: a load that began before it may still want to.
const TOMB: Duration = Duration::from_secs(10);

/// One process loads an expensive value for at most so long before another may.
const TURN: Duration = Duration::from_secs(2);

/// Largest value that is sent to Redis.
const MOST: usize = 1024 * 1024;

/// The channel of invalidations.
pub(super) const CHANNEL: &str = "voiceassist:invalidations";

/// What Redis has of a key.
pub(super) enum Found {
    /// The value.
    Value(Bytes),
    /// No value, or one that was just invalidated.
    Nothing,
    /// It did not answer, or is left alone.
    Unreachable,
}

/// Whose turn it is to load an expensive value.
pub(super) enum Turn {
    /// Ours, also where Redis does not say.
    Ours,
    /// That of another process.
    SomebodyElses,
}

/// The connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remote {
    client: Client,
    connections: Arc<[ConnectionManager]>,
    next: Arc<AtomicU64>,
    timeout: Duration,
    /// Milliseconds since 1970 until which Redis is left alone.
    resting_until: Arc<AtomicU64>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Remote")
    }
}

impl Remote {
    /// Connects when it is first asked.
    pub(super) fn open(url: &str, timeout: Duration) -> Result<Self, RedisError> {
        let client = Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(1);
        let connections = (0..CONNECTIONS)
            .map(|_| ConnectionManager::new_lazy_with_config(client.clone(), config.clone()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            client,
            connections,
            next: Arc::default(),
            timeout,
            resting_until: Arc::default(),
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) async fn get(&self, key: &str) -> Found {
        match self.call::<Option<Vec<u8>>>(redis::cmd("GET").arg(key)).await {
            Some(Some(json)) if !json.is_empty() => Found::Value(json.into()),
            Some(_) => Found::Nothing,
            None => Found::Unreachable,
        }
    }

    /// Stores a value, unless one is there, or the key was just invalidated.
    pub(super) async fn put(&self, key: &str, json: &[u8], kept: Duration) {
        if json.len() <= MOST {
            let milliseconds = milliseconds(kept);
            self.call::<()>(
                redis::cmd("SET")
                    .arg(key)
                    .arg(json)
                    .arg("NX")
                    .arg("PX")
                    .arg(milliseconds),
            )
            .await;
        }
    }

    /// Leaves a tomb in the place of the value, and tells all processes.
    pub(super) async fn invalidate(&self, key: &str) {
        self.call::<()>(
            redis::cmd("SET")
                .arg(key)
                .arg("")
                .arg("PX")
                .arg(milliseconds(TOMB)),
        )
        .await;
        self.call::<i64>(redis::cmd("PUBLISH").arg(CHANNEL).arg(key))
            .await;
    }

    /// Asks for the turn to load an expensive value.
    pub(super) async fn turn(&self, key: &str) -> Turn {
        let lock = format!("{key}:turn");
        let set: Option<Option<String>> = self
            .call(
                redis::cmd("SET")
                    .arg(lock)
                    .arg("1")
                    .arg("NX")
                    .arg("PX")
                    .arg(milliseconds(TURN)),
            )
            .await;
        if matches!(set, Some(None)) {
            Turn::SomebodyElses
        } else {
            Turn::Ours
        }
    }

    /// The answer of Redis; nothing where it failed or is left alone.
    async fn call<T: FromRedisValue>(&self, command: &redis::Cmd) -> Option<T> {
        let now = milliseconds(clock::since_epoch());
        if now < self.resting_until.load(Ordering::Relaxed) {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let mut connection = self.connections.get(usize::try_from(index).ok()?)?.clone();
        let answer = tokio::time::timeout(self.timeout, command.query_async(&mut connection)).await;
        let error = match answer {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        let until = now + milliseconds(PAUSE);
        if self.resting_until.fetch_max(until, Ordering::Relaxed) + milliseconds(PAUSE) < until {
            tracing::warn!(
                error,
                "Redis is left alone for a second; the service goes on without it"
            );
        }
        None
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
