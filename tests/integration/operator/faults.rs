//! Faults around the operator, on a cluster of these tests alone, one after the other.

use std::{convert::Infallible, time::Duration};

use serde_json::json;

use super::{
    fixture::{Operated, deployment, resource, workload},
    leadership::{leads, replica},
};
use support::{
    Cluster,
    cluster::{bin, root},
    eventually,
    namespace::Namespace,
    shared::{Group, Held},
};

/// The cluster that these tests break, for one at a time.
async fn own_cluster() -> Held<Cluster> {
    static CLUSTER: Group<Cluster> = Group::new();
    let start = async || {
        let cluster = Cluster::start("operator-faults", &[]);
        cluster.install_crd();
        Ok::<_, Infallible>(cluster)
    };
    CLUSTER.hold(start).await
}

const VPA: &str = "verticalpodautoscalers.autoscaling.k8s.io";

fn install_vpa(cluster: &Cluster, crds: &str) {
    cluster.apply("", crds);
    cluster.established(VPA);
}

#[tokio::test]
async fn a_vpa_comes_when_its_crd_does_and_an_old_crd_is_reported() {
    let held = own_cluster().await;
    let cluster: &Cluster = &held;
    let operated = Operated::on(cluster, "vpa", &[]);
    operated.namespace.apply(&deployment("worker", 0));
    let mut worker = workload("worker");
    worker["vertical"] = json!({"updateMode": "InPlaceOrRecreate", "containers": [{"name": "*", "controlledResources": ["memory"]}]});
    operated.namespace.apply(&resource("v", &[worker]).to_string());
    let message = operated
        .condition("v", "ResourcesApplied", "True", "VpaNotInstalled")
        .await;
    assert!(
        message.contains("verticalpodautoscalers.autoscaling.k8s.io"),
        "{message}"
    );
    operated.appears("hpa", "v-worker").await;

    let current = std::fs::read_to_string(bin("vpa-crd.yaml")).expect("the VPA's CRDs");
    // The CRD as VPA 1.3 had it.
    let lines = current.lines();
    let old: Vec<&str> = lines
        .filter(|line| !matches!(line.trim(), "- InPlaceOrRecreate" | "- InPlace"))
        .collect();
    let old = old.join("\n") + "\n";
    assert_ne!(old, current);
    install_vpa(cluster, &old);
    let message = operated
        .condition("v", "ResourcesApplied", "False", "VpaTooOld")
        .await;
    assert!(message.contains("InPlaceOrRecreate"), "{message}");
    assert!(operated.get("vpa", "v-worker").is_none());

    install_vpa(cluster, &current);
    let vpa = operated.appears("vpa", "v-worker").await;
    assert_eq!(vpa["spec"]["updatePolicy"]["updateMode"], "InPlaceOrRecreate");
    operated
        .condition("v", "ResourcesApplied", "True", "Applied")
        .await;

    // When the CRD is removed again, only the VPA is affected.
    cluster.delete("", "crd", VPA);
    operated
        .condition("v", "ResourcesApplied", "True", "VpaNotInstalled")
        .await;
}

#[tokio::test]
async fn an_api_server_that_was_away_for_half_a_minute_is_followed_again() {
    let held = own_cluster().await;
    let cluster: &Cluster = &held;
    let mut operated = Operated::on(cluster, "away", &[]);
    operated.namespace.apply(&deployment("worker", 0));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    operated
        .condition("v", "ResourcesApplied", "True", "Applied")
        .await;
    cluster.component("stop", "kube-apiserver");
    tokio::time::sleep(Duration::from_secs(30)).await;
    operated.operator.assert_running();
    cluster.component("start", "kube-apiserver");
    eventually(Duration::from_secs(60), "the API server answers", || async {
        cluster.is_ready()
    })
    .await;
    let mut worker = workload("worker");
    worker["maxReplicas"] = json!(9);
    operated.namespace.apply(&resource("v", &[worker]).to_string());
    eventually(Duration::from_secs(240), "the change arrives", || async {
        let hpa = operated.get("hpa", "v-worker").unwrap_or_default();
        if hpa["spec"]["maxReplicas"] == 9 {
            Ok(())
        } else {
            Err(hpa["spec"].to_string())
        }
    })
    .await;
    operated.operator.assert_running();
}

