use serde_json::json;

use super::*;
use vas_core::metrics::promql::{Labels, Matchers, Source};

fn scaling(name: &str) -> VoiceAssistScaling {
    serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"namespace": "ns", "name": name, "uid": "1", "generation": 1},
        "spec": {"workloads": [{
            "name": "worker",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "maxReplicas": 5,
            "metrics": [{"name": "depth", "queueDepth": {"gauge": "g", "target": {"averageValue": "50"}}}],
        }]},
    }))
    .unwrap()
}

fn sources(namespace_label: &str) -> Sources {
    let source = Source {
        labels: Labels {
            namespace: namespace_label.parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        bind_queries: true,
    };
    [("default".to_owned(), source)].into_iter().collect()
}

#[test]
fn other_sources_are_asked_from_then_on_by_new_resources_and_by_those_that_are_there() {
    let registry = Registry::new(Sources::default());
    registry.apply(&scaling("one"));
    let values = || -> Vec<Result<String, String>> {
        let entries = registry.entries();
        let metrics = entries.iter().flat_map(|(_, entry)| &entry.metrics);
        metrics
            .map(|metric| match &metric.shape {
                Ok(shape) => Ok(shape.value.clone()),
                Err(error) => Err(error.to_string()),
            })
            .collect()
    };
    assert!(
        values()[0]
            .as_ref()
            .is_err_and(|error| error.contains("is not configured"))
    );
    registry.replan(sources("kube_namespace"));
    registry.apply(&scaling("two"));
    let planned = Ok("max by (kube_namespace, pod, instance) ({__name__=\"g\"})".to_owned());
    assert_eq!(values(), [planned.clone(), planned]);
}

#[test]
fn what_was_planned_for_sources_that_were_replaced_meanwhile_is_planned_again() {
    let registry = Registry::new(sources("old"));
    let object = scaling("one");
    let resource = identified(&object.metadata).unwrap();
    let judged = registry.judge(&resource, &object);
    registry.replan(sources("new"));
    registry.insert(judged);
    let shape = registry.entries()[0].1.metrics[0].shape.clone().unwrap();
    assert_eq!(shape.value, "max by (new, pod, instance) ({__name__=\"g\"})");
}

#[test]
fn what_stays_of_an_invalid_resource_is_planned_for_sources_that_are_just_being_replaced() {
    let registry = Registry::new(sources("old"));
    registry.apply(&scaling("one"));
    // As in the middle of `replan`: the sources are replaced, and no entry is planned again yet.
    *registry.sources.write() = Arc::new(sources("new"));
    let mut object = scaling("one");
    object.spec.workloads[0].max_replicas = Some(0);
    registry.apply(&object);
    let entry = registry.entries()[0].1.clone();
    assert!(!entry.valid);
    let shape = entry.metrics[0].shape.clone().unwrap();
    assert_eq!(shape.value, "max by (new, pod, instance) ({__name__=\"g\"})");
}

#[test]
fn a_resource_on_which_the_validation_panics_keeps_its_metrics_and_harms_no_other() {
    let registry = Registry::new(sources("namespace"));
    registry.apply(&scaling("one"));
    for name in ["one", "two"] {
        let object = scaling(name);
        let resource = identified(&object.metadata).unwrap();
        registry.insert(registry.judge_by(&resource, &object, |_| panic!("a defect")));
    }
    registry.apply(&scaling("three"));
    let metrics: Vec<_> = registry
        .entries()
        .iter()
        .map(|(key, entry)| (key.name.clone(), entry.metrics.len(), entry.valid))
        .collect();
    assert_eq!(
        metrics,
        [
            ("one".to_owned(), 1, false),
            ("three".to_owned(), 1, true),
            ("two".to_owned(), 0, false)
        ]
    );
}
