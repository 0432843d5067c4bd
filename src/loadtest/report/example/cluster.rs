//! What happened in the cluster during the example run.

use super::plan::{EACH, profile};
use crate::{
    autoscaling::elasticity::Elasticity,
    model::{
        chain::{Chain, Link, LinkKind},
        scaling::{Bounds, Budget, Event, EventKind, Memory, MetricSeen, Replicas, Scaling},
    },
    report::Workload,
};

/// Second of the run at which the load rises.
const STEP: u32 = 60;

/// Scale-ups: replicas before and after, and the moments of the links from the visible metric to Ready pods,
/// in seconds of the run.
const UPS: [(u32, u32, [f64; 6]); 3] = [
    (2, 4, [74.0, 80.3, 80.9, 81.4, 84.0, 101.2]),
    (4, 8, [89.0, 95.3, 96.0, 96.8, 99.6, 117.4]),
    (8, 10, [104.0, 110.4, 111.0, 126.5, 129.2, 146.8]),
];
/// Scale-downs: the second of the run, and the replicas that are left.
const DOWNS: [(f64, u32); 4] = [(455.3, 8), (470.3, 6), (485.3, 4), (500.3, 2)];

/// Ready replicas at a moment.
pub(crate) fn ready_at(at: f64) -> u32 {
    let up = UPS
        .iter()
        .filter(|up| up.2[5] <= at)
        .map(|up| up.1)
        .max()
        .unwrap_or(2);
    let down = DOWNS
        .iter()
        .filter(|down| down.0 <= at)
        .map(|down| down.1)
        .min()
        .unwrap_or(10);
    up.min(down)
}

/// The observed workload.
pub(crate) fn workload() -> Workload {
    Workload {
        scaling: Scaling {
            namespace: "voiceassist-staging".to_owned(),
            target: "deployment/api-gateway".to_owned(),
            hpa: "voiceassist-api-gateway".to_owned(),
            bounds: Bounds { min: 2, max: 10 },
            replicas: replicas(),
            metrics: metrics(),
            events: events(),
            budget: vec![
                Budget {
                    at: 0.0,
                    allowed: 1,
                    wanted: 1,
                },
                Budget {
                    at: 111.2,
                    allowed: 0,
                    wanted: 9,
                },
                Budget {
                    at: 147.0,
                    allowed: 1,
                    wanted: 9,
                },
            ],
            memory: (0..40)
                .map(|number| Memory {
                    at: 15.0 * f64::from(number),
                    bytes_per_pod: 3e8 + 1e6 * f64::from(number),
                })
                .collect(),
        },
        chains: UPS.iter().map(chain).collect(),
        elasticity: Some(Elasticity {
            under_accuracy: 7.4,
            over_accuracy: 31.2,
            under_timeshare: 12.5,
            over_timeshare: 18.3,
            instability: 2.1,
            replica_hours: 1.09,
            demand_hours: 0.97,
        }),
    }
}

fn replicas() -> Vec<Replicas> {
    let seen = |at, desired, current, ready| Replicas {
        at,
        desired,
        current,
        ready,
    };
    vec![
        seen(0.0, 2, 2, 2),
        seen(80.3, 4, 4, 2),
        seen(95.3, 8, 8, 2),
        seen(101.2, 8, 8, 4),
        seen(110.4, 10, 10, 4),
        seen(117.4, 10, 10, 8),
        seen(146.8, 10, 10, 10),
        seen(455.3, 8, 8, 8),
        seen(470.3, 6, 6, 6),
        seen(485.3, 4, 4, 4),
        seen(500.3, 2, 2, 2),
    ]
}