#[tokio::test]
async fn a_leader_whose_api_server_hangs_gives_up_in_time() {
    let held = own_cluster().await;
    let cluster: &Cluster = &held;
    let namespace = Namespace::create(cluster, "hangs");
    let mut leader = replica(cluster, &namespace, "only");
    leads(&namespace, "only").await;
    cluster.component("pause", "kube-apiserver");
    let status = leader.process.wait(Duration::from_secs(60)).await;
    cluster.component("resume", "kube-apiserver");
    assert!(!status.success(), "{status}");
    assert!(
        leader.process.log().contains("lost the lease"),
        "{}",
        leader.process.log()
    );
}

#[tokio::test]
async fn a_stored_object_that_does_not_parse_harms_only_itself() {
    let held = own_cluster().await;
    let cluster: &Cluster = &held;
    let operated = Operated::on(cluster, "malformed", &[]);
    operated.namespace.apply(&deployment("worker", 0));
    // A schema that accepts everything, as an earlier version may have had.
    let crd = std::fs::read_to_string(root().join("crds/voiceassistscalings.yaml")).expect("the CRD");
    let mut loose: serde_json::Value = serde_saphyr::from_str(&crd).expect("the CRD parses");
    loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    cluster.apply_all("", &[loose]);
    let malformed = json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"name": "broken"}, "spec": {"workloads": "none"},
    });
    eventually(
        Duration::from_secs(60),
        "the loose schema is in force",
        || async {
            cluster
                .try_apply(operated.namespace.name(), &malformed, "kubectl")
                .map(drop)
        },
    )
    .await;
    cluster.install_crd();

    operated
        .namespace
        .apply(&resource("fine", &[workload("worker")]).to_string());
    operated.appears("hpa", "fine-worker").await;
    let note = operated.event("broken", "Malformed").await;
    assert!(note.contains("does not parse"), "{note}");

    // After the repair the operator goes on without a restart.
    operated.namespace.apply(&deployment("other", 0));
    operated.namespace.delete("voiceassistscaling", "broken");
    operated
        .namespace
        .apply(&resource("broken", &[workload("other")]).to_string());
    operated.appears("hpa", "broken-other").await;
    operated.condition("broken", "SpecValid", "True", "Valid").await;
}

#[tokio::test]
async fn an_object_of_a_newer_schema_is_reported_in_its_status() {
    let held = own_cluster().await;
    let cluster: &Cluster = &held;
    let operated = Operated::on(cluster, "newer", &[]);
    operated.namespace.apply(&deployment("worker", 0));
    let crd = std::fs::read_to_string(root().join("crds/voiceassistscalings.yaml")).expect("the CRD");
    let mut newer: serde_json::Value = serde_saphyr::from_str(&crd).expect("the CRD parses");
    add_update_mode(&mut newer);
    cluster.apply_all("", &[newer]);
    let mut worker = workload("worker");
    worker["vertical"] =
        json!({"updateMode": "Future", "containers": [{"name": "*", "controlledResources": ["memory"]}]});
    let object = resource("v", &[worker]);
    eventually(
        Duration::from_secs(60),
        "the newer schema is in force",
        || async {
            cluster
                .try_apply(operated.namespace.name(), &object, "kubectl")
                .map(drop)
        },
    )
    .await;
    let message = operated.condition("v", "SpecValid", "False", "Malformed").await;
    assert!(message.contains("Future"), "{message}");
    operated.condition("v", "Ready", "False", "Malformed").await;
    let told = operated
        .events("v")
        .into_iter()
        .filter(|(reason, _)| reason == "Malformed")
        .count();
    assert_eq!(told, 1);
    cluster.install_crd();
}

/// Adds an update mode that this version does not know, wherever the schema lists update modes.
fn add_update_mode(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(map) => {
            let modes = map.get_mut("updateMode").and_then(|mode| mode.get_mut("enum"));
            if let Some(modes) = modes.and_then(serde_json::Value::as_array_mut) {
                modes.push(json!("Future"));
            }
            map.values_mut().for_each(add_update_mode);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(add_update_mode),
        _ => {}
    }
}
