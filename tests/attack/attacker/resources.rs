//! What the role `edit` can write: resources that cost much, change all the time, or fight the operator.

use std::time::Duration;

use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::{NAMESPACE, Outcomes};
use crate::innocent;

/// Pause between two resources.
const PAUSE: Duration = Duration::from_millis(500);
/// Changes of a resource per second.
const CHANGES: u64 = 20;
/// How many times per second a field of a child is taken from the operator.
const TAKES: u64 = 5;

/// Writes each hostile resource in turn; every third round begins with an empty namespace.
pub(super) async fn write(client: Client, outcomes: Outcomes) {
    let api = scalings(&client);
    for round in 0_u64.. {
        for (kind, name, spec) in hostile() {
            let object = json!({
                "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
                "metadata": {"name": name, "labels": {"attack": "yes"}}, "spec": spec,
            });
            let params = PatchParams::apply("mallory").force();
            let outcome = api.patch(&name, &params, &Patch::Apply(&object)).await;
            outcomes.tried(kind, outcome.map(drop).map_err(|error| error.to_string()));
            tokio::time::sleep(PAUSE).await;
        }
        if round % 3 == 2 {
            let attack = kube::api::ListParams::default().labels("attack=yes");
            let _ = api.delete_collection(&DeleteParams::default(), &attack).await;
        }
    }
}

/// The hostile resources: the kind of attack, a name, and the resource.
fn hostile() -> Vec<(&'static str, String, Value)> {
    let mut all = Vec::new();
    let matchers: Vec<String> = (0..60).map(|n| format!("l{n}=~\"\\\\pL{{200}}\"")).collect();
    let query = format!("sum(x{{{}}})", matchers.join(","));
    all.push(("regular expressions", "regexes".to_owned(), of_query(&query)));
    let query = "max_over_time(vector(1)[500d:1s])";
    all.push((
        "a subquery of 43 million steps",
        "steps".to_owned(),
        of_query(query),
    ));
    let query = format!("{}vector(1){}", "(".repeat(2000), ")".repeat(2000));
    all.push(("deep nesting", "nested".to_owned(), of_query(&query)));
    let query = format!(
        "sum({}{{namespace=\"{}\"}})",
        innocent::GAUGE,
        innocent::NAMESPACE
    );
    all.push(("the innocent's series", "spy".to_owned(), of_query(&query)));
    all.push((
        "`or vector(0)`",
        "zero".to_owned(),
        of_query("sum(x) or vector(0)"),
    ));
    for number in 0..4 {
        let gauges = |workload: usize, metric: usize| {
            json!({"name": format!("m{metric}"), "queueDepth": {
                "gauge": format!("attack_{number}_{workload}_{metric}"), "target": {"averageValue": "1"}}})
        };
        all.push(("1,024 gauges", format!("gauges-{number}"), full(gauges)));
    }
    for number in 0..4 {
        let slow = |workload: usize, metric: usize| {
            let range = 2400 + 256 * number + 16 * workload + metric;
            let query = format!("max_over_time(count({{__name__=~\".+\"}})[{range}s:12s])");
            json!({"name": format!("m{metric}"), "prometheus": {"query": query, "target": {"value": "1"}}})
        };
        all.push(("slow queries", format!("slow-{number}"), full(slow)));
    }
    let windows = |workload: usize, metric: usize| {
        let window = format!("{}s", 60 + 16 * workload + metric);
        json!({"name": format!("m{metric}"), "requestRate": {
            "counter": super::series::COUNTER, "window": window, "target": {"averageValue": "1"}}})
    };
    all.push(("256 shapes over many pods", "shapes".to_owned(), full(windows)));
    for number in 0..8 {
        let workloads: Vec<Value> = (0..16)
            .map(|workload| {
                json!({
                    "name": format!("w{workload}"), "maxReplicas": 3,
                    "scaleTargetRef": {
                        "apiVersion": format!("attack{number}.example/v1"), "kind": "Nothing", "name": format!("x{workload}")},
                    "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 50}}}],
                })
            })
            .collect();
        let spec = json!({"workloads": workloads});
        all.push(("targets of unknown kinds", format!("targets-{number}"), spec));
    }
    all
}

fn of_query(query: &str) -> Value {
    json!({"workloads": [{
        "name": "pawn", "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
        "metrics": [{"name": "q", "onMissing": "Zero", "prometheus": {"query": query, "target": {"value": "1"}}}],
    }]})
}

/// A resource with as many workloads and metrics as it may have.
fn full(metric: impl Fn(usize, usize) -> Value) -> Value {
    let workloads: Vec<Value> = (0..16)
        .map(|workload| {
            let metrics: Vec<Value> = (0..16).map(|number| metric(workload, number)).collect();
            json!({
                "name": format!("w{workload}"), "maxReplicas": 3,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("x{workload}")},
                "metrics": metrics,
            })
        })
        .collect();
    json!({"workloads": workloads})
}

/// Changes the content of a resource many times a second.
pub(super) async fn churn(client: Client, outcomes: Outcomes) {
    let api = scalings(&client);
    let mut tick = tokio::time::interval(Duration::from_millis(1000 / CHANGES));
    for number in 0_u64.. {
        tick.tick().await;
        let mut spec = pawn();
        spec["workloads"][0]["maxReplicas"] = json!(3 + number % 5);
        let object = json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
            "metadata": {"name": "pawn", "annotations": {"attack": format!("{number}")}}, "spec": spec,
        });
        let params = PatchParams::apply("mallory").force();
        let outcome = api.patch("pawn", &params, &Patch::Apply(&object)).await;
        outcomes.tried("changes", outcome.map(drop).map_err(|error| error.to_string()));
    }
}

/// Takes a field of a child again and again, as another field manager.
pub(super) async fn fight(client: Client, outcomes: Outcomes) {
    let hpas: Api<k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler> =
        Api::namespaced(client, NAMESPACE);
    let mut tick = tokio::time::interval(Duration::from_millis(1000 / TAKES));
    for number in 0_u64.. {
        tick.tick().await;
        let patch = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "pawn-pawn"}, "spec": {"maxReplicas": 50 + number % 2},
        });
        let params = PatchParams::apply("another-controller").force();
        let outcome = hpas.patch("pawn-pawn", &params, &Patch::Apply(&patch)).await;
        outcomes.tried(
            "taking a child",
            outcome.map(drop).map_err(|error| error.to_string()),
        );
    }
}

fn pawn() -> Value {
    json!({"workloads": [{
        "name": "pawn", "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "pawn"},
        "metrics": [{"name": "depth", "queueDepth": {"gauge": "attack_depth", "target": {"averageValue": "1"}}}],
    }]})
}

fn scalings(client: &Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("scaling.voiceassist.io", "v1alpha1", "VoiceAssistScaling");
    let resource = ApiResource::from_gvk_with_plural(&kind, "voiceassistscalings");
    Api::namespaced_with(client.clone(), NAMESPACE, &resource)
}
