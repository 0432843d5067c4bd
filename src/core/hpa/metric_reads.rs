//! The paths at which the HPA controller reads metrics.
//!
//! Source: `k8s.io/metrics/pkg/client/{custom_metrics,external_metrics}` and the typed client of
//! `metrics.k8s.io`, which the controller uses. A query parameter whose value is empty is left out
//! (`omitempty` in their options).

use crate::k8s::percent::encode;

/// A version of `custom.metrics.k8s.io` that the controller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomVersion {
    /// The version `v1beta1`, as paths name it.
    V1Beta1,
    /// The version `v1beta2`, as paths name it.
    V1Beta2,
}

/// A version of `custom.metrics.k8s.io` that discovery lists, known to the controller or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedVersion<'a> {
    /// Name of the version, such as `v1beta2`.
    pub name: &'a str,
    /// Whether the metrics server behind the version answers discovery; if not, discovery calls it stale.
    pub answers: bool,
}

/// Why a metric can be read at no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPath {
    /// The controller itself refuses the metric.
    #[error("the HPA controller knows no such metric")]
    UnknownMetric,
    /// No APIService serves the group.
    #[error("custom.metrics.k8s.io is not served; kubectl get apiservice says why")]
    Unserved,
    /// None of the served versions is a [`CustomVersion`].
    #[error("custom.metrics.k8s.io is served in no version that the HPA knows")]
    UnknownVersions,
    /// The kind of the described object is not served.
    #[error("the cluster serves no kind {kind} in {api_version}")]
    UnknownKind {
        /// API version of the described object, such as `apps/v1`.
        api_version: String,
        /// Kind of the described object.
        kind: String,
    },
    /// The API server did not list its kinds or versions. The text is its message.
    #[error("{0}")]
    Unread(String),
}

impl CustomVersion {
    fn of(name: &str) -> Option<Self> {
        match name {
            "v1beta1" => Some(Self::V1Beta1),
            "v1beta2" => Some(Self::V1Beta2),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::V1Beta1 => "v1beta1",
            Self::V1Beta2 => "v1beta2",
        }
    }
}

/// The version that the controller reads, of those that discovery lists with the best one first. It is the
/// first version that the controller knows and whose server answers. For example
/// `v1, v1beta2 (stale), v1beta1` gives `v1beta1`. If no server answers, it is the first version that the
/// controller knows, because a read of that version fails with the server's own message.
///
/// # Errors
/// When the controller knows none of them.
pub fn preferred<'a>(served: impl Iterator<Item = ServedVersion<'a>>) -> Result<CustomVersion, NoPath> {
    let mut silent = None;
    for version in served {
        match CustomVersion::of(version.name) {
            Some(known) if version.answers => return Ok(known),
            // The first one stays: a later version would be read only if its server answered.
            known => silent = silent.or(known),
        }
    }
    silent.ok_or(NoPath::UnknownVersions)
}

/// The path of the usage (`metrics.k8s.io`) of the pods of a namespace that a selector selects.
#[must_use]
pub fn usage(namespace: &str, selector: &str) -> String {
    let namespace = encode(namespace);
    let query = query(&[("labelSelector", selector)]);
    format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods{query}")
}

/// The path of a custom metric of the pods of a namespace that a selector selects.
#[must_use]
pub fn pods(
    version: CustomVersion,
    namespace: &str,
    selector: &str,
    metric: &str,
    metric_selector: &str,
) -> String {
    let query = query(&[
        ("labelSelector", selector),
        ("metricLabelSelector", metric_selector),
    ]);
    custom(version, namespace, "pods/*", metric, &query)
}

/// The path of a custom metric of one object of a namespace. `resource` is the name of its kind in the
/// metrics APIs, such as `deployments.apps`.
#[must_use]
pub fn object(
    version: CustomVersion,
    namespace: &str,
    resource: &str,
    name: &str,
    metric: &str,
    metric_selector: &str,
) -> String {
    let object = format!("{}/{}", encode(resource), encode(name));
    let query = query(&[("metricLabelSelector", metric_selector)]);
    custom(version, namespace, &object, metric, &query)
}

/// The path of a custom metric of a namespace itself.
#[must_use]
pub fn of_namespace(version: CustomVersion, namespace: &str, metric: &str, metric_selector: &str) -> String {
    let query = query(&[("metricLabelSelector", metric_selector)]);
    custom(version, namespace, "metrics", metric, &query)
}

/// The path of an external metric.
#[must_use]
pub fn external(namespace: &str, metric: &str, metric_selector: &str) -> String {
    let (namespace, metric) = (encode(namespace), encode(metric));
    // This API has no objects, so the selector of the series is simply the label selector of the list.
    let query = query(&[("labelSelector", metric_selector)]);
    format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{metric}{query}")
}

fn custom(version: CustomVersion, namespace: &str, object: &str, metric: &str, query: &str) -> String {
    let (version, namespace, metric) = (version.as_str(), encode(namespace), encode(metric));
    format!("/apis/custom.metrics.k8s.io/{version}/namespaces/{namespace}/{object}/{metric}{query}")
}

/// The query of a path, with its `?`; empty if no parameter has a value.
#[must_use]
pub fn query(parameters: &[(&str, &str)]) -> String {
    let mut query = String::new();
    for (name, text) in parameters.iter().filter(|(_, text)| !text.is_empty()) {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(name);
        query.push('=');
        query.push_str(&encode(text));
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected paths are those that the controller's client libraries send.
    #[test]
    fn each_kind_of_metric_is_read_where_the_controller_reads_it() {
        use CustomVersion::{V1Beta1, V1Beta2};
        assert_eq!(
            usage("n", "app=w"),
            "/apis/metrics.k8s.io/v1beta1/namespaces/n/pods?labelSelector=app%3Dw"
        );
        assert_eq!(
            pods(V1Beta2, "n", "app=w", "m", "a/b=c"),
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/pods/*/m?labelSelector=app%3Dw&metricLabelSelector=a%2Fb%3Dc"
        );
        assert_eq!(
            pods(V1Beta1, "n", "app=w", "m", ""),
            "/apis/custom.metrics.k8s.io/v1beta1/namespaces/n/pods/*/m?labelSelector=app%3Dw"
        );
        assert_eq!(
            object(V1Beta2, "n", "deployments.apps", "w", "m", "a/b=c"),
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/deployments.apps/w/m?metricLabelSelector=a%2Fb%3Dc"
        );
        assert_eq!(
            object(V1Beta1, "n", "services", "w", "m", ""),
            "/apis/custom.metrics.k8s.io/v1beta1/namespaces/n/services/w/m"
        );
        assert_eq!(
            of_namespace(V1Beta2, "n", "m", ""),
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/metrics/m"
        );
        assert_eq!(
            external("n", "m", "a/b=c"),
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/n/m?labelSelector=a%2Fb%3Dc"
        );
        assert_eq!(
            external("n", "m", ""),
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/n/m"
        );
    }
}
