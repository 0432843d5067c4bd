//! A small valid spec and assertions for the tests of the rules.

use serde_json::{Value, json};

use super::{Violation, validate};
use crate::spec::model;
use vas_api::v1alpha1::VoiceAssistScaling;

/// A valid spec: workload `api`, 2 to 10 replicas, scaled on cpu.
pub(crate) fn base() -> Value {
    json!({"workloads": [{
        "name": "api",
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
        "minReplicas": 2,
        "maxReplicas": 10,
        "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
        "disruption": {"maxUnavailable": 1},
    }]})
}

/// The base with fields of its workload replaced; `null` removes one.
pub(super) fn with_workload(fields: Value) -> Value {
    let mut spec = base();
    for (name, value) in fields.as_object().unwrap() {
        spec["workloads"][0][name] = value.clone();
    }
    spec
}

pub(super) fn object(spec: &Value) -> VoiceAssistScaling {
    VoiceAssistScaling {
        metadata: kube::core::ObjectMeta {
            name: Some("voiceassist".to_owned()),
            namespace: Some("prod".to_owned()),
            ..Default::default()
        },
        spec: serde_json::from_value(spec.clone()).unwrap(),
        status: None,
    }
}

pub(super) fn violations(spec: &Value) -> Vec<Violation> {
    validate(&object(spec)).violations
}

/// Asserts that the changed workload breaks one rule, at this path, and is left out.
#[track_caller]
pub(super) fn refuses(fields: Value, path: &str, rule: &str) {
    let validation = validate(&object(&with_workload(fields)));
    let [violation] = validation.violations.as_slice() else {
        panic!("one violation expected: {:#?}", validation.violations);
    };
    assert_eq!(violation.path, path);
    assert!(violation.rule.contains(rule), "{} lacks {rule}", violation.rule);
    assert_eq!(violation.workload.as_deref(), Some("api"));
    assert_eq!(validation.scaling.unwrap().workloads, []);
}

/// Asserts that the changed workload obeys every rule.
#[track_caller]
pub(super) fn accepts(fields: Value) {
    accepted(fields);
}

/// Asserts that the changed workload obeys every rule, and returns it.
#[track_caller]
pub(super) fn accepted(fields: Value) -> model::Workload {
    let validation = validate(&object(&with_workload(fields)));
    assert_eq!(validation.violations, []);
    validation.scaling.unwrap().workloads.remove(0)
}
