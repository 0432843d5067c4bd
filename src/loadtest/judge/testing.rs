//! Measured runs for tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jiff::Timestamp;

use crate::model::{
    latencies::Latencies,
    measured::{End, Generator, Measured, Requests, RunId, Second},
    traffic::Traffic,
};

/// Requests of which the answered ones took 10 ms, 20 ms, 30 ms ..., and the failed ones three seconds.
pub(crate) fn requests(answered: u64, failed: u64) -> Requests {
    let mut requests = Requests {
        due: answered + failed,
        answered,
        answered_in_time: answered,
        ..Requests::default()
    };
    for number in 1..=answered {
        requests.latency.record(Duration::from_millis(10 * number));
        requests.service_time.record(Duration::from_millis(5 * number));
    }
    for _ in 0..failed {
        requests.latency.record(Duration::from_secs(3));
        requests.failed_latency.record(Duration::from_secs(3));
        requests.service_time.record(Duration::from_secs(3));
    }
    requests.traffic = Some(Traffic {
        statuses: [(200, answered), (503, failed)]
            .into_iter()
            .filter(|(_, answers)| *answers > 0)
            .collect(),
        sent_bytes: 17 * (answered + failed),
        received_bytes: 1230 * (answered + failed),
    });
    if failed > 0 {
        requests.failures.insert("status 503".to_owned(), failed);
    }
    requests
}

/// Gives each run an ID of its own, even where two measured the same.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A run of ten seconds whose generator had little to do.
pub(crate) fn measured(total: Requests) -> Measured {
    let mut schedule_error = Latencies::default();
    for _ in 0..total.due {
        schedule_error.record(Duration::from_micros(80));
    }
    let second = |at: u32| Second {
        at,
        due: total.due / 10,
        answered: total.answered / 10,
        failed: total.failed() / 10,
        retried: 0,
        latency: total.latency.quantiles(),
        concurrency: 1,
        websockets: 0,
        generator_cpu: Some(0.05),
    };
    Measured {
        runs: BTreeSet::from([RunId(NEXT.fetch_add(1, Ordering::Relaxed))]),
        began: Timestamp::UNIX_EPOCH,
        planned: Duration::from_secs(10),
        elapsed: Duration::from_secs(10),
        end: End::Completed,
        steps: BTreeMap::from([("GET".to_owned(), total.clone())]),
        seconds: (0..10).map(second).collect(),
        total,
        schedule_error,
        generator: Generator {
            threads: 1,
            cpu_seconds: Some(0.5),
            cpu_share: Some(0.025),
            processors: 2,
            connections: 4,
            connections_peak: 4,
            connections_limit: 1000,
            ..Generator::default()
        },
        websocket: None,
    }
}
