//! The paths at which the HPA controller reads the metrics of an HPA.
//!
//! Source: `k8s.io/metrics/pkg/client/{custom_metrics,external_metrics}`, which the controller uses.

use std::fmt::Write as _;

use k8s_openapi::{
    api::autoscaling::v2::{HorizontalPodAutoscaler, MetricIdentifier, MetricSpec},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};

use crate::diagnose::doctor::observed::ScaleTarget;

const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";

/// Name and path of each metric of an HPA that is read from our APIs. What describes an object other than the
/// target or its namespace is left out: its resource is not known here.
#[must_use]
pub fn paths(hpa: &HorizontalPodAutoscaler, target: &ScaleTarget) -> Vec<(String, String)> {
    let namespace = hpa.metadata.namespace.as_deref().unwrap_or_default();
    let metrics = hpa.spec.metrics.iter().flatten();
    metrics
        .filter_map(|metric| path(metric, hpa, namespace, target))
        .collect()
}

fn path(
    metric: &MetricSpec,
    hpa: &HorizontalPodAutoscaler,
    namespace: &str,
    target: &ScaleTarget,
) -> Option<(String, String)> {
    let parameter = |name: &str, text: &str| format!("{name}={}", encode(text));
    if let Some(pods) = &metric.pods {
        let name = &pods.metric.name;
        let mut query = parameter("labelSelector", &target.selector);
        if let Some(selector) = selector_of(&pods.metric) {
            let _ = write!(query, "&{}", parameter("metricLabelSelector", &selector));
        }
        return Some((
            name.clone(),
            format!("{CUSTOM}/namespaces/{namespace}/pods/*/{}?{query}", encode(name)),
        ));
    }
    if let Some(object) = &metric.object {
        let name = &object.metric.name;
        let described = &object.described_object;
        let of = &hpa.spec.scale_target_ref;
        let place = if described.kind == of.kind && described.name == of.name {
            format!("{}/{}", target.resource, encode(&described.name))
        } else if described.kind == "Namespace" {
            "metrics".to_owned()
        } else {
            return None;
        };
        let query = selector_of(&object.metric)
            .map(|selector| format!("?{}", parameter("metricLabelSelector", &selector)))
            .unwrap_or_default();
        return Some((
            name.clone(),
            format!("{CUSTOM}/namespaces/{namespace}/{place}/{}{query}", encode(name)),
        ));
    }
    let external = metric.external.as_ref()?;
    let name = &external.metric.name;
    let query = selector_of(&external.metric)
        .map(|selector| format!("?{}", parameter("labelSelector", &selector)))
        .unwrap_or_default();
    Some((
        name.clone(),
        format!("{EXTERNAL}/namespaces/{namespace}/{}{query}", encode(name)),
    ))
}

fn selector_of(metric: &MetricIdentifier) -> Option<String> {
    metric.selector.as_ref().map(text).filter(|text| !text.is_empty())
}

/// A selector in its string form.
fn text(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten();
    let mut terms: Vec<String> = equal.map(|(key, value)| format!("{key}={value}")).collect();
    for expression in selector.match_expressions.iter().flatten() {
        let key = &expression.key;
        let values = expression.values.as_deref().unwrap_or_default().join(",");
        terms.push(match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        });
    }
    terms.join(",")
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hpa(metric: serde_json::Value) -> HorizontalPodAutoscaler {
        serde_json::from_value(json!({
            "metadata": {"namespace": "n", "name": "v-w"},
            "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "w"}, "metrics": [metric]},
        }))
        .unwrap()
    }

    fn read(metric: serde_json::Value) -> Vec<(String, String)> {
        let target = ScaleTarget {
            resource: "deployments.apps".to_owned(),
            object: json!({}),
            selector: "app=w".to_owned(),
            replicas: 1,
        };
        paths(&hpa(metric), &target)
    }

    #[test]
    fn each_kind_of_metric_is_read_where_the_controller_reads_it() {
        let identifier = json!({"name": "m", "selector": {"matchLabels": {"a/b": "c"}}});
        let target = json!({"type": "Value", "value": "1"});
        let described = |kind: &str| json!({"kind": kind, "name": "w"});
        for (metric, path) in [
            (
                json!({"type": "Pods", "pods": {"metric": identifier, "target": target}}),
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/pods/*/m?labelSelector=app%3Dw&metricLabelSelector=a%2Fb%3Dc",
            ),
            (
                json!({"type": "Object", "object": {"metric": identifier, "target": target, "describedObject": described("Deployment")}}),
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/deployments.apps/w/m?metricLabelSelector=a%2Fb%3Dc",
            ),
            (
                json!({"type": "Object", "object": {"metric": {"name": "m"}, "target": target, "describedObject": described("Namespace")}}),
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/metrics/m",
            ),
            (
                json!({"type": "External", "external": {"metric": identifier, "target": target}}),
                "/apis/external.metrics.k8s.io/v1beta1/namespaces/n/m?labelSelector=a%2Fb%3Dc",
            ),
        ] {
            assert_eq!(read(metric), [("m".to_owned(), path.to_owned())]);
        }
        let resource = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        assert_eq!(read(resource), []);
    }
}
