//! The chart and `manifests/install` are written apart, so that each reads as its users expect. This comparison is what
//! keeps them the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::manifests::guide;
use support::{chart, kustomization::Kustomization};

/// Kind, namespace and name.
type Id = (String, String, String);

/// The objects by their names, without what only one of both can have.
fn comparable(rendered: &Kustomization) -> BTreeMap<Id, Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rendered
        .objects()
        .iter()
        // Helm's --create-namespace makes the namespace, and its hooks are no part of the install.
        .filter(|object| object["kind"] != "Namespace")
        .filter(|object| object["metadata"]["annotations"]["helm.sh/hook"] == Value::Null)
        .map(|object| {
            let mut object = object.clone();
            // Who may prune or delete an object is told to each installer in its own words.
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("annotations");
            }
            if let Some(env) = object.pointer_mut("/spec/template/spec/containers/0/env") {
                let env = env.as_array_mut().expect("a list");
                env.sort_by_key(|variable| text(&variable["name"]));
            }
            let metadata = &object["metadata"];
            let id = (
                text(&object["kind"]),
                text(&metadata["namespace"]),
                text(&metadata["name"]),
            );
            (id, object)
        })
        .collect()
}

#[track_caller]
fn assert_same(values: &[&str], kustomization: &Kustomization) {
    let of_the_chart = comparable(&chart::rendered(values));
    let of_the_install = comparable(kustomization);
    let ids = |objects: &BTreeMap<Id, Value>| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(ids(&of_the_chart), ids(&of_the_install), "{values:?}");
    for (id, object) in &of_the_install {
        let mut differences = Vec::new();
        differ("", &of_the_chart[id], object, &mut differences);
        assert!(differences.is_empty(), "{values:?}: {id:?}: {differences:#?}");
    }
}

/// Notes where two values differ. Numbers count, not how they are written: kubectl writes 1800.0 as 1800.
fn differ(path: &str, chart: &Value, install: &Value, differences: &mut Vec<String>) {
    match (chart, install) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one
                .keys()
                .chain(other.keys().filter(|key| !one.contains_key(*key)))
            {
                differ(&format!("{path}/{key}"), &chart[key], &install[key], differences);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differ(&format!("{path}/{index}"), one, other, differences);
            }
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        _ if chart == install => {}
        _ => differences.push(format!("{path}: {chart} in the chart, {install} in the install")),
    }
}

fn component(names: &[&str]) -> String {
    let lines: Vec<_> = names
        .iter()
        .map(|name| format!("- ../voiceassist-scaling/manifests/{name}\n"))
        .collect();
    format!("components:\n{}", lines.concat())
}

#[test]
fn by_default_the_chart_renders_the_install() {
    assert_same(&[], &guide::rendered_with(""));
}

#[test]
fn each_value_of_the_chart_is_a_component_of_the_install() {
    for (values, components) in [
        (vec!["--set=limits=true"], vec!["install/components/limits"]),
        (
            vec!["--set=externalMetrics=true"],
            vec!["install/components/external-metrics"],
        ),
        (
            vec!["--set=networkPolicy.enabled=true"],
            vec!["install/components/network-policy"],
        ),
        (
            vec!["--set=prometheus.existingSecret=vas-prometheus"],
            vec!["install/components/prometheus-config"],
        ),
        (
            vec!["--set=fallback.configMap=vas-fallback"],
            vec!["install/components/fallback"],
        ),
        (
            vec![
                "--set=limits=true,externalMetrics=true,networkPolicy.enabled=true",
                "--set=prometheus.existingSecret=vas-prometheus,apiServices.create=true",
            ],
            vec![
                "install/components/limits",
                "install/components/external-metrics",
                "install/components/network-policy",
                "install/components/prometheus-config",
                "register",
                "register/external",
            ],
        ),
    ] {
        assert_same(&values, &guide::rendered_with(&component(&components)));
    }
}

#[test]
fn the_rights_in_some_namespaces_are_the_same() {
    let values = ["--set=watchNamespaces={shop,orders}"];
    assert_same(&values, &guide::kustomization("Only some namespaces"));
}

#[test]
fn another_namespace_is_the_same_and_kube_system_stays() {
    let mut kustomization = "namespace: autoscaling
resources: [../voiceassist-scaling/manifests/install]
transformers: [../voiceassist-scaling/manifests/kube-system]
"
    .to_owned();
    let values = "--set=limits=true,externalMetrics=true,networkPolicy.enabled=true,apiServices.create=true,fallback.configMap=vas-fallback";
    kustomization += &component(&[
        "install/components/limits",
        "install/components/external-metrics",
        "install/components/network-policy",
        "install/components/fallback",
        "register",
        "register/external",
    ]);
    let rendered = guide::rendered_with(&kustomization);
    assert_same(&["-n=autoscaling", values], &rendered);
    assert_same(
        &["-n=autoscaling"],
        &guide::kustomization("Another namespace than vas-system"),
    );
    let text = format!("{:?}", rendered.objects());
    assert!(
        !text.contains("vas-system"),
        "the namespace is written out somewhere"
    );
    let binding = rendered
        .find("RoleBinding", "vas-metrics-server-auth-reader")
        .unwrap();
    assert_eq!(binding["metadata"]["namespace"], "kube-system");
    assert_eq!(binding["subjects"][0]["namespace"], "autoscaling");
}

#[test]
fn the_apiservices_of_the_chart_are_those_of_manifests_register() {
    let values = ["--set=apiServices.create=true,externalMetrics=true"];
    let of_the_chart = chart::rendered(&values);
    let names: Vec<_> = of_the_chart
        .of_kind("APIService")
        .map(|service| service["metadata"]["name"].clone())
        .collect();
    let expected = [
        "v1beta1.custom.metrics.k8s.io",
        "v1beta1.external.metrics.k8s.io",
        "v1beta2.custom.metrics.k8s.io",
    ];
    assert_eq!(names, expected.map(|name| json!(name)));
    for service in of_the_chart.of_kind("APIService") {
        let annotations = &service["metadata"]["annotations"];
        assert_eq!(
            annotations["helm.sh/resource-policy"],
            Value::Null,
            "helm uninstall must delete what Helm owns"
        );
    }
}
