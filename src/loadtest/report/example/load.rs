//! The load of the example run, and how a service with its replicas answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    cluster::ready_at,
    plan::{EACH, profile},
};
use crate::model::{
    latencies::Latencies,
    measured::{End, Generator, Measured, Requests, RunId, Second, WebSockets},
    traffic::Traffic,
};

/// Measurements of a service that queues what its Ready replicas cannot answer at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts of a made-up run"
)]
pub(crate) fn measured() -> Measured {
    let (profile, mut waiting) = (profile(), 0.0);
    let (mut total, mut seconds, mut schedule_error) =
        (Requests::default(), Vec::new(), Latencies::default());
    for at in 0..600_u32 {
        let second = |at: u32| Duration::from_secs(at.into());
        let due = profile.due_before(second(at + 1)) - profile.due_before(second(at));
        let capacity = EACH * f64::from(ready_at(f64::from(at)));
        waiting += due as f64;
        let failed = (waiting - 5.0 * capacity).max(0.0).floor();
        let answered = (waiting - failed).min(capacity).floor();
        waiting -= answered + failed;
        let wait = waiting / capacity;
        let noise = 1.0 + 0.25 * (f64::from(at) * 1.7).sin();
        let mut latency = Latencies::default();
        for number in 0..(answered as u32) {
            // Most requests are quick, every twelfth takes more than twice as long, and one in a hundred six
            // times as long.
            let slow = match number % 100 {
                13 => 6.0,
                number if number % 12 == 5 => 2.4,
                _ => 1.0 + 0.3 * f64::from(number % 7) / 7.0,
            };
            let service = 0.021 * slow * noise;
            let duration = Duration::from_secs_f64(service + wait * (0.85 + 0.05 * slow));
            latency.record(duration);
            total.latency.record(duration);
            total
                .service_time
                .record(Duration::from_secs_f64(service + 0.2 * wait));
            schedule_error.record(Duration::from_micros(60 + 9 * u64::from(number % 13)));
        }
        (total.due, total.answered) = (total.due + due, total.answered + answered as u64);
        total.answered_in_time = total.answered;
        if failed > 0.0 {
            *total.failures.entry("status 503".to_owned()).or_default() += failed as u64;
        }
        seconds.push(Second {
            at,
            due,
            answered: answered as u64,
            failed: failed as u64,
            retried: 0,
            latency: latency.quantiles(),
            concurrency: (waiting + capacity * 0.03) as u64,
            websockets: 0,
            generator_cpu: Some(0.06),
        });
    }
    total.traffic = Some(Traffic {
        statuses: [(200, total.answered), (503, total.failed())].into(),
        sent_bytes: 0,
        received_bytes: 5230 * total.answered + 91 * total.failed(),
    });
    Measured {
        runs: BTreeSet::from([RunId(0x1dea)]),
        began: "2026-11-23T09:30:00Z".parse().unwrap(),
        planned: Duration::from_secs(600),
        elapsed: Duration::from_secs(600),
        end: End::Completed,
        steps: BTreeMap::from([("GET /api/sessions".to_owned(), total.clone())]),
        total,
        schedule_error,
        seconds,
        generator: Generator {
            threads: 2,
            cpu_seconds: Some(14.2),
            cpu_share: Some(0.0118),
            processors: 2,
            connections: 940,
            connections_peak: 831,
            connections_limit: 20_000,
            ..Generator::default()
        },
        websocket: None,
    }
}

/// WebSocket connections with voice, of which two of fifty failed.
pub(crate) fn websockets() -> WebSockets {
    let mut websockets = WebSockets {
        connected: 50,
        held: Some(48),
        held_peak: 48,
        messages: (1200, 1198),
        unanswered: Some(2),
        failures: BTreeMap::from([("status 503".to_owned(), 2)]),
        ..WebSockets::default()
    };
    for number in 0..100_u64 {
        websockets
            .connect
            .record(Duration::from_micros(2000 + 40 * number));
        websockets
            .round_trip
            .record(Duration::from_micros(900 + 10 * number));
        websockets.ping.record(Duration::from_micros(300 + 5 * number));
        websockets.first_byte.record(Duration::from_millis(30 + number));
        websockets.jitter.record(Duration::from_micros(100 + 8 * number));
    }
    websockets
}
