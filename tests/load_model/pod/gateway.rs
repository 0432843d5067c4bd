//! The gateway: every request costs CPU time and is counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, State},
    routing::get,
};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;

/// Most CPU time of one request, in milliseconds.
const DEAREST: u64 = 1000;

type Counter = Arc<AtomicU64>;

#[derive(Debug, Deserialize)]
struct Price {
    #[serde(default)]
    ms: u64,
}

pub(super) fn routes() -> Router {
    Router::new()
        .route("/work", get(work))
        .route("/metrics", get(metrics))
        .with_state(Counter::default())
}

async fn work(State(counter): State<Counter>, Query(price): Query<Price>) -> &'static str {
    counter.fetch_add(1, Ordering::Relaxed);
    let price = Duration::from_millis(price.ms.min(DEAREST));
    if !price.is_zero() {
        // A thread of its own: probes and cheap requests are answered meanwhile. The server ends only after it.
        let _ = tokio::task::spawn_blocking(move || burn(price)).await;
    }
    "done"
}

/// Uses so much CPU time, however long that takes where others want the CPU too.
pub(super) fn burn(time: Duration) {
    let used = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(
            now.tv_sec.unsigned_abs(),
            u32::try_from(now.tv_nsec).unwrap_or_default(),
        )
    };
    let began = used();
    let mut number = 1_u64;
    while used().saturating_sub(began) < time {
        for _ in 0..1000 {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}

async fn metrics(State(counter): State<Counter>) -> String {
    format!(
        "# TYPE voiceassist_http_requests_total counter\nvoiceassist_http_requests_total {}\n",
        counter.load(Ordering::Relaxed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_used_up() {
        let of_thread = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let before = of_thread();
        burn(Duration::from_millis(20));
        let used = of_thread().saturating_sub(before);
        assert!(
            used >= Duration::from_millis(20) && used < Duration::from_millis(40),
            "{used:?}"
        );
    }
}
