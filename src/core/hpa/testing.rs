//! HPAs, pods and samples for the tests of the algorithm.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::{Value, json};

use super::{
    Cohort, Controller, Hpa, Milli, Outcome, Phase, Pod, Proposal, Readiness, Reading, Requests, Sample,
    Samples, World, propose,
};

/// The present, in seconds.
pub(super) const NOW: i64 = 10_000;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An HPA from its spec in YAML, without `scaleTargetRef`.
pub(super) fn read(spec: &str) -> Hpa {
    let mut spec: Value = serde_saphyr::from_str(spec).unwrap();
    spec["scaleTargetRef"] = json!({"kind": "Deployment", "name": "d"});
    let object: HorizontalPodAutoscaler =
        serde_json::from_value(json!({"metadata": {"name": "h"}, "spec": spec})).unwrap();
    Hpa::read(&object, &Controller::default())
}

/// An HPA of 2 to 20 replicas on CPU utilization.
pub(super) fn hpa(behavior: &str) -> Hpa {
    read(&format!(
        "minReplicas: 2
maxReplicas: 20
metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 50}}}}}}]
{behavior}"
    ))
}

/// An HPA with one metric.
pub(super) fn metric(metric: &str) -> Hpa {
    read(&format!("maxReplicas: 100\nmetrics: [{metric}]"))
}

pub(super) const CPU_50: &str =
    "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}";
pub(super) const PODS_100: &str =
    "{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: '100'}}}";

pub(super) fn object(target: &str) -> String {
    format!(
        "{{type: Object, object: {{metric: {{name: m}}, describedObject: {{kind: D, name: d}}, target: {target}}}}}"
    )
}

/// A pod that has been Ready for long and requests one CPU.
pub(super) fn pod() -> Pod {
    Pod {
        phase: Phase::Running,
        deleting: false,
        started: Some(at(100)),
        ready: Some((Readiness::True, at(110))),
        requests: Arc::new(Requests::container("app", &[("cpu", 1000), ("memory", 1000)])),
    }
}

/// Each pod as a cohort of one.
pub(super) fn pods(pods: &[Pod]) -> Vec<Cohort> {
    let cohort = |pod: &Pod| Cohort {
        pod: pod.clone(),
        count: 1,
    };
    pods.iter().map(cohort).collect()
}

/// Samples of the first pods, measured 15 s ago over 30 s. Those beyond the last pod are of strangers.
pub(super) fn samples(values: &[Milli]) -> Reading {
    let sample = |value: Milli| Sample {
        value,
        at: at(NOW - 15),
        window: Duration::from_secs(30),
    };
    Reading::PerPod(Samples {
        of_cohorts: values.iter().map(|value| Some(sample(*value))).collect(),
        strangers: Vec::new(),
    })
}

/// The proposal of an HPA's first metric; `current` is `spec.replicas` and `status` is `status.replicas`.
pub(super) fn proposed(
    hpa: &Hpa,
    reading: &Reading,
    cohorts: &[Cohort],
    current: i32,
    status: i32,
) -> Result<Proposal, super::MetricError> {
    let controller = Controller::default();
    let mut reading = reading.clone();
    if let Reading::PerPod(samples) = &mut reading {
        let known = cohorts.len().min(samples.of_cohorts.len());
        let beyond = samples.of_cohorts.split_off(known);
        samples
            .strangers
            .extend(beyond.iter().flatten().map(|sample| sample.value));
    }
    let world = World {
        cohorts,
        current,
        status,
        controller: &controller,
        now: at(NOW),
    };
    propose(hpa, hpa.metrics[0].as_ref().unwrap(), &reading, &world)
}

/// The proposed replicas, and how the ratio led to them.
pub(super) fn replicas(hpa: &Hpa, reading: &Reading, cohorts: &[Cohort], current: i32) -> (i32, Outcome) {
    let proposal = proposed(hpa, reading, cohorts, current, current).unwrap();
    (proposal.replicas, proposal.outcome)
}
