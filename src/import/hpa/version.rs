//! Reads an HPA of any version of its API as one of `autoscaling/v2`.
//!
//! `v2beta2` has the same fields as `v2`. `v2beta1` has other field names for metrics. `v1` has only a CPU
//! target: it keeps other metrics and the behaviour in annotations, with the field names of `v2beta1`.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::{Map, Value, json};

/// The annotation in which `v1` keeps further metrics.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
/// The annotation in which `v1` keeps the behaviour.
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// Why an object cannot be read as an HPA.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HpaError {
    /// The API version does not exist.
    #[error("apiVersion {0:?} is none of autoscaling/v2, v2beta2, v2beta1 and v1")]
    Version(String),
    /// A field has the wrong type; the text is the parser's message.
    #[error("not a HorizontalPodAutoscaler: {0}")]
    Malformed(String),
}

/// Reads an object of kind `HorizontalPodAutoscaler`.
///
/// # Errors
/// See [`HpaError`].
pub fn read(object: &Value) -> Result<HorizontalPodAutoscaler, HpaError> {
    let version = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or("autoscaling/v2");
    let mut object = object.clone();
    match version {
        "autoscaling/v2" | "autoscaling/v2beta2" => {}
        "autoscaling/v2beta1" => {
            if let Some(metrics) = object.pointer_mut("/spec/metrics") {
                beta_metrics(metrics);
            }
        }
        "autoscaling/v1" => first_version(&mut object)?,
        other => return Err(HpaError::Version(other.to_owned())),
    }
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".to_owned(), json!("autoscaling/v2"));
        // The status is not needed, and its types differ between versions.
        fields.remove("status");
    }
    serde_json::from_value(object).map_err(|error| HpaError::Malformed(error.to_string()))
}

/// Renames the fields of `v2beta1` metrics to those of `v2`.
fn beta_metrics(metrics: &mut Value) {
    for metric in metrics.as_array_mut().into_iter().flatten() {
        let Some(fields) = metric.as_object_mut() else {
            continue;
        };
        for source in ["resource", "containerResource", "pods", "object", "external"] {
            if let Some(Value::Object(old)) = fields.get(source) {
                let new = beta_source(source, old);
                fields.insert(source.to_owned(), new);
            }
        }
    }
}

fn beta_source(source: &str, old: &Map<String, Value>) -> Value {
    let mut target = Map::new();
    let names = if source == "object" {
        [
            ("averageValue", "averageValue", "AverageValue"),
            ("targetValue", "value", "Value"),
        ]
    } else {
        [
            ("targetAverageValue", "averageValue", "AverageValue"),
            ("targetValue", "value", "Value"),
        ]
    };
    let utilization = ("targetAverageUtilization", "averageUtilization", "Utilization");
    for (name, new, type_) in names.into_iter().chain([utilization]) {
        if let Some(value) = old.get(name).filter(|value| !value.is_null()) {
            target.entry("type").or_insert_with(|| json!(type_));
            target.insert(new.to_owned(), value.clone());
        }
    }
    let selector = old
        .get("selector")
        .or_else(|| old.get("metricSelector"))
        .filter(|one| !one.is_null());
    let mut metric = json!({"name": old.get("metricName")});
    if let (Some(selector), Some(fields)) = (selector, metric.as_object_mut()) {
        fields.insert("selector".to_owned(), selector.clone());
    }
    match source {
        "resource" => json!({"name": old.get("name"), "target": target}),
        "containerResource" => {
            json!({"name": old.get("name"), "container": old.get("container"), "target": target})
        }
        "object" => json!({"describedObject": old.get("target"), "metric": metric, "target": target}),
        _ => json!({"metric": metric, "target": target}),
    }
}

