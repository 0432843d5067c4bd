//! A made-up run on a workload that scales from 2 to 10 replicas and back, for tests and for looking at
//! reports.
//!
//! Each replica answers 20 requests per second. Further requests wait, and a request that would wait for more
//! than 5 s fails.

mod cluster;
mod load;
mod plan;

use std::{collections::BTreeMap, time::Duration};

pub(crate) use self::load::websockets;
use super::{Report, Workload};
use crate::{
    judge::judge,
    model::{
        check::{Area, Check},
        latencies::Latencies,
        measured::{End, Generator, Requests, Second},
        scaling::{Event, MetricSeen, Replicas},
    },
    scenario::{
        model::Load,
        quick::{Level, scenario},
        rate::Profile,
    },
};

/// The example run, judged.
pub(crate) fn autoscaling() -> Report {
    let mut scenario = scenario(
        Level::Rate(180.0),
        Duration::from_secs(600),
        false,
        [
            "latency p95 < 500ms",
            "latency p50 < 100ms",
            "errors < 1%",
            "rate >= 80/s",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec(),
    );
    scenario.name = "autoscaling".to_owned();
    scenario.load = Load::Open(plan::profile());
    let check = |area, name: &str, measured: &str, hint: Option<&str>| Check {
        name: name.to_owned(),
        area,
        measured: measured.to_owned(),
        passed: hint.is_none(),
        hint: hint.map(str::to_owned),
    };
    let assertions = vec![
        check(
            Area::TimeToScale,
            "deployment/api-gateway: 2 to 10 replicas in under 60s",
            "81.8 s",
            Some(
                "pods wait 15.5 s for a node: keep room for two pods, or use pods of low priority as placeholders",
            ),
        ),
        check(
            Area::Stability,
            "deployment/api-gateway: no flapping",
            "0 turns",
            None,
        ),
        check(
            Area::ScaleDown,
            "deployment/api-gateway: back at 2 replicas",
            "after 90.3 s",
            None,
        ),
    ];
    judge(
        &scenario,
        "http://api-gateway.voiceassist-staging:8080",
        load::measured(),
        vec![cluster::workload()],
        assertions,
    )
}

/// The example run, repeated for this many seconds.
pub(crate) fn long(seconds: u32) -> Report {
    let mut report = autoscaling();
    let pattern = report.measured.seconds.clone();
    report.measured.seconds = (0..seconds)
        .zip(pattern.into_iter().cycle())
        .map(|(at, second)| Second { at, ..second })
        .collect();
    report.measured.elapsed = Duration::from_secs(seconds.into());
    report.measured.planned = report.measured.elapsed;
    let scaling = &mut report.workloads[0].scaling;
    let (replicas, metrics, events) = (
        scaling.replicas.clone(),
        scaling.metrics.clone(),
        scaling.events.clone(),
    );
    for round in 1..seconds / 600 {
        let later = 600.0 * f64::from(round);
        scaling.replicas.extend(replicas.iter().map(|seen| Replicas {
            at: seen.at + later,
            ..*seen
        }));
        let metrics = metrics.iter().cloned();
        scaling.metrics.extend(metrics.map(|seen| MetricSeen {
            at: seen.at + later,
            ..seen
        }));
        let events = events.iter().cloned();
        scaling.events.extend(events.map(|event| Event {
            at: event.at + later,
            ..event
        }));
    }
    report
}

/// A run that was ended before its first second, so nothing was measured.
pub(crate) fn nothing() -> Report {
    let mut report = autoscaling();
    report.measured.seconds = Vec::new();
    report.measured.total = Requests::default();
    report.measured.steps = BTreeMap::new();
    report.measured.schedule_error = Latencies::default();
    report.measured.elapsed = Duration::ZERO;
    report.measured.planned = Duration::ZERO;
    report.measured.end = End::Interrupted;
    report.measured.generator = Generator::default();
    report.workloads = vec![Workload::default()];
    report.load = Profile::default();
    report
}
