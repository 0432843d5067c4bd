//! A validated resource for the tests of the builders.

use serde_json::{Value, json};

use crate::spec::{model::Scaling, rules::validate};
use vas_api::v1alpha1::VoiceAssistScaling;

/// Workload `api` in namespace `prod`, scaled on CPU, with `maxUnavailable: 1`.
pub(super) fn scaling() -> Scaling {
    build(base())
}

/// The resource of [`scaling`] with fields of its workload replaced.
pub(super) fn scaling_with(fields: Value) -> Scaling {
    let mut object = base();
    for (name, value) in fields.as_object().unwrap() {
        object["spec"]["workloads"][0][name] = value.clone();
    }
    build(object)
}

/// The resource of [`scaling`] with limits.
pub(super) fn with_limits(limits: Value) -> Scaling {
    let mut object = base();
    object["spec"]["limits"] = limits;
    build(object)
}

fn base() -> Value {
    json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1",
        "kind": "VoiceAssistScaling",
        "metadata": {"name": "voiceassist", "namespace": "prod"},
        "spec": {"workloads": [{
            "name": "api",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
            "disruption": {"maxUnavailable": 1},
        }]},
    })
}

fn build(object: Value) -> Scaling {
    let object: VoiceAssistScaling = serde_json::from_value(object).unwrap();
    let validation = validate(&object);
    assert_eq!(validation.violations, []);
    validation.scaling.unwrap()
}
