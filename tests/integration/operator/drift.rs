//! Children changed by hand.

use std::time::{Duration, Instant};

use serde_json::json;

use super::fixture::{Operated, SOON, deployment, resource, workload};
use support::{Cluster, audit, eventually, eventually::throughout};

#[tokio::test]
async fn a_hand_edit_is_taken_back_and_its_author_named() {
    let operated = Operated::start("edit");
    operated.namespace.apply(&deployment("worker", 1));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    operated.appears("hpa", "v-worker").await;
    let edit = json!({"spec": {"maxReplicas": 50}});
    operated
        .cluster
        .patch_as("somebody", operated.namespace.name(), "hpa", "v-worker", &edit);
    operated
        .field_becomes("hpa", "v-worker", "/spec/maxReplicas", json!(5))
        .await;
    let note = operated.event("v", "ChangeOverwritten").await;
    assert!(
        note.contains(".spec.maxReplicas") && note.contains("somebody"),
        "{note}"
    );
}

/// Sets `maxReplicas` of the HPA to 50 whenever it is something else, as a second controller does.
async fn second_controller(client: kube::Client, namespace: String) {
    use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
    use kube::api::{Api, Patch, PatchParams};
    let hpas: Api<HorizontalPodAutoscaler> = Api::namespaced(client, &namespace);
    let params = PatchParams {
        field_manager: Some("second".to_owned()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(json!({"spec": {"maxReplicas": 50}}));
    loop {
        if let Ok(hpa) = hpas.get("v-worker").await
            && hpa.spec.max_replicas != 50
        {
            let _ = hpas.patch("v-worker", &params, &patch).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn against_a_second_controller_the_operator_writes_ever_more_rarely_and_names_it() {
    let operated = Operated::start("fight");
    operated.namespace.apply(&deployment("worker", 0));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    operated.appears("hpa", "v-worker").await;
    let (since, started) = (jiff::Timestamp::now(), Instant::now());
    let client = operated.cluster.client().await;
    let second = tokio::spawn(second_controller(client, operated.namespace.name().to_owned()));
    let message = operated
        .condition("v", "ResourcesApplied", "False", "Contested")
        .await;
    assert!(
        message.contains("second") && message.contains(".spec.maxReplicas"),
        "{message}"
    );
    // The second controller goes on all the time.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let fought = started.elapsed().as_secs();
    let writes = audit::writes_since(operated.cluster, operated.namespace.name(), since);
    let ours = writes.iter().filter(|request| {
        request.user_agent.starts_with("vas/") && request.is_about("horizontalpodautoscalers")
    });
    let forced = ours.filter(|request| request.uri.contains("force=true")).count();
    // Writes are at 0 s twice, or once after the creation; then after further 10 s, 20 s, 40 s and so on.
    let allowed = 2 + [10, 30, 70, 150]
        .iter()
        .filter(|second| **second <= fought + 2)
        .count();
    assert!(
        (1..=allowed).contains(&forced),
        "{forced} forced writes in {fought} s"
    );
    let told = operated.events("v");
    let told = told
        .iter()
        .filter(|(reason, _)| reason == "ChangeOverwritten")
        .count();
    assert_eq!(told, 1, "an Event a period");
    second.abort();
}

#[tokio::test]
async fn a_deleted_child_comes_back() {
    let operated = Operated::start("deleted");
    operated.namespace.apply(&deployment("worker", 1));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    let before = operated.appears("hpa", "v-worker").await["metadata"]["uid"].clone();
    operated.namespace.delete("hpa", "v-worker");
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
    let label = json!({"metadata": {"labels": {"team": "voice"}}});
    operated.namespace.patch("hpa", "v-worker", &label);
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
    resource["spec"]["limits"] = json!({"resourceQuota": {"hard": {"pods": "20", "services": "5"}}});
    operated.namespace.apply(&resource.to_string());
    operated
        .field_becomes("resourcequota", "v", "/spec/hard/services", json!("5"))
        .await;
    resource["spec"]["limits"] = json!({"resourceQuota": {"hard": {"pods": "20"}}});
    operated.namespace.apply(&resource.to_string());
    operated
        .field_becomes("resourcequota", "v", "/spec/hard", json!({"pods": "20"}))
        .await;
}

/// Kubernetes before 1.35 has `tolerance` behind a feature gate that is off, and drops the field silently.
#[tokio::test]
async fn a_field_that_the_api_server_drops_is_named() {
    let operated = Operated::start("dropped");
    operated.namespace.apply(&deployment("worker", 1));
    let mut resource = resource("v", &[workload("worker")]);
    resource["spec"]["workloads"][0]["behavior"] = json!({"scaleUp": {"tolerance": "0.2"}});
    operated.namespace.apply(&resource.to_string());
    if Cluster::shared().minor() >= 35 {
        operated
            .field_becomes(
                "hpa",
                "v-worker",
                "/spec/behavior/scaleUp/tolerance",
                json!("200m"),
            )
            .await;
        operated
            .condition("v", "ResourcesApplied", "True", "Applied")
            .await;
    } else {
        let message = operated
            .condition("v", "ResourcesApplied", "False", "ApplyFailed")
            .await;
        assert!(message.contains("spec.behavior.scaleUp.tolerance"), "{message}");
        assert_eq!(operated.get("hpa", "v-worker").unwrap()["spec"]["maxReplicas"], 5);
    }
}

#[tokio::test]
async fn values_in_an_autoscalers_status_wake_nobody_and_its_conditions_do() {
    let operated = Operated::start("values");
    operated.namespace.apply(&deployment("worker", 0));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    operated.appears("hpa", "v-worker").await;
    let reconciles = || operated.operator.log().matches(" reconciled").count();
    // The HPA controller writes its first conditions in its own time.
    let mut last = (reconciles(), Instant::now());
    eventually(SOON, "quiet", || {
        let now = reconciles();
        if now != last.0 {
            last = (now, Instant::now());
        }
        let quiet = last.1.elapsed();
        async move {
            if quiet > Duration::from_secs(8) {
                Ok(())
            } else {
                Err(format!("quiet for {quiet:?}"))
            }
        }
    })
    .await;

    let before = reconciles();
    let patch = |status: serde_json::Value| {
        let status = json!({"status": status});
        operated.namespace.patch("hpa", "v-worker/status", &status);
    };
    for value in 1..4 {
        let current = json!({"averageUtilization": value, "averageValue": format!("{value}m")});
        patch(
            json!({"currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]}),
        );
    }
    throughout(Duration::from_secs(3), "no reconcile", || async {
        let count = reconciles();
        if count == before {
            Ok(())
        } else {
            Err(format!("{} reconciles", count - before))
        }
    })
    .await;
    patch(
        json!({"conditions": [{"type": "ScalingActive", "status": "False", "reason": "Tested", "message": "by hand",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]}),
    );
    eventually(SOON, "a reconcile", || async {
        if reconciles() > before {
            Ok(())
        } else {
            Err("none")
        }
    })
    .await;
}
