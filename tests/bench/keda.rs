//! The objects through which KEDA knows a workload.
//!
//! The adapter asks the operator for each value by gRPC, and the operator asks Prometheus. KEDA serves
//! External metrics only.

use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
};
use serde_json::{Value, json};

use crate::{arguments::KedaReads, workload::Workload};

/// Creates the objects that KEDA needs to serve a workload's metric.
pub(crate) async fn create(
    client: &Client,
    workload: Workload,
    prometheus: &str,
    reads: KedaReads,
) -> Result<(), kube::Error> {
    let namespace = workload.namespace();
    let deployment = serde_json::from_value(deployment()).map_err(kube::Error::SerdeError)?;
    let deployments = Api::<Deployment>::namespaced(client.clone(), &namespace);
    deployments.create(&PostParams::default(), &deployment).await?;
    let object: DynamicObject = serde_json::from_value(scaled_object(&namespace, prometheus, reads))
        .map_err(kube::Error::SerdeError)?;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject"));
    let objects = Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, &kind);
    objects.create(&PostParams::default(), &object).await.map(drop)
}

/// The scale target, without which KEDA serves no metric. It is paused, so it makes no pods.
fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api"},
        "spec": {
            "paused": true,
            "replicas": crate::workload::PODS,
            "selector": {"matchLabels": {"app": "api"}},
            "template": {
                "metadata": {"labels": {"app": "api"}},
                "spec": {"containers": [{"name": "app", "image": "voiceassist/app"}]},
            },
        },
    })
}

/// The resource that asks KEDA for the same metric as the external one of [`Workload::scaling`].
fn scaled_object(namespace: &str, prometheus: &str, reads: KedaReads) -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "api"},
        "spec": {
            "scaleTargetRef": {"name": "api"},
            "minReplicaCount": 1,
            "maxReplicaCount": 10,
            "triggers": [{
                "type": "prometheus",
                "useCachedMetrics": reads == KedaReads::Cached,
                "metadata": {
                    "serverAddress": prometheus,
                    "query": format!("max(bench_queue_depth{{namespace=\"{namespace}\"}})"),
                    "threshold": "50",
                },
            }],
        },
    })
}
