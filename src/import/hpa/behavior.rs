//! Converts the behaviour of an HPA field by field.

use k8s_openapi::api::autoscaling::v2::{HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscalerBehavior};

use vas_api::v1alpha1::{Behavior, PolicyType, ScalingPolicy, ScalingRules, SelectPolicy};

/// The same behaviour in the types of the resource; `None` if it is empty.
///
/// # Errors
/// If an enumerated field has a value that HPAs do not know.
pub(crate) fn behavior(
    behavior: Option<&HorizontalPodAutoscalerBehavior>,
) -> Result<Option<Behavior>, String> {
    let Some(behavior) = behavior else { return Ok(None) };
    let behavior = Behavior {
        scale_up: behavior.scale_up.as_ref().map(rules).transpose()?,
        scale_down: behavior.scale_down.as_ref().map(rules).transpose()?,
    };
    Ok(Some(behavior).filter(|behavior| *behavior != Behavior::default()))
}

fn rules(rules: &HPAScalingRules) -> Result<ScalingRules, String> {
    let select_policy = match rules.select_policy.as_deref() {
        None => None,
        Some("Max") => Some(SelectPolicy::Max),
        Some("Min") => Some(SelectPolicy::Min),
        Some("Disabled") => Some(SelectPolicy::Disabled),
        Some(other) => return Err(format!("behavior has the selectPolicy {other:?}")),
    };
    let policies: Vec<_> = rules
        .policies
        .iter()
        .flatten()
        .map(policy)
        .collect::<Result<_, _>>()?;
    Ok(ScalingRules {
        stabilization_window_seconds: rules.stabilization_window_seconds,
        policies: Some(policies).filter(|policies| !policies.is_empty()),
        select_policy,
        tolerance: rules.tolerance.clone(),
    })
}

fn policy(policy: &HPAScalingPolicy) -> Result<ScalingPolicy, String> {
    let type_ = match policy.type_.as_str() {
        "Pods" => PolicyType::Pods,
        "Percent" => PolicyType::Percent,
        other => return Err(format!("behavior has a policy of type {other:?}")),
    };
    Ok(ScalingPolicy {
        type_,
        value: policy.value,
        period_seconds: policy.period_seconds,
    })
}
