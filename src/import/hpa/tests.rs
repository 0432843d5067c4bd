//! Imports HPAs, budgets and VPAs as they are found in clusters.

use serde_json::{Value, json};

use super::*;

fn target() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"})
}

fn cpu(percent: i32) -> Value {
    json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}}})
}

fn hpa(spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"scaleTargetRef": target(), "minReplicas": 2, "maxReplicas": 10, "metrics": [cpu(70)]},
    });
    object["spec"]
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    object
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "api"}}},
    })
}

fn pdb(spec: Value) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "shop"}, "spec": spec})
}

fn vpa(spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": {"name": "v", "namespace": "shop"},
        "spec": {"targetRef": target()},
    });
    object["spec"]
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    object
}

fn import(objects: &[Value]) -> Assembled {
    convert("imported", objects, None).unwrap()
}

/// The only workload of the only resource.
fn workload(assembled: &Assembled) -> Value {
    let [resource] = assembled.resources.as_slice() else {
        panic!("{assembled:?}")
    };
    assert_eq!(vas_core::spec::rules::validate(&resource.object).violations, []);
    let [workload] = resource.object.spec.workloads.as_slice() else {
        panic!("{assembled:?}")
    };
    serde_json::to_value(workload).unwrap()
}

fn refused(assembled: &Assembled, words: &str) {
    assert!(
        assembled.refused.iter().any(|one| one.why.contains(words)),
        "{words}: {assembled:#?}"
    );
}

