//! The lists of metric values that the HPA reads, in both versions of the API. Source:
//! `k8s.io/metrics/pkg/apis/custom_metrics/{v1beta1,v1beta2}`.

mod external;

use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use serde::Serialize;

pub use self::external::{ExternalValue, render_external};
use super::path::Version;

/// The object that a value describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedObject {
    /// API version, such as `apps/v1`.
    pub api_version: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
    /// Namespace; `None` for a cluster-scoped object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: String,
}

/// One value of a metric, for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricValue {
    /// The object that the value describes.
    pub object: DescribedObject,
    /// Name of the metric.
    pub metric: String,
    /// When the value was sampled.
    pub timestamp: Timestamp,
    /// Window of a rate; `None` for other metrics.
    pub window: Option<Duration>,
    /// The value as a Kubernetes quantity, such as `12` or `850m`.
    pub value: String,
}

/// A list as it is serialized. It borrows its values: building a tree of JSON values would cost several times
/// more than all the rest of a read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    kind: &'static str,
    api_version: String,
    metadata: Empty,
    items: Vec<Item<'a>>,
}

/// The empty object `{}`.
#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    described_object: &'a DescribedObject,
    #[serde(flatten)]
    of_version: OfVersion<'a>,
    timestamp: String,
    value: &'a str,
}

/// The fields whose names differ between versions. `selector` is null, as upstream sends it: it would repeat
/// the selector of the request, and no client reads it.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum OfVersion<'a> {
    V1Beta1 {
        metric_name: &'a str,
        selector: (),
        #[serde(skip_serializing_if = "Option::is_none")]
        window: Option<u64>,
    },
    V1Beta2 {
        metric: Identifier<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        window_seconds: Option<u64>,
    },
}

#[derive(Serialize)]
struct Identifier<'a> {
    name: &'a str,
    selector: (),
}

/// Serializes a list in the form of `version`.
pub fn render(version: Version, values: &[MetricValue]) -> Bytes {
    let list = List {
        kind: "MetricValueList",
        api_version: version.group_version(),
        metadata: Empty {},
        items: values.iter().map(|value| item(version, value)).collect(),
    };
    // This cannot fail, because all keys are text. If it did, the HPA would take the empty body for an error
    // and keep its replicas.
    serde_json::to_vec(&list).unwrap_or_default().into()
}

fn item(version: Version, value: &MetricValue) -> Item<'_> {
    let window = value.window.map(|window| window.as_secs());
    let of_version = match version {
        Version::V1Beta1 => OfVersion::V1Beta1 {
            metric_name: &value.metric,
            selector: (),
            window,
        },
        Version::V1Beta2 => OfVersion::V1Beta2 {
            metric: Identifier {
                name: &value.metric,
                selector: (),
            },
            window_seconds: window,
        },
    };
    Item {
        described_object: &value.object,
        of_version,
        timestamp: rfc3339(value.timestamp),
        value: &value.value,
    }
}

/// A time as `metav1.Time` is serialized: UTC, whole seconds.
fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
