//! Reads the objects in the namespaces of the resources.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt as _, stream};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{Pod, ResourceQuota},
        policy::v1::PodDisruptionBudget,
    },
};
use kube::{
    Api, Client, Resource,
    api::ListParams,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    CONCURRENT,
    reader::{get, read as bounded, reader},
    scalings::json,
    targets,
};
use crate::doctor::observed::{NamespaceSeen, Observed, ScalingSeen};
use vas_api::v1alpha1::ScaleTargetRef;
use vas_cluster::{clock::SystemClock, kinds::Kinds};
use vas_core::{
    k8s::{
        read::{Read, Unread},
        scale_target::{ScaleTarget, TargetId},
    },
    spec::model::Source,
};

/// Most namespaces that are read at the same time. Each takes several requests at once.
const NAMESPACES: usize = CONCURRENT / 4;

/// Reads every namespace that has a resource.
pub(super) async fn read(client: &Client, observed: &Observed) -> BTreeMap<String, NamespaceSeen> {
    let mut by_namespace: BTreeMap<&str, Vec<&ScalingSeen>> = BTreeMap::new();
    for scaling in observed.scalings.iter().flatten() {
        by_namespace
            .entry(&scaling.resource.namespace)
            .or_default()
            .push(scaling);
    }
    let kinds = &Kinds::new(reader(client), Arc::new(SystemClock::new()));
    let reads = by_namespace.into_iter().map(|(namespace, scalings)| async move {
        (
            namespace.to_owned(),
            Box::pin(one(client, kinds, namespace, &scalings)).await,
        )
    });
    stream::iter(reads).buffer_unordered(NAMESPACES).collect().await
}

async fn one(client: &Client, kinds: &Kinds, namespace: &str, scalings: &[&ScalingSeen]) -> NamespaceSeen {
    let (hpas, pdbs, pods, quotas, vpas, pod_metrics, targets) = tokio::join!(
        list::<HorizontalPodAutoscaler>(client, namespace),
        list::<PodDisruptionBudget>(client, namespace),
        list::<Pod>(client, namespace),
        list::<ResourceQuota>(client, namespace),
        vpas(client, namespace),
        pod_metrics(client, namespace, scalings),
        targets(client, kinds, namespace, scalings),
    );
    NamespaceSeen {
        hpas,
        pdbs,
        pods,
        quotas,
        vpas,
        pod_metrics,
        targets,
    }
}

async fn list<K>(client: &Client, namespace: &str) -> Read<Vec<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    Ok(bounded(api.list(&ListParams::default())).await?.items)
}

async fn vpas(client: &Client, namespace: &str) -> Read<Vec<Value>> {
    let kind = GroupVersionKind::gvk("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler");
    let resource = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let list = bounded(api.list(&ListParams::default())).await?;
    Ok(list.items.iter().map(json).collect())
}

/// Names of the pods for which metrics.k8s.io has values. It is read only if a workload scales on CPU or
/// memory.
async fn pod_metrics(client: &Client, namespace: &str, scalings: &[&ScalingSeen]) -> Read<Vec<String>> {
    let workloads = scalings.iter().filter_map(|seen| seen.scaling.as_ref());
    let used = workloads.flat_map(|scaling| &scaling.workloads).any(|workload| {
        let mut metrics = workload.metrics.iter();
        metrics.any(|metric| !matches!(metric.source, Source::Prometheus(_)))
    });
    if !used {
        return Err(Unread::NotAsked(
            "no workload here scales on cpu or memory".to_owned(),
        ));
    }
    let list = get(
        client,
        &format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"),
    )
    .await?;
    let items = list.get("items").and_then(Value::as_array);
    let names = items
        .into_iter()
        .flatten()
        .filter_map(|item| item.pointer("/metadata/name")?.as_str().map(str::to_owned));
    Ok(names.collect())
}

async fn targets(
    client: &Client,
    kinds: &Kinds,
    namespace: &str,
    scalings: &[&ScalingSeen],
) -> BTreeMap<TargetId, Read<ScaleTarget>> {
    let named: BTreeSet<(TargetId, String)> = scalings
        .iter()
        .filter_map(|seen| seen.scaling.as_ref())
        .flat_map(|scaling| &scaling.workloads)
        .map(|workload| {
            let id = TargetId {
                kind: workload.target.kind.clone(),
                name: workload.target.name.clone(),
            };
            (id, workload.target.api_version.clone())
        })
        .collect();
    let reads = named.into_iter().map(|(id, api_version)| async move {
        let target = ScaleTargetRef {
            api_version,
            kind: id.kind.clone(),
            name: id.name.clone(),
        };
        let read = targets::read(client, kinds, namespace, &target).await;
        (id, read)
    });
    stream::iter(reads).buffer_unordered(NAMESPACES).collect().await
}
