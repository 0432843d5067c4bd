//! Scale targets that are absent, late, deleted, of other kinds, or not allowed.

use std::collections::BTreeMap;

use serde_json::json;

use super::fixture::{Operated, deployment, operator_with, resource, workload};
use support::{Cluster, write::Bound};

#[tokio::test]
async fn a_target_may_come_later_and_may_go_again() {
    let operated = Operated::start("late");
    operated.namespace.apply(&deployment("gateway", 1));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker"), workload("gateway")]).to_string());
    let message = operated
        .condition("v", "ScaleTargetFound", "False", "NotFound")
        .await;
    assert!(message.contains("Deployment worker"), "{message}");
    operated.appears("hpa", "v-gateway").await;
    assert!(operated.get("hpa", "v-worker").is_none());
    // Nothing of this target exists that could trigger a reconcile, so the operator looks again by itself.
    operated
        .namespace
        .apply(&resource("w", &[workload("alone")]).to_string());
    operated
        .condition("w", "ScaleTargetFound", "False", "NotFound")
        .await;

    operated.namespace.apply(&deployment("worker", 1));
    operated.namespace.apply(&deployment("alone", 1));
    operated.appears("hpa", "v-worker").await;
    operated.appears("hpa", "w-alone").await;
    operated.condition("v", "ScaleTargetFound", "True", "Found").await;

    operated.namespace.delete("deployment", "worker");
    operated
        .condition("v", "ScaleTargetFound", "False", "NotFound")
        .await;
    assert!(operated.get("hpa", "v-worker").is_some(), "what exists stays");
    let told = operated
        .events("v")
        .into_iter()
        .filter(|(reason, _)| reason == "NotFound")
        .count();
    assert_eq!(told, 2, "once when it was missing, once when it went");
}

const THINGS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: voicethings.test.voiceassist.io}
spec:
  group: test.voiceassist.io
  scope: Namespaced
  names: {kind: VoiceThing, plural: voicethings, singular: voicething}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {replicas: {type: integer}}}
          status: {type: object, properties: {replicas: {type: integer}, selector: {type: string}}}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
";

#[tokio::test]
async fn a_custom_resource_with_a_scale_subresource_is_a_target_like_any_other() {
    let cluster = Cluster::shared();
    cluster.apply("", THINGS);
    cluster.established("voicethings.test.voiceassist.io");
    let operated = Operated::start("custom");
    let thing = json!({"apiVersion": "test.voiceassist.io/v1", "kind": "VoiceThing", "metadata": {"name": "t"}, "spec": {"replicas": 2}});
    operated.namespace.apply(&thing.to_string());
    let mut target = workload("thing");
    target["scaleTargetRef"] =
        json!({"apiVersion": "test.voiceassist.io/v1", "kind": "VoiceThing", "name": "t"});
    operated.namespace.apply(&resource("v", &[target]).to_string());
    operated.appears("hpa", "v-thing").await;
    // The target has no selector yet. A budget without a selector would apply to the whole namespace.
    let message = operated
        .condition("v", "ResourcesApplied", "False", "NotScalable")
        .await;
    assert!(message.contains("labelSelectorPath"), "{message}");
    assert!(operated.get("pdb", "v-thing").is_none());

    let status = json!({"status": {"replicas": 2, "selector": "app=t,tier in (a,b)"}});
    operated.namespace.patch("voicething", "t/status", &status);
    let budget = operated.appears("pdb", "v-thing").await;
    assert_eq!(budget["spec"]["selector"]["matchLabels"], json!({"app": "t"}));
    assert_eq!(
        budget["spec"]["selector"]["matchExpressions"],
        json!([{"key": "tier", "operator": "In", "values": ["a", "b"]}])
    );
}

