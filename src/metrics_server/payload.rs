//! The lists of values that the HPA reads, in both versions of the API.
//! Source: `k8s.io/metrics/pkg/apis/custom_metrics/{v1beta1,v1beta2}`.

mod external;

use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

pub use self::external::{ExternalValue, render_external};
use super::path::Version;

/// The object a value describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedObject {
    /// API group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; none for what is outside namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricValue {
    /// What it describes.
    pub object: DescribedObject,
    /// Name of the metric.
    pub metric: String,
    /// When it was sampled.
    pub timestamp: Timestamp,
    /// Window of a rate.
    pub window: Option<Duration>,
    /// Decimal quantity.
    pub value: String,
}

/// Renders a list in the form of `version`.
pub fn render(version: Version, values: &[MetricValue]) -> Bytes {
    let items: Vec<_> = values.iter().map(|value| item(version, value)).collect();
    let list = json!({
        "kind": "MetricValueList",
        "apiVersion": version.group_version(),
        "metadata": {},
        "items": items,
    });
    list.to_string().into()
}

fn item(version: Version, value: &MetricValue) -> serde_json::Value {
    let MetricValue {
        object,
        metric,
        timestamp,
        window,
        value,
    } = value;
    let timestamp = rfc3339(*timestamp);
    let window = window.map(|window| window.as_secs());
    let mut item = json!({"describedObject": object, "timestamp": timestamp, "value": value});
    let Some(fields) = item.as_object_mut() else {
        return item;
    };
    // The selector is the request's, not the metric's: nobody reads it, and null is what upstream sends.
    match version {
        Version::V1Beta1 => {
            fields.insert("metricName".to_owned(), json!(metric));
            fields.insert("selector".to_owned(), json!(null));
            if let Some(window) = window {
                fields.insert("window".to_owned(), json!(window));
            }
        }
        Version::V1Beta2 => {
            fields.insert("metric".to_owned(), json!({"name": metric, "selector": null}));
            if let Some(window) = window {
                fields.insert("windowSeconds".to_owned(), json!(window));
            }
        }
    }
    item
}

/// A time as `metav1.Time` writes it: UTC, whole seconds.
fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> MetricValue {
        MetricValue {
            object: DescribedObject {
                api_version: "v1".to_owned(),
                kind: "Pod".to_owned(),
                namespace: Some("ns".to_owned()),
                name: "p".to_owned(),
            },
            metric: "rate".to_owned(),
            timestamp: Timestamp::from_millisecond(1_700_000_000_900).unwrap(),
            window: Some(Duration::from_mins(1)),
            value: "850m".to_owned(),
        }
    }

    fn parsed(version: Version) -> serde_json::Value {
        serde_json::from_slice(&render(version, &[value()])).unwrap()
    }

    #[test]
    fn both_versions_carry_the_same_value_in_their_own_fields() {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "namespace": "ns", "name": "p"});
        assert_eq!(
            parsed(Version::V1Beta2),
            json!({
                "kind": "MetricValueList", "apiVersion": "custom.metrics.k8s.io/v1beta2", "metadata": {},
                "items": [{"describedObject": object, "metric": {"name": "rate", "selector": null},
                    "timestamp": "2023-11-14T22:13:20Z", "windowSeconds": 60, "value": "850m"}],
            })
        );
        assert_eq!(
            parsed(Version::V1Beta1),
            json!({
                "kind": "MetricValueList", "apiVersion": "custom.metrics.k8s.io/v1beta1", "metadata": {},
                "items": [{"describedObject": object, "metricName": "rate", "selector": null,
                    "timestamp": "2023-11-14T22:13:20Z", "window": 60, "value": "850m"}],
            })
        );
    }
}