fn metrics() -> Vec<MetricSeen> {
    let profile = profile();
    let seen = |name: &str, number: u32, ratio: fn(f64, f64) -> Option<f64>| {
        let at = 14.0 + 15.0 * f64::from(number);
        let per_replica = profile.level(at - 12.0) / f64::from(ready_at(at));
        MetricSeen {
            at,
            name: name.to_owned(),
            ratio: ratio(at, per_replica),
        }
    };
    let requests = |at: f64, each: f64| (!(300.0..330.0).contains(&at)).then_some(each / 18.0);
    let cpu = |_: f64, each: f64| Some(0.15 + 0.6 * each.min(EACH) / EACH);
    (0..39)
        .flat_map(|number| [seen("request-rate", number, requests), seen("cpu", number, cpu)])
        .collect()
}

fn events() -> Vec<Event> {
    let event = |at, kind, object: &str, words: &str| Event {
        at,
        kind,
        object: object.to_owned(),
        words: words.to_owned(),
    };
    let mut events = vec![
        event(
            110.5,
            EventKind::HpaCondition,
            "ScalingLimited",
            "True, TooManyReplicas: the desired count is more than the maximum",
        ),
        event(
            300.1,
            EventKind::HpaCondition,
            "ScalingActive",
            "False, FailedGetPodsMetric: last sample 31s old, maxAge 30s",
        ),
        event(
            329.8,
            EventKind::HpaCondition,
            "ScalingActive",
            "True, ValidMetricFound",
        ),
        event(
            340.0,
            EventKind::VpaRecommendation,
            "voiceassist-api-gateway",
            "api: cpu 480m, memory 310Mi",
        ),
        event(
            111.2,
            EventKind::DisruptionRoom,
            "voiceassist-api-gateway",
            "1 to 0",
        ),
        event(
            147.0,
            EventKind::DisruptionRoom,
            "voiceassist-api-gateway",
            "0 to 1",
        ),
        event(
            112.4,
            EventKind::PodRefused,
            "api-gateway-7d9f",
            "exceeded quota: cpu",
        ),
    ];
    for (from, to, moments) in UPS {
        for (number, pod) in (from..to).map(|number| (number, format!("api-gateway-7d9f-{number:02}"))) {
            let late = 0.6 * f64::from(number - from);
            for (at, kind) in moments[2..].iter().zip([
                EventKind::PodCreated,
                EventKind::PodScheduled,
                EventKind::PodStarted,
                EventKind::PodReady,
            ]) {
                events.push(event(at - late, kind, &pod, ""));
            }
        }
    }
    for (at, left) in DOWNS {
        for number in [left, left + 1] {
            let pod = format!("api-gateway-7d9f-{number:02}");
            events.push(event(at + 0.1, EventKind::PodTerminating, &pod, ""));
            events.push(event(at + 11.0, EventKind::PodGone, &pod, ""));
        }
    }
    events.sort_by(|one, other| one.at.total_cmp(&other.at));
    events
}

fn chain((from, to, moments): &(u32, u32, [f64; 6])) -> Chain {
    let kinds = [
        LinkKind::LoadStep,
        LinkKind::MetricVisible,
        LinkKind::Desired,
        LinkKind::PodCreated,
        LinkKind::Scheduled,
        LinkKind::Started,
        LinkKind::Ready,
        LinkKind::Recovered,
    ];
    let recovered = (*to == 10).then_some(171.0);
    let start = f64::from(STEP) + 2.5 * f64::from(*from);
    let all = [Some(start)]
        .into_iter()
        .chain(moments.iter().copied().map(Some))
        .chain([recovered]);
    let mut before: Option<f64> = None;
    let links = kinds
        .into_iter()
        .zip(all)
        .map(|(kind, at)| {
            let seconds = at.zip(before).map(|(at, before)| at - before);
            before = at.or(before);
            Link { kind, at, seconds }
        })
        .collect();
    let hint = match from {
        2 => {
            "Ready comes late after the start: shorten initialDelaySeconds and periodSeconds of the readiness probe, or add a startupProbe"
        }
        4 => "the metric shows late: shorten the scrape interval and the window of its rate",
        _ => "what had waited is answered late: scale up sooner, with a lower target of the HPA",
    };
    Chain {
        from: *from,
        to: *to,
        links,
        hint: Some(hint.to_owned()),
    }
}
