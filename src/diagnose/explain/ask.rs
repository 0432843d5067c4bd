//! What has to be read: the workloads of a resource, and for each metric of an HPA the question that the
//! controller puts to a metrics API.

use jiff::Timestamp;
use k8s_openapi::{
    api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};

use super::ObservedWorkload;
use crate::{
    api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling},
    core::{
        reconcile::{desired::hpa, suspend::freeze},
        spec::{
            environment,
            model::{ScalingKey, Workload},
            rules::validate,
        },
    },
};

/// One workload of a resource in its active environment.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// What it scales.
    pub target: ScaleTargetRef,
    /// Name of its HPA.
    pub hpa: String,
    /// The workload, and the HPA that the operator writes for it, where the spec obeys the rules.
    pub valid: Option<Box<(Workload, HorizontalPodAutoscaler)>>,
    /// By whom it is suspended, until when and why.
    pub suspended: Option<String>,
    /// Metrics that the spec switches off.
    pub disabled_metrics: Vec<String>,
}

/// One question to a metrics API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `metrics.k8s.io`: usage of the selected pods.
    Usage {
        /// The target's selector.
        selector: String,
    },
    /// `custom.metrics.k8s.io`: one metric of the selected pods.
    Pods {
        /// Metric.
        metric: String,
        /// The target's selector.
        selector: String,
        /// The metric's selector.
        metric_selector: String,
    },
    /// `custom.metrics.k8s.io`: one metric of one object.
    Object {
        /// API version of the object.
        api_version: String,
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Metric.
        metric: String,
        /// The metric's selector.
        metric_selector: String,
    },
    /// `external.metrics.k8s.io`: one metric of the namespace.
    External {
        /// Metric.
        metric: String,
        /// The metric's selector.
        metric_selector: String,
    },
    /// A metric that the controller itself refuses.
    Unknown,
}

/// The workloads of a resource that an HPA scales, with what is suspended at a moment.
pub fn asked(object: &VoiceAssistScaling, now: Timestamp) -> Vec<Asked> {
    let mut validation = validate(object);
    let suspended = freeze(object, &mut validation, now);
    let scaling = validation.scaling;
    let key = ScalingKey {
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: object.metadata.name.clone().unwrap_or_default(),
    };
    let spec = environment::resolve(&object.spec, object.spec.environment.as_deref())
        .unwrap_or_else(|_| object.spec.clone());
    let asked = |written: &crate::api::v1alpha1::Workload| {
        let valid = scaling.as_ref().and_then(|scaling| {
            let workload = scaling.workloads.iter().find(|one| one.name == written.name)?;
            Some(Box::new((workload.clone(), hpa::build(scaling, workload, None))))
        });
        let disabled = written
            .metrics
            .iter()
            .flatten()
            .filter(|metric| metric.enabled == Some(false));
        Asked {
            name: written.name.clone(),
            target: written.scale_target_ref.clone(),
            hpa: key.child_name(&written.name),
            valid,
            suspended: suspended.of(&written.name),
            disabled_metrics: disabled.map(|metric| metric.name.clone()).collect(),
        }
    };
    // Without metrics there is no HPA that could be explained.
    let scaled = spec
        .workloads
        .iter()
        .filter(|workload| workload.metrics.is_some());
    scaled.map(asked).collect()
}

/// The HPA that counts: the live one, or else the one that the operator would write.
pub fn hpa_of(observed: &ObservedWorkload) -> Option<&HorizontalPodAutoscaler> {
    match &observed.hpa {
        Ok(Some(live)) => Some(live),
        Ok(None) => observed.asked.valid.as_ref().map(|valid| &valid.1),
        Err(_) => None,
    }
}

/// What the controller asks, metric by metric; `selector` is that of the target's scale subresource.
pub fn questions(hpa: &HorizontalPodAutoscaler, selector: &str) -> Vec<Question> {
    let metrics = hpa.spec.metrics.iter().flatten();
    metrics
        .map(|metric| question(metric, selector).unwrap_or(Question::Unknown))
        .collect()
}

fn question(spec: &MetricSpec, selector: &str) -> Option<Question> {
    let selector = selector.to_owned();
    match spec.type_.as_str() {
        "Resource" | "ContainerResource" => Some(Question::Usage { selector }),
        "Pods" => {
            let metric = &spec.pods.as_ref()?.metric;
            Some(Question::Pods {
                metric: metric.name.clone(),
                selector,
                metric_selector: text(metric.selector.as_ref()),
            })
        }
        "Object" => {
            let object = spec.object.as_ref()?;
            let described = &object.described_object;
            Some(Question::Object {
                api_version: described.api_version.clone().unwrap_or_default(),
                kind: described.kind.clone(),
                name: described.name.clone(),
                metric: object.metric.name.clone(),
                metric_selector: text(object.metric.selector.as_ref()),
            })
        }
        "External" => {
            let metric = &spec.external.as_ref()?.metric;
            Some(Question::External {
                metric: metric.name.clone(),
                metric_selector: text(metric.selector.as_ref()),
            })
        }
        _ => None,
    }
}

/// The text form of a selector; without one, everything.
fn text(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else {
        return String::new();
    };
    let equal = selector.match_labels.iter().flatten();
    let equal = equal.map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten().map(|expression| {
        let key = &expression.key;
        let values = || {
            expression
                .values
                .iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join(",")
        };
        match expression.operator.as_str() {
            "In" => format!("{key} in ({})", values()),
            "NotIn" => format!("{key} notin ({})", values()),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        }
    });
    equal.chain(expressions).collect::<Vec<_>>().join(",")
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
