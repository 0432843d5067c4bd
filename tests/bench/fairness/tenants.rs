//! The tenants: one with three metrics, and many that ask for all that a resource can hold.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, api::PostParams};
use serde_json::{Value, json};
use vas_api::v1alpha1::VoiceAssistScaling;

/// Metrics that the innocent tenant scales on.
pub(crate) const INNOCENT: [&str; 3] = ["innocent_depth", "innocent_requests_total", "innocent_own"];
/// Part of the names of metrics whose queries are never answered.
pub(crate) const ENDLESS: &str = "endless";
/// Part of the names of metrics that every pod has.
pub(crate) const LARGE: &str = "large";
/// Number of objects that are created at once.
const AT_ONCE: usize = 8;
/// Most workloads of a resource, and most metrics of a workload.
const MOST: usize = 16;

/// The namespace of a hostile tenant.
pub(crate) fn namespace(tenant: usize) -> String {
    format!("hostile-{tenant:03}")
}

/// Creates the innocent tenant.
pub(crate) async fn innocent(client: &Client) {
    let [depth, requests, own] = INNOCENT;
    let metrics = json!([
        {"name": "depth", "queueDepth": {"gauge": depth, "target": {"averageValue": "50"}}},
        {"name": "rate", "requestRate": {"counter": requests, "target": {"averageValue": "50"}}},
        {"name": "own", "prometheus": {"query": format!("sum({own})"), "target": {"averageValue": "50"}}},
    ]);
    create(client, "innocent", &json!([workload("api", &metrics)]))
        .await
        .expect("the innocent tenant");
}

/// Creates the hostile tenants.
pub(crate) async fn hostile(client: &Client, tenants: usize) {
    stream::iter(0..tenants)
        .map(|tenant| {
            let workloads = (0..MOST).map(|number| {
                let metrics = (0..MOST).map(|metric| hostile_metric(tenant, number * MOST + metric));
                workload(&format!("w-{number:02}"), &Value::Array(metrics.collect()))
            });
            let workloads = Value::Array(workloads.collect());
            async move { create(client, &namespace(tenant), &workloads).await }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
        .expect("the hostile tenants");
}

fn hostile_metric(tenant: usize, number: usize) -> Value {
    let target = json!({"averageValue": "50"});
    let name = format!("m-{number:03}");
    match number % 3 {
        0 => {
            json!({"name": name, "queueDepth": {"gauge": format!("{ENDLESS}_{tenant}_{number}"), "target": target}})
        }
        1 => {
            json!({"name": name, "requestRate": {"counter": format!("{LARGE}_{tenant}_{number}_total"), "target": target}})
        }
        _ => {
            json!({"name": name, "prometheus": {"query": format!("sum({ENDLESS}_{tenant}_{number})"), "target": target}})
        }
    }
}

fn workload(name: &str, metrics: &Value) -> Value {
    json!({
        "name": name, "maxReplicas": 5, "metrics": metrics,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
    })
}

async fn create(client: &Client, namespace: &str, workloads: &Value) -> Result<(), kube::Error> {
    let object: Namespace = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
    }))
    .map_err(kube::Error::SerdeError)?;
    let params = PostParams::default();
    Api::all(client.clone()).create(&params, &object).await?;
    let scaling: VoiceAssistScaling = serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"name": "voiceassist"}, "spec": {"workloads": workloads},
    }))
    .map_err(kube::Error::SerdeError)?;
    Api::namespaced(client.clone(), namespace)
        .create(&params, &scaling)
        .await?;
    Ok(())
}
