//! Workers that each send their next request when the last one is answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{Outcome, PATIENCE, Samples};

/// Shortest time between two requests of a worker whose request was refused, so that refusals do not count as
/// speed.
const AFTER_REFUSAL: Duration = Duration::from_millis(1);

/// Keeps `workers` requests in flight for `duration`. `send` gets the number of the request, from zero.
pub(crate) async fn closed<F, Fut>(workers: u32, duration: Duration, send: F) -> Samples
where
    F: Fn(u64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let (send, next) = (Arc::new(send), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..workers {
        let (send, next) = (send.clone(), next.clone());
        running.spawn(async move {
            let mut samples = Samples::default();
            while start.elapsed() < duration {
                let begun = Instant::now();
                let request = send(next.fetch_add(1, Ordering::Relaxed));
                let outcome = tokio::time::timeout(PATIENCE, request).await;
                let refused = matches!(outcome, Ok(Outcome::Failed(_)));
                samples.record(begun.elapsed(), outcome.unwrap_or(Outcome::Late));
                if refused {
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
            }
            samples
        });
    }
    let mut all = Samples::default();
    while let Some(samples) = running.join_next().await {
        all.merge(&samples.unwrap_or_default());
    }
    all.elapsed = start.elapsed();
    all
}
