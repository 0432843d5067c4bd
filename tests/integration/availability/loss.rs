//! One of two replicas goes away under load.

use std::time::{Duration, Instant};

use super::{Pair, pair};
use support::{api::condition, eventually, open_loop::OpenLoop, process::Signal};

/// Reads per second. Each is in flight for milliseconds only, so it takes many to meet the death of a replica;
/// the HPA alone reads once in seconds.
const PER_SECOND: u32 = 50;

fn scaling_active(pair: &Pair) -> String {
    let hpa = pair
        .namespace
        .object("hpa", "voiceassist-worker")
        .unwrap_or_default();
    condition(&hpa, "ScalingActive")
}

/// Asserts for a while that the HPA's condition does not change.
async fn hpa_stays_active(pair: &Pair, period: Duration) {
    let end = Instant::now() + period;
    while Instant::now() < end {
        let condition = scaling_active(pair);
        assert!(condition.starts_with("True"), "{condition}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn hpa_is_active(pair: &Pair) {
    eventually(Duration::from_secs(60), "the HPA reads the metric", || async {
        let condition = scaling_active(pair);
        if condition.starts_with("True") {
            Ok(())
        } else {
            Err(condition)
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_under_load_costs_the_hpa_no_read() {
    let mut pair = pair().await;
    hpa_is_active(&pair).await;
    let reads = OpenLoop::start(pair.cluster.client().await, vec![pair.path()], PER_SECOND);
    let mut deaths = Vec::new();
    // The API server keeps a connection to one of them. Both are killed in turn, so the one in use is among
    // them.
    for _ in 0..2 {
        hpa_stays_active(&pair, Duration::from_secs(6)).await;
        let killed = pair.replicas.remove(0);
        killed.process.signal(Signal::Kill);
        deaths.push(Instant::now());
        drop(killed);
        hpa_stays_active(&pair, Duration::from_secs(6)).await;
        pair.start_replica();
        pair.are_ready(2).await;
    }
    let outcome = reads.end().await;
    // A read that was in flight when its replica died is lost: the API server answers 503.
    let under_way = |sent: Instant| {
        deaths.iter().any(|death| {
            let apart = sent.max(*death).duration_since(sent.min(*death));
            apart < Duration::from_millis(100)
        })
    };
    let (excused, failed): (Vec<_>, Vec<_>) = outcome
        .failed
        .into_iter()
        .partition(|failed| under_way(failed.sent));
    println!(
        "{} reads, {} under way at a death and lost: {excused:?}",
        outcome.sent,
        excused.len()
    );
    assert!(failed.is_empty(), "{failed:?}");
    assert!(excused.len() <= 10, "{excused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_told_to_stop_under_load_loses_no_read() {
    let mut pair = pair().await;
    hpa_is_active(&pair).await;
    let reads = OpenLoop::start(pair.cluster.client().await, vec![pair.path()], PER_SECOND);
    for _ in 0..2 {
        hpa_stays_active(&pair, Duration::from_secs(2)).await;
        let stopped = pair.replicas.remove(0);
        assert!(stopped.process.stop(Duration::from_secs(60)).await.success());
        hpa_stays_active(&pair, Duration::from_secs(6)).await;
        pair.start_replica();
        pair.are_ready(2).await;
    }
    let outcome = reads.end().await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert!(outcome.sent > 500, "{}", outcome.sent);
}