fn first_version(object: &mut Value) -> Result<(), HpaError> {
    let annotation = |name: &str| {
        let annotations = object.pointer("/metadata/annotations")?;
        annotations.get(name)?.as_str().map(str::to_owned)
    };
    let parsed = |name: &'static str| {
        let text = annotation(name);
        text.map(|text| serde_json::from_str::<Value>(&text))
            .transpose()
            .map_err(|error| HpaError::Malformed(format!("annotation {name}: {error}")))
    };
    let mut metrics = parsed(METRICS)?.unwrap_or_else(|| json!([]));
    beta_metrics(&mut metrics);
    let behavior = parsed(BEHAVIOR)?.map(small_first);
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    // Kubernetes keeps the CPU utilization out of the annotation, so the list does not contain it yet.
    if let Some(percent) = spec
        .remove("targetCPUUtilizationPercentage")
        .filter(|percent| !percent.is_null())
        && let Some(list) = metrics.as_array_mut()
    {
        let target = json!({"type": "Utilization", "averageUtilization": percent});
        list.insert(
            0,
            json!({"type": "Resource", "resource": {"name": "cpu", "target": target}}),
        );
    }
    spec.insert("metrics".to_owned(), metrics);
    if let Some(behavior) = behavior {
        spec.insert("behavior".to_owned(), behavior);
    }
    Ok(())
}

/// Makes the first letter of each field name lowercase: the behaviour annotation has `ScaleUp` for `scaleUp`.
fn small_first(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let small = |name: String| {
                let mut chars = name.chars();
                chars
                    .next()
                    .map(|first| first.to_ascii_lowercase().to_string() + chars.as_str())
                    .unwrap_or_default()
            };
            Value::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| (small(name), small_first(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(small_first).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(version: &str, annotations: Value, mut spec: Value) -> Value {
        let common = json!({"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}});
        spec.as_object_mut()
            .unwrap()
            .extend(common.as_object().unwrap().clone());
        let object = json!({
            "apiVersion": format!("autoscaling/{version}"), "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "h", "annotations": annotations}, "spec": spec,
        });
        let mut spec = serde_json::to_value(read(&object).unwrap().spec).unwrap();
        for common in ["maxReplicas", "scaleTargetRef"] {
            spec.as_object_mut().unwrap().remove(common);
        }
        spec
    }

    #[test]
    fn beta_metrics_are_read_as_those_of_today() {
        let old = json!({"metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}},
            {"type": "Pods", "pods": {"metricName": "p", "targetAverageValue": "10", "selector": {"matchLabels": {"a": "b"}}}},
            {"type": "Object", "object": {"metricName": "o", "targetValue": "5", "target": {"kind": "Service", "name": "s"}}},
            {"type": "External", "external": {"metricName": "e", "metricSelector": {"matchLabels": {"q": "r"}}, "targetAverageValue": "30"}},
        ]});
        let new = json!({"metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
            {"type": "Pods", "pods": {"metric": {"name": "p", "selector": {"matchLabels": {"a": "b"}}}, "target": {"type": "AverageValue", "averageValue": "10"}}},
            {"type": "Object", "object": {"metric": {"name": "o"}, "target": {"type": "Value", "value": "5"}, "describedObject": {"kind": "Service", "name": "s"}}},
            {"type": "External", "external": {"metric": {"name": "e", "selector": {"matchLabels": {"q": "r"}}}, "target": {"type": "AverageValue", "averageValue": "30"}}},
        ]});
        assert_eq!(spec("v2beta1", json!({}), old.clone()), new);
        assert_eq!(spec("v2beta2", json!({}), new.clone()), new);
        assert_eq!(spec("v2", json!({}), new.clone()), new);
        let annotations = json!({METRICS: old["metrics"].as_array().unwrap()[1..].iter().cloned().collect::<Value>().to_string()});
        assert_eq!(
            spec("v1", annotations, json!({"targetCPUUtilizationPercentage": 70})),
            new
        );
    }

    #[test]
    fn the_behaviour_of_the_first_version_stands_in_an_annotation() {
        let annotations = json!({BEHAVIOR: r#"{"ScaleDown":{"StabilizationWindowSeconds":60,"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":60}]}}"#});
        assert_eq!(
            spec("v1", annotations, json!({}))["behavior"],
            json!({"scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}})
        );
    }

    #[test]
    fn what_is_no_hpa_is_told() {
        let object = json!({"apiVersion": "autoscaling/v3", "kind": "HorizontalPodAutoscaler"});
        assert_eq!(read(&object), Err(HpaError::Version("autoscaling/v3".to_owned())));
        let object = json!({"apiVersion": "autoscaling/v2", "spec": {"maxReplicas": "many"}});
        assert!(matches!(read(&object), Err(HpaError::Malformed(_))));
    }
}
