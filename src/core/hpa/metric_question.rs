//! Lists the questions that the HPA controller asks the metrics APIs for one HPA. Where the answers are read
//! is in [`super::metric_reads`].

use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricIdentifier, MetricSpec};

use crate::k8s::label_selector::LabelSelector;

/// One question to a metrics API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `metrics.k8s.io`: usage of the selected pods.
    Usage {
        /// The pod selector of the target.
        selector: String,
    },
    /// `custom.metrics.k8s.io`: one metric of the selected pods.
    Pods {
        /// Name of the metric.
        metric: String,
        /// The pod selector of the target.
        selector: String,
        /// The selector of the metric's series; empty for all of them.
        metric_selector: String,
    },
    /// `custom.metrics.k8s.io`: one metric of one object.
    Object {
        /// API version of the described object.
        api_version: String,
        /// Kind of the described object.
        kind: String,
        /// Name of the described object.
        name: String,
        /// Name of the metric.
        metric: String,
        /// The selector of the metric's series; empty for all of them.
        metric_selector: String,
    },
    /// `external.metrics.k8s.io`: one metric of the namespace.
    External {
        /// Name of the metric.
        metric: String,
        /// The selector of the metric's series; empty for all of them.
        metric_selector: String,
    },
    /// A metric that the controller itself refuses.
    Unknown,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The server has no value, so the HPA gets none either. The text is the server's message.
    Missing(String),
    /// The caller has no right to read the metric, which says nothing about the HPA. The text is the server's
    /// message.
    Forbidden(String),
}

impl Question {
    /// The metric that `custom.metrics.k8s.io` or `external.metrics.k8s.io` is asked for.
    #[must_use]
    pub fn served_metric(&self) -> Option<&str> {
        match self {
            Self::Pods { metric, .. } | Self::Object { metric, .. } | Self::External { metric, .. } => {
                Some(metric)
            }
            Self::Usage { .. } | Self::Unknown => None,
        }
    }
}

/// The questions of the controller (`computeReplicasForMetric`), one per metric of the HPA and in the order
/// of `spec.metrics`. `selector` is `status.selector` of the target's scale subresource.
pub fn questions(hpa: &HorizontalPodAutoscaler, selector: &str) -> Vec<Question> {
    let metrics = hpa.spec.metrics.iter().flatten();
    metrics
        .map(|metric| question(metric, selector).unwrap_or(Question::Unknown))
        .collect()
}

fn question(spec: &MetricSpec, selector: &str) -> Option<Question> {
    let selector = selector.to_owned();
    match spec.type_.as_str() {
        // The answer lists all containers; for a ContainerResource the controller picks one of them.
        "Resource" | "ContainerResource" => Some(Question::Usage { selector }),
        "Pods" => {
            let metric = &spec.pods.as_ref()?.metric;
            Some(Question::Pods {
                metric: metric.name.clone(),
                selector,
                metric_selector: text(metric),
            })
        }
        "Object" => {
            let object = spec.object.as_ref()?;
            let described = &object.described_object;
            // GetObjectMetric: without the pods' selector, because the object is named.
            Some(Question::Object {
                api_version: described.api_version.clone().unwrap_or_default(),
                kind: described.kind.clone(),
                name: described.name.clone(),
                metric: object.metric.name.clone(),
                metric_selector: text(&object.metric),
            })
        }
        "External" => {
            let metric = &spec.external.as_ref()?.metric;
            Some(Question::External {
                metric: metric.name.clone(),
                metric_selector: text(metric),
            })
        }
        _ => None,
    }
}

/// The text form of a metric's selector. Without one, every series of the metric counts.
fn text(metric: &MetricIdentifier) -> String {
    let selector = metric.selector.as_ref().map(LabelSelector::from);
    selector.unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_are_those_of_the_controller() {
        let metric = |name: &str| {
            json!({"name": name, "selector": {
                "matchLabels": {"a": "b"},
                "matchExpressions": [
                    {"key": "c", "operator": "In", "values": ["d", "e"]}, {"key": "f", "operator": "DoesNotExist"},
                ],
            }})
        };
        let target = json!({"type": "Value", "value": "1"});
        let hpa = json!({"metadata": {}, "spec": {
            "maxReplicas": 1, "scaleTargetRef": {"kind": "Deployment", "name": "api"}, "metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": target}},
                {"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": target}},
                {"type": "Object", "object": {
                    "metric": metric("depth"), "target": target,
                    "describedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
                }},
                {"type": "External", "external": {"metric": metric("jobs"), "target": target}},
                {"type": "Novel"},
            ],
        }});
        let hpa: HorizontalPodAutoscaler = serde_json::from_value(hpa).unwrap();
        let metric_selector = "a=b,c in (d,e),!f".to_owned();
        let selector = "app=api".to_owned();
        assert_eq!(
            questions(&hpa, "app=api"),
            [
                Question::Usage {
                    selector: selector.clone()
                },
                Question::Pods {
                    metric: "rate".to_owned(),
                    selector,
                    metric_selector: String::new(),
                },
                Question::Object {
                    api_version: "apps/v1".to_owned(),
                    kind: "Deployment".to_owned(),
                    name: "api".to_owned(),
                    metric: "depth".to_owned(),
                    metric_selector: metric_selector.clone(),
                },
                Question::External {
                    metric: "jobs".to_owned(),
                    metric_selector
                },
                Question::Unknown,
            ]
        );
    }
}
