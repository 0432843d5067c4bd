//! The children that the operator writes for the shipped example. After that it writes nothing more.

use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::{Operated, deployment, operator, resource, workload};
use support::{
    Cluster, audit,
    cluster::{bin, root},
    eventually,
};

/// The shipped example, with the environment set as a user's overlay does it.
fn example(environment: &str) -> String {
    let path = root().join("manifests/voiceassist/voiceassistscaling.yaml");
    let text = std::fs::read_to_string(path).expect("the example is there");
    text.replacen(
        "\nspec:\n",
        &format!("\nspec:\n  environment: {environment}\n"),
        1,
    )
}

/// Whether an object contains all fields of another one. The API server adds defaults.
fn contains(live: &Value, rendered: &Value) -> bool {
    match (live, rendered) {
        (Value::Object(live), Value::Object(rendered)) => rendered
            .iter()
            .all(|(key, value)| live.get(key).is_some_and(|found| contains(found, value))),
        (Value::Array(live), Value::Array(rendered)) => {
            live.len() == rendered.len()
                && live
                    .iter()
                    .zip(rendered)
                    .all(|(live, rendered)| contains(live, rendered))
        }
        (live, rendered) => live == rendered,
    }
}

pub(super) fn install_vpa_crd(cluster: &Cluster) {
    let crds = std::fs::read_to_string(bin("vpa-crd.yaml")).expect("the VPA's CRDs");
    cluster.apply("", &crds);
    cluster.established("verticalpodautoscalers.autoscaling.k8s.io");
}

