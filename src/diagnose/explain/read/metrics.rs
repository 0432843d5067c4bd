//! The controller's questions to the metrics APIs, put through the API server.

use serde_json::Value;

use super::{
    discovery::Discovery,
    reader::{Reader, encode},
};
use crate::diagnose::explain::{Question, Unanswered};

/// Puts one question; the error is the server's words.
pub(super) async fn answer(
    reader: &Reader,
    discovery: &Discovery,
    namespace: &str,
    question: &Question,
) -> Result<Value, Unanswered> {
    let path = path(discovery, namespace, question).map_err(Unanswered::Missing)?;
    reader.get(&path).await.map_err(|error| {
        if error.is_refusal() {
            Unanswered::Forbidden(error.words())
        } else {
            Unanswered::Missing(error.words())
        }
    })
}

fn path(discovery: &Discovery, namespace: &str, question: &Question) -> Result<String, String> {
    let namespace = encode(namespace);
    let custom = || {
        let version = discovery.custom_metrics()?;
        Ok::<_, String>(format!(
            "/apis/custom.metrics.k8s.io/{version}/namespaces/{namespace}"
        ))
    };
    Ok(match question {
        Question::Usage { selector } => format!(
            "/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods?labelSelector={}",
            encode(selector)
        ),
        Question::Pods {
            metric,
            selector,
            metric_selector,
        } => format!(
            "{}/pods/*/{}?labelSelector={}&metricLabelSelector={}",
            custom()?,
            encode(metric),
            encode(selector),
            encode(metric_selector)
        ),
        Question::Object {
            api_version,
            kind,
            name,
            metric,
            metric_selector,
        } => {
            let object = object(discovery, api_version, kind, name)?;
            format!(
                "{}/{object}/{}?metricLabelSelector={}",
                custom()?,
                encode(metric),
                encode(metric_selector)
            )
        }
        Question::External {
            metric,
            metric_selector,
        } => format!(
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{}?labelSelector={}",
            encode(metric),
            encode(metric_selector)
        ),
        Question::Unknown => return Err("the HPA controller knows no such metric".to_owned()),
    })
}

/// `deployments.apps/worker`; the namespace itself is `metrics`.
fn object(discovery: &Discovery, api_version: &str, kind: &str, name: &str) -> Result<String, String> {
    if kind == "Namespace" {
        return Ok("metrics".to_owned());
    }
    let plural = discovery.plural(api_version, kind)?;
    let group = api_version
        .split_once('/')
        .map(|(group, _)| format!(".{group}"))
        .unwrap_or_default();
    Ok(format!("{}{}/{}", encode(&plural), encode(&group), encode(name)))
}
