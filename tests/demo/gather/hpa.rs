//! An HPA as the API server has it.

use k8s_openapi::{
    api::autoscaling::v2::{
        HPAScalingRules, HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget,
    },
    apimachinery::pkg::api::resource::Quantity,
};

use super::milli;
use crate::{
    oracle::{Direction, Hpa, Metric, Policy, PolicyUnit, Resource, Select, Target},
    record::{Condition, HpaStatus},
};

/// What the HPA asks for. `None` for an HPA that vas would not write: vas writes every field explicitly.
pub(crate) fn hpa(object: &HorizontalPodAutoscaler) -> Option<Hpa> {
    let spec = &object.spec;
    let behavior = spec.behavior.as_ref()?;
    Some(Hpa {
        min: spec.min_replicas?,
        max: spec.max_replicas,
        metrics: spec.metrics.iter().flatten().map(metric).collect::<Option<_>>()?,
        up: direction(behavior.scale_up.as_ref()?)?,
        down: direction(behavior.scale_down.as_ref()?)?,
    })
}

fn metric(spec: &MetricSpec) -> Option<Metric> {
    if let Some(source) = &spec.resource {
        let resource = match source.name.as_str() {
            "cpu" => Resource::Cpu,
            "memory" => Resource::Memory,
            _ => return None,
        };
        return Some(Metric {
            name: source.name.clone(),
            target: Target::Utilization(resource, source.target.average_utilization?),
        });
    }
    if let Some(source) = &spec.pods {
        return Some(Metric {
            name: source.metric.name.clone(),
            target: Target::PodsAverage(amount(source.target.average_value.as_ref()?)?),
        });
    }
    let source = spec.object.as_ref()?;
    Some(Metric {
        name: source.metric.name.clone(),
        target: object_target(&source.target)?,
    })
}

fn object_target(target: &MetricTarget) -> Option<Target> {
    match (target.type_.as_str(), &target.value, &target.average_value) {
        ("Value", Some(value), _) => Some(Target::ObjectValue(amount(value)?)),
        ("AverageValue", _, Some(value)) => Some(Target::ObjectAverage(amount(value)?)),
        _ => None,
    }
}

fn amount(quantity: &Quantity) -> Option<i64> {
    milli(&quantity.0)
}

fn direction(rules: &HPAScalingRules) -> Option<Direction> {
    let policy = |policy: &k8s_openapi::api::autoscaling::v2::HPAScalingPolicy| {
        Some(Policy {
            unit: match policy.type_.as_str() {
                "Pods" => PolicyUnit::Pods,
                "Percent" => PolicyUnit::Percent,
                _ => return None,
            },
            value: policy.value,
            period: f64::from(policy.period_seconds),
        })
    };
    Some(Direction {
        window: f64::from(rules.stabilization_window_seconds?),
        select: match rules.select_policy.as_deref()? {
            "Max" => Select::Max,
            "Min" => Select::Min,
            "Disabled" => Select::Disabled,
            _ => return None,
        },
        policies: rules
            .policies
            .iter()
            .flatten()
            .map(policy)
            .collect::<Option<_>>()?,
        tolerance: match &rules.tolerance {
            Some(tolerance) => Some(super::units(amount(tolerance)?)),
            None => None,
        },
    })
}

/// The status of an HPA.
pub(crate) fn hpa_status(object: &HorizontalPodAutoscaler) -> HpaStatus {
    let Some(status) = &object.status else {
        return HpaStatus::default();
    };
    let conditions = status.conditions.iter().flatten();
    let active = conditions.clone().find(|it| it.type_ == "ScalingActive");
    let ratios = object
        .spec
        .metrics
        .iter()
        .flatten()
        .zip(status.current_metrics.iter().flatten())
        .filter_map(|(spec, current)| ratio(spec, current));
    HpaStatus {
        desired: status.desired_replicas,
        leading: ratios.max_by(|left, right| left.1.total_cmp(&right.1)),
        active: active.map(|condition| Condition {
            status: condition.status.clone(),
            reason: condition.reason.clone().unwrap_or_default(),
            message: condition.message.clone().unwrap_or_default(),
        }),
    }
}

/// Name of a metric, and its value as a multiple of its target.
fn ratio(spec: &MetricSpec, current: &MetricStatus) -> Option<(String, f64)> {
    let name = metric(spec)?.name;
    let quantities = |current: &Option<Quantity>, target: &Option<Quantity>| {
        let target = super::units(amount(target.as_ref()?)?);
        Some(super::units(amount(current.as_ref()?)?) / target)
    };
    let ratio = match (&spec.resource, &spec.pods, &spec.object) {
        (Some(source), _, _) => {
            let current = current.resource.as_ref()?.current.average_utilization?;
            f64::from(current) / f64::from(source.target.average_utilization?)
        }
        (_, Some(source), _) => quantities(
            &current.pods.as_ref()?.current.average_value,
            &source.target.average_value,
        )?,
        (_, _, Some(source)) => {
            let current = &current.object.as_ref()?.current;
            quantities(&current.value, &source.target.value)
                .or_else(|| quantities(&current.average_value, &source.target.average_value))?
        }
        _ => return None,
    };
    Some((name, ratio))
}
