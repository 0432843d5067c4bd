//! Depth and age of the whole queue, as every gateway and every worker exports them.
//!
//! Invariant: they are there when the queue is empty and when no worker runs, and absent, never 0, when PostgreSQL does not
//! answer. They are read once in [`PERIOD`] on a connection of their own, so a pool without a free connection, which is when
//! they matter, does not hide them.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::gauge::ConstGauge,
    registry::Registry,
};
use tokio_util::sync::CancellationToken;

use super::QUEUE;
use crate::database::{Database, DatabaseError, Statement};

/// Time between two reads of one process.
const PERIOD: Duration = Duration::from_secs(5);

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Jobs that a worker could take now, and for how long the first of them could have been taken. One in work, or one that
/// waits for its next attempt, is no reason for another worker.
pub(super) static OBSERVE: Statement = Statement::new(
    "jobs.observe",
    "select count(*), coalesce(extract(epoch from now() - min(visible_at)), 0)::float8
     from jobs where queue = $1 and state = 'waiting' and visible_at <= now()",
);

/// The queue at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// Jobs that wait.
    pub depth: i64,
    /// Seconds for which the first of them has waited.
    pub oldest: f64,
}

/// What was seen last; nothing while PostgreSQL does not answer. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Observer(Arc<Mutex<Option<Observed>>>);

impl Observer {
    /// An observer that `registry` exports.
    pub fn register(registry: &mut Registry) -> Self {
        let observer = Self::default();
        registry.register_collector(Box::new(observer.clone()));
        observer
    }

    /// What was seen last.
    pub fn last(&self) -> Option<Observed> {
        *self.0.lock()
    }

    /// Reads the queue until `stop`, from a database with one connection of its own.
    pub async fn run(self, database: Database, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let read = tokio::time::timeout(TIMEOUT, read(&database)).await;
            let seen = match read {
                Ok(Ok(seen)) => Some(seen),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the queue cannot be read");
                    None
                }
                Err(_) => {
                    tracing::warn!("PostgreSQL does not say how long the queue is");
                    None
                }
            };
            *self.0.lock() = seen;
        }
    }
}

async fn read(database: &Database) -> Result<Observed, DatabaseError> {
    let (depth, oldest) = database.ask(&OBSERVE).bind(QUEUE).one().await?;
    Ok(Observed { depth, oldest })
}

impl Collector for Observer {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Some(Observed { depth, oldest }) = self.last() else {
            return Ok(());
        };
        let labels = [("queue", QUEUE)];
        let gauge = ConstGauge::new(depth);
        let mut family = encoder.encode_descriptor(
            "voiceassist_queue_depth",
            "Jobs that wait",
            None,
            gauge.metric_type(),
        )?;
        gauge.encode(family.encode_family(&labels)?)?;
        let gauge = ConstGauge::new(oldest);
        let mut family = encoder.encode_descriptor(
            "voiceassist_queue_oldest_job_age_seconds",
            "Time for which the first of them has waited",
            None,
            gauge.metric_type(),
        )?;
        gauge.encode(family.encode_family(&labels)?)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn an_empty_queue_is_zero_and_an_unknown_one_is_absent() {
        let mut registry = Registry::default();
        let observer = Observer::register(&mut registry);
        let text = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text
        };
        assert!(!text().contains("voiceassist_queue"), "{}", text());
        *observer.0.lock() = Some(Observed {
            depth: 0,
            oldest: 0.0,
        });
        assert!(
            text().contains("voiceassist_queue_depth{queue=\"default\"} 0\n"),
            "{}",
            text()
        );
        assert!(
            text().contains("voiceassist_queue_oldest_job_age_seconds{queue=\"default\"} 0.0\n"),
            "{}",
            text()
        );
    }
}
