//! Reads from a cluster what `vas explain` needs: the resource, its HPAs, scales and pods, and every metric.
//! Metrics are read with the same requests as the HPA controller's.
//!
//! A failed read is kept as the server's message, and the other workloads are explained all the same. Must
//! not: write, or judge what it reads; [`crate::explain`] does.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::{
    autoscaling::{v1::Scale, v2::HorizontalPodAutoscaler},
    core::v1::Pod,
};
use kube::Client;

use super::{Asked, Observed, ObservedWorkload, Read, asked, hpa_of};
use vas_api::v1alpha1::VoiceAssistScaling;
pub use vas_cluster::read::ReadError;
use vas_cluster::{
    discovery::Discovery,
    metric_read,
    read::{List, Reader},
    scale_target,
};
use vas_core::{
    hpa::metric_question::questions,
    k8s::{percent::encode, resource_ref::ResourceRef},
};

/// Longest wait for one answer. If an aggregated API is gone, the API server itself answers late.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// Path of the resources of one namespace, or of all namespaces.
fn resources(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!(
            "/apis/scaling.voiceassist.io/v1alpha1/namespaces/{}/voiceassistscalings",
            encode(namespace)
        ),
        None => "/apis/scaling.voiceassist.io/v1alpha1/voiceassistscalings".to_owned(),
    }
}

/// Reads everything that is needed to explain a resource, or one workload of it.
///
/// # Errors
/// If the resource itself cannot be read, or does not say which object it is. Any other failure is part of the observation.
pub async fn observe(
    client: Client,
    namespace: &str,
    name: &str,
    workload: Option<&str>,
    now: Timestamp,
) -> Result<Observed, ReadError> {
    let reader = Reader::new(client, TIME_LIMIT);
    let object: VoiceAssistScaling = reader
        .get(&format!("{}/{}", resources(Some(namespace)), encode(name)))
        .await?;
    let wanted = |asked: &Asked| workload.is_none_or(|workload| asked.name == workload);
    let resource = ResourceRef::of(&object.metadata)?;
    let asked: Vec<Asked> = asked(&resource, &object, now)
        .into_iter()
        .filter(wanted)
        .collect();
    let discovery = Discovery::new(reader);
    let workloads = asked
        .into_iter()
        .map(|asked| observe_workload(&discovery, namespace, asked));
    Ok(Observed {
        workloads: join_all(workloads).await,
        resource,
        object,
    })
}

/// The namespaces that have a resource of this name, for a user who forgot `-n`.
pub async fn namespaces_with(client: Client, name: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    }
    let list: Result<List<Named>, _> = Reader::new(client, TIME_LIMIT).get(&resources(None)).await;
    let items = list.map(|list| list.items).unwrap_or_default();
    let named = items
        .into_iter()
        .filter(|item| item.metadata.name.as_deref() == Some(name));
    named.filter_map(|item| item.metadata.namespace).collect()
}

async fn observe_workload(discovery: &Discovery, namespace: &str, asked: Asked) -> ObservedWorkload {
    let reader = discovery.reader();
    let hpa = format!(
        "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers/{}",
        encode(namespace),
        encode(&asked.hpa)
    );
    let hpa: Read<Option<HorizontalPodAutoscaler>> =
        reader.get_opt(&hpa).await.map_err(|error| error.words());
    let scale = scale(discovery, namespace, &asked).await;
    let selector = scale.as_ref().ok().and_then(|scale| scale.status.as_ref());
    let selector = selector
        .and_then(|status| status.selector.clone())
        .unwrap_or_default();
    let mut observed = ObservedWorkload {
        pods: pods(reader, namespace, &selector).await,
        asked,
        hpa,
        scale,
        answers: Vec::new(),
    };
    let questions = hpa_of(&observed)
        .map(|hpa| questions(hpa, &selector))
        .unwrap_or_default();
    let answers = questions
        .iter()
        .map(|question| metric_read::answer(discovery, namespace, question));
    observed.answers = join_all(answers).await;
    observed
}

async fn scale(discovery: &Discovery, namespace: &str, asked: &Asked) -> Read<Scale> {
    let target = &asked.target;
    let resource = discovery.resource(&target.api_version, &target.kind).await;
    let resource = resource.map_err(|error| error.to_string())?;
    let scale = scale_target::scale(discovery.reader(), &resource, namespace, &target.name).await;
    scale.map_err(|error| error.words())
}

async fn pods(reader: &Reader, namespace: &str, selector: &str) -> Read<Vec<Pod>> {
    if selector.is_empty() {
        return Err("the target's scale subresource has no status.selector".to_owned());
    }
    let path = format!(
        "/api/v1/namespaces/{}/pods?labelSelector={}",
        encode(namespace),
        encode(selector)
    );
    let list: Result<List<Pod>, _> = reader.get(&path).await;
    list.map(|list| list.items).map_err(|error| error.words())
}
