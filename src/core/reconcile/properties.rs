//! Properties of merge, rules and builders, tested with specs that a few random edits have changed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{desired::hpa, testing::NOW};
use crate::spec::{environment::resolve, rules::validate};
use vas_api::v1alpha1::{VoiceAssistScaling, VoiceAssistScalingSpec};

/// A valid spec that uses almost every field.
fn rich() -> Value {
    json!({
        "environment": "prod",
        "suspend": false,
        "workloads": [
            {
                "name": "api",
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
                "minReplicas": 2,
                "maxReplicas": 10,
                "metrics": [
                    {"name": "cpu", "enabled": true, "resource": {"name": "cpu", "target": {"averageUtilization": 70}}},
                    {"name": "rate", "onMissing": "Hold", "maxAge": "2m", "requestRate":
                        {"counter": "c", "matchLabels": {"a": "b"}, "window": "1m", "target": {"averageValue": "100"}}},
                ],
                "behavior": {
                    "scaleUp": {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 30}]},
                    "scaleDown": {"stabilizationWindowSeconds": 60, "tolerance": "0.1"},
                },
                "vertical": {"updateMode": "Off", "containers": [{"name": "*", "maxAllowed": {"memory": "2Gi"}}]},
                "disruption": {"minAvailable": "50%"},
            },
            {
                "name": "worker",
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
                "minReplicas": 0,
                "maxReplicas": 5,
                "metrics": [
                    {"name": "depth", "queueDepth": {"gauge": "g", "aggregation": "Max", "target": {"averageValue": "50"}}},
                    {"name": "query", "prometheus": {"query": "sum(x)", "target": {"value": "5"}}},
                ],
            },
        ],
        "limits": {
            "limitRange": {"defaultRequest": {"cpu": "100m"}, "max": {"memory": "4Gi"}},
            "resourceQuota": {"hard": {"requests.cpu": "20", "pods": "60"}},
        },
        "environments": [
            {"name": "dev", "suspend": true, "workloads": [{"name": "worker", "maxReplicas": 1, "suspend": true}]},
            {"name": "prod", "limits": {"enabled": false}, "workloads": [
                {"name": "worker", "maxReplicas": 8, "metrics": [
                    {"name": "age", "queueAge": {"gauge": "g", "target": {"value": "60"}}},
                    {"name": "depth", "enabled": false},
                ]},
                {"name": "api", "minReplicas": 3, "vertical": {"enabled": false}, "behavior": {"scaleUp": {"selectPolicy": "Min"}}},
            ]},
        ],
    })
}

/// JSON pointers to every value in a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let pointer = format!("{at}/{name}");
        pointers(child, &pointer, found);
        found.push(pointer);
    }
}

/// The values that an edit writes: edge cases of every type, and names that exist elsewhere in the spec.
fn replacement() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop_oneof![
            Just(i64::from(i32::MIN)),
            Just(-1),
            Just(0),
            Just(1),
            Just(3),
            Just(i64::from(i32::MAX)),
        ]
        .prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "0",
            "1",
            "100%",
            "51%",
            "2Gi",
            "1h",
            "61m",
            "api",
            "worker",
            "dev",
            "cpu",
            "memory",
            "Off",
            "Min",
            "Disabled",
            "sum(",
            "x[1m]",
            "*",
            "é\u{0}\"",
        ])
        .prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
    ]
}

/// The rich spec after up to six edits. An edit after which the spec no longer parses is taken back.
fn spec() -> impl Strategy<Value = VoiceAssistScalingSpec> {
    let mut all = Vec::new();
    pointers(&rich(), "", &mut all);
    prop::collection::vec((prop::sample::select(all), replacement()), 0..6).prop_map(|edits| {
        let mut json = rich();
        let mut spec = serde_json::from_value(json.clone()).unwrap();
        for (pointer, value) in edits {
            let mut edited = json.clone();
            if let Some(place) = edited.pointer_mut(&pointer) {
                *place = value;
            }
            if let Ok(parsed) = serde_json::from_value(edited.clone()) {
                (json, spec) = (edited, parsed);
            }
        }
        spec
    })
}

fn object(spec: VoiceAssistScalingSpec) -> VoiceAssistScaling {
    let mut object = VoiceAssistScaling::new("voiceassist", spec);
    object.metadata.namespace = Some("prod".to_owned());
    object
}

/// Names that stand twice make "by name" ambiguous. The rules refuse them.
fn has_duplicates(spec: &VoiceAssistScalingSpec) -> bool {
    validate(&object(spec.clone()))
        .violations
        .iter()
        .any(|violation| violation.rule.contains("twice"))
}

#[test]
fn the_unbent_spec_obeys_every_rule() {
    let spec: VoiceAssistScalingSpec = serde_json::from_value(rich()).unwrap();
    assert_eq!(validate(&object(spec)).violations, []);
}

proptest! {
    #[test]
    fn rules_never_panic_and_what_passes_makes_sane_children(spec in spec()) {
        let validation = validate(&object(spec.clone()));
        for violation in &validation.violations {
            prop_assert!(violation.path.starts_with("spec"), "{violation}");
        }
        let whole = validation.violations.iter().all(|violation| violation.workload.is_some());
        prop_assert_eq!(validation.scaling.is_some(), whole);
        let Some(scaling) = validation.scaling else { return Ok(()) };
        if validation.violations.is_empty() {
            prop_assert_eq!(scaling.workloads.len(), spec.workloads.len(), "nothing is left out silently");
        }
        for workload in scaling.workloads.iter().filter(|workload| workload.has_hpa()) {
            let hpa = hpa::build(&scaling, workload, NOW, None).spec;
            prop_assert!(hpa.min_replicas.is_some_and(|min| 0 <= min && min <= hpa.max_replicas));
            prop_assert!(hpa.max_replicas >= 1);
            prop_assert!(hpa.metrics.is_some_and(|metrics| !metrics.is_empty()));
            let behavior = hpa.behavior.unwrap();
            for rules in [behavior.scale_up.unwrap(), behavior.scale_down.unwrap()] {
                prop_assert!(rules.policies.is_some_and(|policies| !policies.is_empty()));
                prop_assert!(rules.select_policy.is_some() && rules.stabilization_window_seconds.is_some());
            }
        }
    }

    #[test]
    fn a_resolved_spec_resolves_to_itself(spec in spec(), environment in prop::sample::select(vec![None, Some("dev"), Some("prod")])) {
        let Ok(once) = resolve(&spec, environment) else { return Ok(()) };
        prop_assert_eq!(resolve(&once, None).unwrap(), once);
    }

    #[test]
    fn the_order_of_entries_that_merge_by_name_does_not_matter(spec in spec()) {
        prop_assume!(!has_duplicates(&spec));
        let mut reversed = spec.clone();
        for environment in reversed.environments.iter_mut().flatten() {
            for workload in environment.workloads.iter_mut().flatten() {
                workload.metrics.iter_mut().for_each(|metrics| metrics.reverse());
            }
            environment.workloads.iter_mut().for_each(|workloads| workloads.reverse());
        }
        reversed.environments.iter_mut().for_each(|environments| environments.reverse());
        for environment in ["dev", "prod"] {
            let mut merged = [&spec, &reversed].map(|spec| resolve(spec, Some(environment)));
            for spec in merged.iter_mut().flatten() {
                for workload in &mut spec.workloads {
                    let metrics = workload.metrics.iter_mut();
                    metrics.for_each(|metrics| metrics.sort_by(|left, right| left.name.cmp(&right.name)));
                }
            }
            let [forwards, backwards] = merged;
            prop_assert_eq!(forwards.ok(), backwards.ok());
        }
    }
}
