//! The list that the HPA reads for an external metric. Source:
//! `k8s.io/metrics/pkg/apis/external_metrics/v1beta1`.

use std::collections::BTreeMap;

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::rfc3339;
use crate::metrics::path::ExternalPath;
use vas_api::EXTERNAL_METRICS_GROUP;

/// The value of an external metric. It has no window, because no external metric is a rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalValue {
    /// Name of the metric.
    pub metric: String,
    /// The labels that distinguish the metric from others of the same name in its namespace.
    pub labels: BTreeMap<String, String>,
    /// When the value was sampled.
    pub timestamp: Timestamp,
    /// The value as a Kubernetes quantity, such as `12` or `850m`.
    pub value: String,
}

/// Serializes the list with this one value. It must be one, because the HPA adds up all values of a list.
pub fn render_external(value: &ExternalValue) -> Bytes {
    let list = json!({
        "kind": "ExternalMetricValueList",
        "apiVersion": format!("{EXTERNAL_METRICS_GROUP}/{}", ExternalPath::VERSION),
        "metadata": {},
        "items": [{
            "metricName": value.metric,
            "metricLabels": value.labels,
            "timestamp": rfc3339(value.timestamp),
            "value": value.value,
        }],
    });
    list.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_list_holds_one_item_that_says_whose_it_is() {
        let value = ExternalValue {
            metric: "depth".to_owned(),
            labels: BTreeMap::from([("scaling.voiceassist.io/name".to_owned(), "one".to_owned())]),
            timestamp: Timestamp::from_millisecond(1_700_000_000_900).unwrap(),
            value: "12500m".to_owned(),
        };
        let list: serde_json::Value = serde_json::from_slice(&render_external(&value)).unwrap();
        assert_eq!(
            list,
            json!({
                "kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1", "metadata": {},
                "items": [{"metricName": "depth", "metricLabels": {"scaling.voiceassist.io/name": "one"},
                    "timestamp": "2023-11-14T22:13:20Z", "value": "12500m"}],
            })
        );
    }
}