#[test]
fn an_hpa_becomes_a_workload() {
    let assembled = import(&[hpa(
        json!({"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}),
    )]);
    assert_eq!(
        workload(&assembled),
        json!({
            "name": "api", "scaleTargetRef": target(), "minReplicas": 2, "maxReplicas": 10,
            "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
            "behavior": {"scaleDown": {"selectPolicy": "Disabled"}},
        })
    );
    assert_eq!(assembled.refused, []);
    assert_eq!(
        assembled.resources[0].object.metadata.namespace.as_deref(),
        Some("shop")
    );
}

#[test]
fn each_namespace_has_a_resource_and_seventeen_workloads_have_two() {
    let mut objects = Vec::new();
    for number in 0..17 {
        let mut one = hpa(json!({}));
        one["spec"]["scaleTargetRef"]["name"] = json!(format!("api-{number}"));
        objects.push(one);
    }
    let mut other = hpa(json!({}));
    other["metadata"]["namespace"] = json!("prod");
    objects.push(other);
    let assembled = import(&objects);
    let shown: Vec<_> = assembled
        .resources
        .iter()
        .map(|one| {
            let metadata = &one.object.metadata;
            (
                metadata.namespace.clone().unwrap(),
                metadata.name.clone().unwrap(),
                one.object.spec.workloads.len(),
            )
        })
        .collect();
    let expected = [
        ("prod", "imported", 1),
        ("shop", "imported", 16),
        ("shop", "imported-2", 1),
    ];
    assert_eq!(
        shown,
        expected.map(|(namespace, name, count)| (namespace.to_owned(), name.to_owned(), count))
    );
}

#[test]
fn an_hpa_without_metrics_has_those_of_kubernetes() {
    let mut object = hpa(json!({}));
    object["spec"].as_object_mut().unwrap().remove("metrics");
    let assembled = import(&[object]);
    assert_eq!(
        workload(&assembled)["metrics"][0]["resource"]["target"]["averageUtilization"],
        json!(80)
    );
}

#[test]
fn what_an_adapter_answers_comes_from_its_rules_or_is_missing() {
    let pods = json!({"type": "Pods", "pods": {"metric": {"name": "requests"}, "target": {"type": "AverageValue", "averageValue": "5"}}});
    let object = hpa(json!({"metrics": [cpu(70), pods]}));
    let assembled = import(std::slice::from_ref(&object));
    refused(&assembled, "--prometheus-adapter");
    assert_eq!(
        workload(&assembled)["suspend"],
        json!(true),
        "it must not scale on less than before"
    );

    let rules = json!({"rules": [{
        "seriesQuery": "requests_total", "resources": {"overrides": {"namespace": {"resource": "namespace"}, "kube_pod": {"resource": "pod"}}},
        "name": {"as": "requests"},
        "metricsQuery": "sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)",
    }]});
    let rules = adapter::read(&[rules], |_| Err(String::new())).unwrap();
    let assembled = convert("imported", std::slice::from_ref(&object), Some(&rules)).unwrap();
    let workload = workload(&assembled);
    assert_eq!(
        workload["metrics"][1]["requestRate"]["counter"],
        json!("requests_total")
    );
    assert_eq!(workload["suspend"], Value::Null);
    assert_eq!(assembled.refused, []);
    assert_eq!(
        assembled.notes,
        ["run vas metrics-server with --pod-label=kube_pod"]
    );
}

#[test]
fn what_the_resource_has_no_word_for_is_listed() {
    let storage = json!({"type": "Resource", "resource": {"name": "ephemeral-storage", "target": {"type": "AverageValue", "averageValue": "1Gi"}}});
    refused(
        &import(&[hpa(json!({"metrics": [storage]}))]),
        "ephemeral-storage is not cpu or memory",
    );
    refused(&import(&[hpa(json!({"minReplicas": 0}))]), "minReplicas 0 needs");
    refused(&import(&[hpa(json!({})), hpa(json!({}))]), "the same target");
    let keda = json!({"name": "api", "namespace": "shop", "ownerReferences": [
        {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "so", "uid": "1", "controller": true},
    ]});
    let mut object = hpa(json!({}));
    object["metadata"] = keda;
    refused(&import(&[object]), "vas import keda");
    let mut object = hpa(json!({}));
    object["spec"]["scaleTargetRef"] = json!({"kind": "Rollout", "name": "r"});
    refused(&import(&[object]), "no apiVersion");
}

#[test]
fn objects_without_an_hpa_are_refused() {
    assert_eq!(
        convert("imported", &[deployment()], None),
        Err(ImportError::NoneFound)
    );
    let broken =
        json!({"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v9", "metadata": {"name": "x"}});
    assert!(matches!(
        convert("imported", &[broken], None),
        Err(ImportError::Hpa { .. })
    ));
}

#[test]
fn a_budget_joins_the_workload_with_its_selector() {
    let selector = json!({"matchLabels": {"app": "api"}});
    let assembled = import(&[
        hpa(json!({})),
        deployment(),
        pdb(json!({"maxUnavailable": 1, "selector": selector})),
    ]);
    assert_eq!(
        workload(&assembled)["disruption"],
        json!({"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "IfHealthyBudget"}),
        "which is what Kubernetes does where a budget says nothing"
    );
    assert_eq!(assembled.refused, []);

    let without = import(&[
        hpa(json!({})),
        pdb(json!({"maxUnavailable": 1, "selector": selector})),
    ]);
    refused(&without, "Add the manifests of the targets");
    let wider = json!({"matchLabels": {"tier": "front"}});
    refused(
        &import(&[
            hpa(json!({})),
            deployment(),
            pdb(json!({"maxUnavailable": 1, "selector": wider})),
        ]),
        "has this selector",
    );
    let all = import(&[
        hpa(json!({})),
        deployment(),
        pdb(json!({"minAvailable": 2, "selector": selector})),
    ]);
    refused(&all, "no node drained");
    assert_eq!(workload(&all)["disruption"], Value::Null);
}

#[test]
fn a_vpa_joins_the_workload_with_its_target() {
    let memory = json!({"updatePolicy": {"updateMode": "Initial", "minReplicas": 2}, "resourcePolicy": {"containerPolicies": [
        {"containerName": "*", "controlledResources": ["memory"], "controlledValues": "RequestsOnly", "maxAllowed": {"memory": "2Gi"}},
    ]}});
    let assembled = import(&[hpa(json!({})), vpa(memory)]);
    assert_eq!(
        workload(&assembled)["vertical"],
        json!({"updateMode": "Initial", "minReplicas": 2, "containers": [
            {"name": "*", "controlledResources": ["memory"], "controlledValues": "RequestsOnly", "maxAllowed": {"memory": "2Gi"}},
        ]})
    );
    assert_eq!(assembled.refused, []);

    let fights = import(&[
        hpa(json!({})),
        vpa(json!({"updatePolicy": {"updateMode": "Auto"}})),
    ]);
    refused(&fights, "work against each other");
    assert_eq!(workload(&fights)["vertical"], Value::Null);
    refused(
        &import(&[
            hpa(json!({})),
            vpa(json!({"updatePolicy": {"updateMode": "Off"}, "recommenders": [{"name": "x"}]})),
        ]),
        "no such field",
    );
}

#[test]
fn what_nothing_scales_is_sized_and_protected_alone() {
    let sized = import(&[vpa(json!({"updatePolicy": {"updateMode": "Recreate"}}))]);
    assert_eq!(
        workload(&sized),
        json!({"name": "api", "scaleTargetRef": target(), "vertical": {"updateMode": "Recreate"}})
    );
    let selector = json!({"matchLabels": {"app": "api"}});
    let budget = pdb(
        json!({"minAvailable": "50%", "selector": selector, "unhealthyPodEvictionPolicy": "AlwaysAllow"}),
    );
    let protected = import(&[budget.clone(), deployment()]);
    let disruption = json!({"minAvailable": "50%", "unhealthyPodEvictionPolicy": "AlwaysAllow"});
    assert_eq!(
        workload(&protected),
        json!({"name": "api", "scaleTargetRef": target(), "disruption": disruption})
    );
    let both = import(&[
        budget,
        deployment(),
        vpa(json!({"updatePolicy": {"updateMode": "Off"}})),
    ]);
    assert_eq!(workload(&both)["disruption"], disruption);
    assert_eq!(both.refused, []);
    let all = import(&[
        pdb(json!({"minAvailable": "100%", "selector": selector})),
        deployment(),
    ]);
    refused(&all, "no node drained");
    assert_eq!(all.resources, []);
}
