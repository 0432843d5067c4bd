//! Children changed by hand.

use serde_json::json;

use super::fixture::{Operated, deployment, resource, workload};

#[tokio::test]
async fn a_hand_edit_is_taken_back_and_its_author_named() {
    let operated = Operated::start("edit");
    operated.namespace.apply(&deployment("worker", 1));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    operated.appears("hpa", "v-worker").await;
    operated.namespace.kubectl(&[
        "patch",
        "hpa",
        "v-worker",
        "--field-manager=somebody",
        "--type=merge",
        "-p",
        r#"{"spec": {"maxReplicas": 50}}"#,
    ]);
    operated
        .field_becomes("hpa", "v-worker", "/spec/maxReplicas", json!(5))
        .await;
    let note = operated.event("v", "ChangeOverwritten").await;
    assert!(
        note.contains(".spec.maxReplicas") && note.contains("somebody"),
        "{note}"
    );
}

#[tokio::test]
async fn a_deleted_child_comes_back() {
    let operated = Operated::start("deleted");
    operated.namespace.apply(&deployment("worker", 1));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    let before = operated.appears("hpa", "v-worker").await["metadata"]["uid"].clone();
    operated.namespace.kubectl(&["delete", "hpa", "v-worker"]);
    let after = operated.appears("hpa", "v-worker").await["metadata"]["uid"].clone();
    assert_ne!(before, after);
}

#[tokio::test]
async fn what_others_add_beside_our_fields_stays() {
    let operated = Operated::start("beside");
    operated.namespace.apply(&deployment("worker", 1));
    let mut resource = resource("v", &[workload("worker")]);
    operated.namespace.apply(&resource.to_string());
    operated.appears("hpa", "v-worker").await;
    operated
        .namespace
        .kubectl(&["label", "hpa", "v-worker", "team=voice"]);
    resource["spec"]["workloads"][0]["maxReplicas"] = json!(7);
    operated.namespace.apply(&resource.to_string());
    operated
        .field_becomes("hpa", "v-worker", "/spec/maxReplicas", json!(7))
        .await;
    let hpa = operated.get("hpa", "v-worker").unwrap();
    assert_eq!(hpa["metadata"]["labels"]["team"], "voice");
}

#[tokio::test]
async fn a_field_that_is_no_longer_asked_for_is_removed() {
    let operated = Operated::start("removed");
    operated.namespace.apply(&deployment("worker", 1));
    let mut resource = resource("v", &[workload("worker")]);
    resource["spec"]["workloads"][0]["behavior"] = json!({"scaleUp": {"tolerance": "0.2"}});
    operated.namespace.apply(&resource.to_string());
    let tolerance = "/spec/behavior/scaleUp/tolerance";
    operated
        .field_becomes("hpa", "v-worker", tolerance, json!("200m"))
        .await;
    resource["spec"]["workloads"][0]["behavior"] = json!({});
    operated.namespace.apply(&resource.to_string());
    operated
        .field_becomes("hpa", "v-worker", tolerance, json!(null))
        .await;
}