#[tokio::test]
async fn kinds_that_cannot_be_scaled_say_so_and_stop_only_themselves() {
    let operated = Operated::start("kinds");
    operated.namespace.apply(&deployment("worker", 1));
    let target = |name: &str, api_version: &str, kind: &str| {
        let mut workload = workload(name);
        workload["scaleTargetRef"] = json!({"apiVersion": api_version, "kind": kind, "name": name});
        workload
    };
    let workloads = [
        target("daemon", "apps/v1", "DaemonSet"),
        target("nothing", "nothing.io/v1", "Nothing"),
        workload("worker"),
    ];
    operated.namespace.apply(&resource("v", &workloads).to_string());
    operated
        .condition("v", "ScaleTargetFound", "False", "NotScalable")
        .await;
    operated.appears("hpa", "v-worker").await;
    let object = operated.get("voiceassistscaling", "v").unwrap();
    let reasons: BTreeMap<String, String> = object["status"]["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|workload| {
            let conditions = workload["conditions"].as_array().unwrap();
            let found = conditions
                .iter()
                .find(|one| one["type"] == "ScaleTargetFound")
                .unwrap();
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (text(&workload["name"]), text(&found["reason"]))
        })
        .collect();
    assert_eq!(reasons["daemon"], "NotScalable");
    assert_eq!(reasons["nothing"], "NotFound");
    assert_eq!(reasons["worker"], "Found");
}

/// Gives an account of the namespace these rights in addition to those on resources and children, and starts
/// an operator under that account.
fn limited(operated: &mut Operated<'_>, further: &serde_json::Value) -> String {
    let (cluster, namespace) = (operated.cluster, operated.namespace.name().to_owned());
    let name = format!("limited-{namespace}");
    let mut role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
        "rules": [
            {"apiGroups": ["scaling.voiceassist.io"], "resources": ["voiceassistscalings", "voiceassistscalings/status"], "verbs": ["*"]},
            {"apiGroups": ["autoscaling", "policy", "autoscaling.k8s.io"], "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": [""], "resources": ["limitranges", "resourcequotas"], "verbs": ["*"]},
            {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
        ],
    });
    if let (Some(rules), Some(further)) = (role["rules"].as_array_mut(), further.as_array()) {
        rules.extend(further.iter().cloned());
    }
    cluster.apply_all("", &[role]);
    cluster.create_account(&namespace, "limited", Some(Bound::Everywhere(&name)));
    let kubeconfig = cluster.service_account_kubeconfig(&namespace, "limited");
    operated.operator = operator_with(&kubeconfig, &namespace, &[]);
    name
}

#[tokio::test]
async fn where_targets_may_not_be_watched_the_operator_asks_for_each_and_says_so_once() {
    let mut operated = Operated::start("unwatched");
    let rights = json!([{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get"]}]);
    let name = limited(&mut operated, &rights);
    operated.namespace.apply(&deployment("worker", 1));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker"), workload("later")]).to_string());
    operated.appears("hpa", "v-worker").await;
    operated.appears("pdb", "v-worker").await;
    operated
        .condition("v", "ScaleTargetFound", "False", "NotFound")
        .await;
    operated.namespace.apply(&deployment("later", 1));
    operated.appears("hpa", "v-later").await;
    let log = operated.operator.log();
    for kind in ["clusterrolebinding", "clusterrole"] {
        operated.cluster.delete("", kind, &name);
    }
    let said = log.matches("may not list and watch deployments").count();
    assert_eq!(said, 1, "{log}");
}

#[tokio::test]
async fn a_missing_rbac_rule_is_spelled_out() {
    // An account with no right outside its namespace, and no right to read targets.
    let mut operated = Operated::start("forbidden");
    let name = limited(&mut operated, &json!([]));
    operated.namespace.apply(&deployment("worker", 1));
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    let message = operated
        .condition("v", "ScaleTargetFound", "False", "Forbidden")
        .await;
    for kind in ["clusterrolebinding", "clusterrole"] {
        operated.cluster.delete("", kind, &name);
    }
    assert!(
        message.contains(r#"apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["get"]"#),
        "{message}"
    );
}
