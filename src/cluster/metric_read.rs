//! Reads the metrics APIs at the same paths as the HPA controller, so that doctor, explain and the load test
//! see what the HPA sees.

use serde_json::Value;

use crate::{discovery::Discovery, read::ReadError, scale_target::group_resource};
use vas_core::hpa::{
    metric_question::{Question, Unanswered},
    metric_reads::{self, NoPath},
};

/// The path at which the controller reads the answer to a question about an HPA of a namespace.
///
/// # Errors
/// When the cluster serves no such path, or discovery cannot be read.
pub async fn path(discovery: &Discovery, namespace: &str, question: &Question) -> Result<String, NoPath> {
    Ok(match question {
        Question::Usage { selector } => metric_reads::usage(namespace, selector),
        Question::Pods {
            metric,
            selector,
            metric_selector,
        } => {
            let version = discovery.custom_metrics().await?;
            metric_reads::pods(version, namespace, selector, metric, metric_selector)
        }
        Question::Object {
            api_version,
            kind,
            name,
            metric,
            metric_selector,
        } => {
            let version = discovery.custom_metrics().await?;
            // A namespace, of the core group, has a path of its own.
            if kind == "Namespace" && !api_version.contains('/') {
                metric_reads::of_namespace(version, namespace, metric, metric_selector)
            } else {
                let resource = group_resource(&discovery.resource(api_version, kind).await?);
                metric_reads::object(version, namespace, &resource, name, metric, metric_selector)
            }
        }
        Question::External {
            metric,
            metric_selector,
        } => metric_reads::external(namespace, metric, metric_selector),
        Question::Unknown => return Err(NoPath::UnknownMetric),
    })
}

/// Reads an answer at the path that [`path`] gives.
///
/// # Errors
/// See [`ReadError`].
pub async fn read(discovery: &Discovery, path: &str) -> Result<Value, ReadError> {
    discovery.reader().get(path).await
}

/// The answer to a question about an HPA of a namespace. The text of the error is the server's message.
///
/// # Errors
/// When there is no answer, or the reader has no right to read it.
pub async fn answer(
    discovery: &Discovery,
    namespace: &str,
    question: &Question,
) -> Result<Value, Unanswered> {
    let path = path(discovery, namespace, question).await;
    let path = path.map_err(|error| Unanswered::Missing(error.to_string()))?;
    read(discovery, &path).await.map_err(|error| {
        if error.is_refusal() {
            Unanswered::Forbidden(error.words())
        } else {
            Unanswered::Missing(error.words())
        }
    })
}