#[tokio::test]
async fn the_example_becomes_exactly_what_render_prints() {
    let cluster = Cluster::shared();
    install_vpa_crd(cluster);
    let operated = Operated::start("children");
    for name in ["api-gateway", "worker"] {
        operated.namespace.apply(&deployment(name, 3));
    }
    operated.namespace.apply(&example("production"));
    operated
        .condition("voiceassist", "ResourcesApplied", "True", "Applied")
        .await;

    let uid = operated.get("voiceassistscaling", "voiceassist").unwrap()["metadata"]["uid"].clone();
    let rendered = support::vas::run(&[
        "render",
        "-f",
        "manifests/voiceassist/voiceassistscaling.yaml",
        "--environment",
        "production",
        "-o",
        "json",
    ]);
    let rendered: Value = serde_json::from_slice(&rendered.stdout).expect("render prints JSON");
    let children = rendered["items"]
        .as_array()
        .or(rendered.as_array())
        .expect("a list of children");
    assert_eq!(
        children.len(),
        8,
        "two HPAs, VPAs and PDBs, one LimitRange, one ResourceQuota"
    );
    for child in children {
        let (kind, name) = (
            child["kind"].as_str().unwrap(),
            child["metadata"]["name"].as_str().unwrap(),
        );
        let live = operated
            .get(kind, name)
            .unwrap_or_else(|| panic!("{kind} {name} does not exist"));
        let owner = &live["metadata"]["ownerReferences"][0];
        assert_eq!(
            (&owner["uid"], &owner["controller"]),
            (&uid, &json!(true)),
            "{kind} {name}"
        );
        assert_eq!(
            live["metadata"]["labels"], child["metadata"]["labels"],
            "{kind} {name}"
        );
        if kind != "PodDisruptionBudget" {
            assert!(
                contains(&live["spec"], &child["spec"]),
                "{kind} {name}: {live} does not hold {child}"
            );
        }
    }
    let budget = operated.get("pdb", "voiceassist-worker").unwrap();
    assert_eq!(
        budget["spec"]["selector"],
        json!({"matchLabels": {"app": "worker"}})
    );
    assert_eq!(budget["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow");
}

#[tokio::test]
async fn an_unchanged_resource_causes_no_write_over_two_resyncs_and_a_restart() {
    // A cluster of its own: on the shared one other tests stop Prometheus, and conditions rightly change.
    let cluster = &Cluster::start("quiet", &[]);
    cluster.install_crd();
    install_vpa_crd(cluster);
    let mut operated = Operated::on(cluster, "quiet", &["--resync-period=3s"]);
    for name in ["api-gateway", "worker"] {
        operated.namespace.apply(&deployment(name, 3));
    }
    // A value that the API server fills in where the author leaves it out is no difference.
    let written = "defaultRequest: {cpu: 100m, memory: 128Mi}";
    let example = example("production");
    assert!(example.contains(written), "{example}");
    operated
        .namespace
        .apply(&example.replace(written, "defaultRequest: {cpu: 100m}"));
    operated
        .condition("voiceassist", "ResourcesApplied", "True", "Applied")
        .await;
    // The HPAs need time to settle. First even the pods' CPU is unknown; in the end their conditions say that
    // no server has the custom metrics.
    for (hpa, reason) in [
        ("voiceassist-api-gateway", "FailedGetPodsMetric"),
        ("voiceassist-worker", "FailedGetObjectMetric"),
    ] {
        eventually(Duration::from_secs(90), "the HPA's last condition", || async {
            let object = operated.get("hpa", hpa).unwrap_or_default();
            let conditions = object["status"]["conditions"].as_array().cloned();
            if conditions.iter().flatten().any(|one| one["reason"] == reason) {
                Ok(())
            } else {
                Err(format!("{conditions:?}"))
            }
        })
        .await;
    }
    settled(&operated).await;

    let since = jiff::Timestamp::now();
    let reconciled = |operated: &Operated<'_>| operated.operator.log().matches(" reconciled").count();
    let before = reconciled(&operated);
    eventually(Duration::from_secs(60), "three resyncs", || async {
        let count = reconciled(&operated) - before;
        if count >= 3 {
            Ok(())
        } else {
            Err(format!("{count} reconciles"))
        }
    })
    .await;
    // A restarted operator has no memory, and still finds nothing to write.
    operated.operator = operator(cluster, operated.namespace.name(), &["--resync-period=3s"]);
    eventually(
        Duration::from_secs(60),
        "two reconciles after the restart",
        || async {
            let count = reconciled(&operated);
            if count >= 2 {
                Ok(())
            } else {
                Err(format!("{count} reconciles"))
            }
        },
    )
    .await;
    let writes: Vec<_> = audit::writes_since(cluster, operated.namespace.name(), since)
        .into_iter()
        .filter(|request| request.user_agent.starts_with("vas/"))
        .collect();
    assert!(writes.is_empty(), "{writes:#?}");
}

/// Waits until the resource's status has not changed for some seconds.
async fn settled(operated: &Operated<'_>) {
    let version = || {
        let object = operated
            .get("voiceassistscaling", "voiceassist")
            .unwrap_or_default();
        object["metadata"]["resourceVersion"].to_string()
    };
    let mut last = (version(), std::time::Instant::now());
    eventually(Duration::from_secs(120), "the status to settle", || {
        let now = version();
        if now != last.0 {
            last = (now, std::time::Instant::now());
        }
        let quiet = last.1.elapsed();
        async move {
            if quiet > Duration::from_secs(18) {
                Ok(())
            } else {
                Err(format!("quiet for {quiet:?}"))
            }
        }
    })
    .await;
}

#[tokio::test]
async fn suspending_freezes_both_directions_and_going_on_restores_them() {
    let operated = Operated::start("suspend");
    operated.namespace.apply(&deployment("worker", 2));
    let mut resource = super::fixture::resource("v", &[super::fixture::workload("worker")]);
    operated.namespace.apply(&resource.to_string());
    let policy = "/spec/behavior/scaleDown/selectPolicy";
    operated
        .field_becomes("hpa", "v-worker", policy, json!("Max"))
        .await;
    resource["spec"]["suspend"] = json!(true);
    operated.namespace.apply(&resource.to_string());
    operated
        .field_becomes("hpa", "v-worker", policy, json!("Disabled"))
        .await;
    operated
        .field_becomes(
            "hpa",
            "v-worker",
            "/spec/behavior/scaleUp/selectPolicy",
            json!("Disabled"),
        )
        .await;
    resource["spec"]["suspend"] = json!(false);
    operated.namespace.apply(&resource.to_string());
    operated
        .field_becomes("hpa", "v-worker", policy, json!("Max"))
        .await;
}

#[tokio::test]
async fn a_child_that_nothing_asks_for_goes_and_replicas_stay_when_the_resource_goes() {
    let operated = Operated::start("gone");
    operated.namespace.apply(&deployment("worker", 3));
    let mut resource = super::fixture::resource("v", &[super::fixture::workload("worker")]);
    operated.namespace.apply(&resource.to_string());
    operated.appears("pdb", "v-worker").await;
    resource["spec"]["workloads"][0]["disruption"] = json!({"enabled": false});
    operated.namespace.apply(&resource.to_string());
    operated.field_becomes("pdb", "v-worker", "", json!(null)).await;
    assert!(operated.get("hpa", "v-worker").is_some());

    operated.namespace.delete("voiceassistscaling", "v");
    operated.field_becomes("hpa", "v-worker", "", json!(null)).await;
    assert_eq!(operated.replicas("worker"), 3);
}

#[tokio::test]
async fn a_workload_without_metrics_is_protected_and_scaled_by_nobody() {
    let operated = Operated::start("protected");
    operated.namespace.apply(&deployment("worker", 3));
    let alone = json!({
        "name": "worker",
        "scaleTargetRef": {"name": "worker"},
        "disruption": {"minAvailable": 2, "unhealthyPodEvictionPolicy": "IfHealthyBudget"},
    });
    operated
        .namespace
        .apply(&resource("v", std::slice::from_ref(&alone)).to_string());
    let budget = operated.appears("pdb", "v-worker").await;
    assert_eq!(budget["spec"]["unhealthyPodEvictionPolicy"], "IfHealthyBudget");
    operated.condition("v", "Ready", "True", "Ready").await;
    assert_eq!(operated.get("hpa", "v-worker"), None);
    let stored = operated.get("voiceassistscaling", "v").unwrap();
    assert_eq!(
        stored["spec"]["workloads"][0]["scaleTargetRef"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"}),
        "the defaults are stored"
    );

    let mut scaled = alone.clone();
    scaled["minReplicas"] = json!(3);
    scaled["maxReplicas"] = json!(5);
    scaled["metrics"] =
        json!([{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}]);
    operated.namespace.apply(&resource("v", &[scaled]).to_string());
    operated.appears("hpa", "v-worker").await;
    operated.namespace.apply(&resource("v", &[alone]).to_string());
    operated.field_becomes("hpa", "v-worker", "", json!(null)).await;
    assert_eq!(operated.replicas("worker"), 3);
}

#[tokio::test]
async fn limits_are_left_to_others_where_the_operator_may_not_write_them() {
    let operated = Operated::on(Cluster::shared(), "nolimits", &["--manage-limits=false"]);
    operated.namespace.apply(&deployment("worker", 1));
    let mut resource = super::fixture::resource("v", &[super::fixture::workload("worker")]);
    resource["spec"]["limits"] = json!({"limitRange": {"default": {"memory": "512Mi"}}});
    operated.namespace.apply(&resource.to_string());
    let message = operated
        .condition("v", "LimitsManaged", "False", "LimitsNotManaged")
        .await;
    assert!(message.contains("--manage-limits=false"), "{message}");
    operated
        .condition("v", "ResourcesApplied", "True", "Applied")
        .await;
    assert!(
        operated.get("hpa", "v-worker").is_some(),
        "the HPA is not held back"
    );
    assert!(operated.get("limitrange", "v").is_none());
}

#[tokio::test]
async fn a_workload_that_breaks_a_rule_keeps_its_children_and_holds_back_no_other() {
    let operated = Operated::start("invalid");
    for name in ["gateway", "worker"] {
        operated.namespace.apply(&deployment(name, 1));
    }
    let (mut gateway, mut worker) = (workload("gateway"), workload("worker"));
    operated
        .namespace
        .apply(&resource("v", &[gateway.clone(), worker.clone()]).to_string());
    operated
        .condition("v", "ResourcesApplied", "True", "Applied")
        .await;
    let before =
        ["hpa", "pdb"].map(|kind| operated.get(kind, "v-worker").unwrap()["metadata"]["uid"].clone());

    // A rule that a schema cannot express.
    gateway["maxReplicas"] = 9.into();
    worker["metrics"] = json!([{"name": "own", "prometheus": {"query": "sum(", "target": {"value": "5"}}}]);
    operated
        .namespace
        .apply(&resource("v", &[gateway, worker]).to_string());
    let message = operated.condition("v", "SpecValid", "False", "Invalid").await;
    assert!(
        message.contains("spec.workloads[1].metrics[0].prometheus.query"),
        "{message}"
    );
    operated
        .field_becomes("hpa", "v-gateway", "/spec/maxReplicas", json!(9))
        .await;
    for (kind, uid) in ["hpa", "pdb"].into_iter().zip(before) {
        let kept = operated.get(kind, "v-worker").unwrap_or_default();
        assert_eq!(kept["metadata"]["uid"], uid, "{kind}: {kept}");
        assert!(kept["metadata"]["deletionTimestamp"].is_null(), "{kind}: {kept}");
    }
}
