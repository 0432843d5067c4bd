//! Ratios of an HPA's metrics: value divided by target. Above one, more replicas are needed.

use k8s_openapi::{
    api::autoscaling::v2::{
        HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use serde_json::Value;

use vas_core::k8s::quantity;

/// Name and ratio of each metric, as the HPA's status shows it. The ratio is `None` while the metric has no
/// value.
pub fn of_status(hpa: &HorizontalPodAutoscaler) -> Vec<(String, Option<f64>)> {
    let shown: Vec<&MetricStatus> = hpa
        .status
        .iter()
        .flat_map(|status| status.current_metrics.iter().flatten())
        .collect();
    let specs = hpa.spec.metrics.iter().flatten();
    specs
        .filter_map(|spec| {
            let (name, target) = name_and_target(spec)?;
            let current = shown.iter().find_map(|status| current(status, spec, &name));
            Some((name, current.and_then(|current| of_value(current, target))))
        })
        .collect()
}

/// Ratio of a metric by the answer of `custom.metrics.k8s.io` or `external.metrics.k8s.io`. `ready` is the
/// number of Ready pods. `None` without a value, or if the metric comes from another API.
pub fn of_answer(spec: &MetricSpec, answer: &Value, ready: u32) -> Option<f64> {
    let (_, target) = name_and_target(spec)?;
    let items = answer.get("items")?.as_array()?;
    let values = items.iter().map(|item| {
        let value = item.get("value")?.as_str()?;
        number(&Quantity(value.to_owned()))
    });
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    if values.is_empty() {
        return None;
    }
    let sum: f64 = values.iter().sum();
    // As the HPA controller does: a Pods metric is averaged over the pods in the answer; an average value of
    // another metric is shared by the Ready pods; a value stands for itself.
    let (per, target) = match (&spec.pods, &target.average_value, &target.value) {
        (Some(_), Some(target), _) => (count(values.len()), target),
        (None, Some(target), _) => (f64::from(ready), target),
        (None, None, Some(target)) => (1.0, target),
        _ => return None,
    };
    over(sum / per, number(target)?)
}

/// Name and target of a metric.
pub fn name_and_target(spec: &MetricSpec) -> Option<(String, &MetricTarget)> {
    if let Some(pods) = &spec.pods {
        return Some((pods.metric.name.clone(), &pods.target));
    }
    if let Some(object) = &spec.object {
        return Some((object.metric.name.clone(), &object.target));
    }
    if let Some(external) = &spec.external {
        return Some((external.metric.name.clone(), &external.target));
    }
    if let Some(container) = &spec.container_resource {
        return Some((
            format!("{} of {}", container.name, container.container),
            &container.target,
        ));
    }
    let resource = spec.resource.as_ref()?;
    Some((resource.name.clone(), &resource.target))
}

fn current<'a>(status: &'a MetricStatus, spec: &MetricSpec, name: &str) -> Option<&'a MetricValueStatus> {
    if status.type_ != spec.type_ {
        return None;
    }
    let (found, current) = match spec.type_.as_str() {
        "Pods" => {
            let pods = status.pods.as_ref()?;
            (pods.metric.name.clone(), &pods.current)
        }
        "Object" => {
            let object = status.object.as_ref()?;
            (object.metric.name.clone(), &object.current)
        }
        "External" => {
            let external = status.external.as_ref()?;
            (external.metric.name.clone(), &external.current)
        }
        "ContainerResource" => {
            let container = status.container_resource.as_ref()?;
            (
                format!("{} of {}", container.name, container.container),
                &container.current,
            )
        }
        _ => {
            let resource = status.resource.as_ref()?;
            (resource.name.clone(), &resource.current)
        }
    };
    (found == name).then_some(current)
}

fn of_value(current: &MetricValueStatus, target: &MetricTarget) -> Option<f64> {
    if let (Some(current), Some(target)) = (current.average_utilization, target.average_utilization) {
        return over(f64::from(current), f64::from(target));
    }
    if let (Some(current), Some(target)) = (&current.average_value, &target.average_value) {
        return over(number(current)?, number(target)?);
    }
    over(number(current.value.as_ref()?)?, number(target.value.as_ref()?)?)
}

fn number(quantity: &Quantity) -> Option<f64> {
    quantity::parse(quantity).ok().map(quantity::Amount::as_f64)
}

fn over(value: f64, target: f64) -> Option<f64> {
    let ratio = value / target;
    ratio.is_finite().then_some(ratio)
}

#[expect(clippy::cast_precision_loss, reason = "a count of pods")]
fn count(values: usize) -> f64 {
    values as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hpa() -> HorizontalPodAutoscaler {
        serde_json::from_value(json!({
            "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "x"}, "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": {"type": "AverageValue", "averageValue": "100"}}},
                {"type": "Object", "object": {"metric": {"name": "depth"}, "target": {"type": "Value", "value": "50"},
                    "describedObject": {"kind": "Deployment", "name": "x"}}},
                {"type": "Object", "object": {"metric": {"name": "each"}, "target": {"type": "AverageValue", "averageValue": "10"},
                    "describedObject": {"kind": "Deployment", "name": "x"}}},
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
            ]},
            "status": {"currentMetrics": [
                {"type": ""},
                {"type": "Object", "object": {"metric": {"name": "depth"}, "current": {"value": "75"},
                    "describedObject": {"kind": "Deployment", "name": "x"}}},
                {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 35, "averageValue": "1"}}},
            ]},
        }))
        .unwrap()
    }

    #[test]
    fn the_status_gives_the_ratio_of_each_metric_and_none_for_what_it_does_not_show() {
        let ratios = of_status(&hpa());
        let expected = [
            ("rate", None),
            ("depth", Some(1.5)),
            ("each", None),
            ("cpu", Some(0.5)),
        ];
        let found: Vec<(&str, Option<f64>)> = ratios
            .iter()
            .map(|(name, ratio)| (name.as_str(), *ratio))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_answer_of_the_api_is_averaged_as_the_controller_does_and_an_empty_one_is_no_value() {
        let hpa = hpa();
        let metrics = hpa.spec.metrics.as_deref().unwrap();
        let items = json!({"items": [{"value": "150"}, {"value": "90500m"}]});
        assert_eq!(of_answer(&metrics[0], &items, 9), Some(1.2025));
        let one = json!({"items": [{"value": "75"}]});
        assert_eq!(of_answer(&metrics[1], &one, 9), Some(1.5));
        assert_eq!(of_answer(&metrics[2], &one, 3), Some(2.5));
        assert_eq!(of_answer(&metrics[3], &one, 3), None);
        assert_eq!(of_answer(&metrics[0], &json!({"items": []}), 3), None);
        assert_eq!(
            of_answer(&metrics[0], &json!({"items": [{"value": "x"}]}), 3),
            None
        );
        assert_eq!(of_answer(&metrics[2], &one, 0), None);
    }
}
