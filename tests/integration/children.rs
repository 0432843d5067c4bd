//! The children, applied to the API server. VerticalPodAutoscalers are tested with the operator, because not
//! every cluster has their CRD.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use support::{Cluster, namespace::Namespace, vas::run};

/// Resource versions by kind and name.
type Versions = BTreeMap<(String, String), String>;

fn rendered(environment: &str, namespace: &str) -> Value {
    let output = run(&[
        "render",
        "-f",
        "manifests/voiceassist/voiceassistscaling.yaml",
        "-f",
        "tests/fixtures/deployment.yaml",
        "--environment",
        environment,
        "-n",
        namespace,
        "-o",
        "json",
    ]);
    let mut list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let items = list["items"].as_array_mut().unwrap();
    items.retain(|item| item["kind"] != "VerticalPodAutoscaler");
    assert_eq!(items.len(), 6, "two HPAs, two PDBs, LimitRange, ResourceQuota");
    list
}

/// Applies as the operator does. The output of kubectl has the stored objects.
fn apply(cluster: &Cluster, list: &Value) -> Versions {
    let answer = cluster.kubectl_ok(
        &[
            "apply",
            "--server-side",
            "--field-manager=vas-operator",
            "-o",
            "json",
            "-f",
            "-",
        ],
        Some(&list.to_string()),
    );
    let stored: Value = serde_json::from_str(&answer).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    stored["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let metadata = &item["metadata"];
            (
                (text(&item["kind"]), text(&metadata["name"])),
                text(&metadata["resourceVersion"]),
            )
        })
        .collect()
}

#[test]
fn every_environment_is_accepted_and_applying_it_again_changes_nothing() {
    let cluster = Cluster::shared();
    for environment in ["dev", "staging", "production"] {
        let namespace = Namespace::create(cluster, "children");
        let list = rendered(environment, namespace.name());
        // Controllers write status in between, so spec, generation and the operator's own fields are
        // compared. A LimitRange has no status, so its version must not change.
        let before = apply(cluster, &list);
        let specs = |namespace: &Namespace<'_>| -> Value {
            let text = namespace.kubectl(&[
                "get",
                "hpa,pdb,limitrange,resourcequota",
                "-o",
                "json",
                "--show-managed-fields",
            ]);
            let found: Value = serde_json::from_str(&text).unwrap();
            found["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| {
                    let ours = item["metadata"]["managedFields"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .find(|entry| entry["manager"] == "vas-operator")
                        .unwrap();
                    json!([
                        item["kind"],
                        item["metadata"]["generation"],
                        item["spec"],
                        ours["time"]
                    ])
                })
                .collect()
        };
        let stored = specs(&namespace);
        for item in list["items"].as_array().unwrap() {
            let stored_as_written = stored
                .as_array()
                .unwrap()
                .iter()
                .any(|entry| entry[2] == item["spec"]);
            assert!(stored_as_written, "{environment}: the API server added to {item}");
        }
        let after = apply(cluster, &list);
        assert_eq!(specs(&namespace), stored, "{environment}");
        let limit_range = ("LimitRange".to_owned(), "voiceassist".to_owned());
        assert_eq!(before[&limit_range], after[&limit_range], "{environment}");
    }
}
