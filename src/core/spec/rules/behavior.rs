//! Fills Kubernetes' own defaults into the HPA's behaviour, so that the HPA object shows what really happens.

use super::findings::Scope;
use crate::{
    k8s::quantity,
    spec::{
        field_path::FieldPath,
        model::{Behavior, ScalingPolicy, ScalingRules},
    },
};
use vas_api::v1alpha1::{self as api, PolicyType, SelectPolicy};

/// Stabilization window in seconds of an HPA that names none: the default of the controller's flag
/// `--horizontal-pod-autoscaler-downscale-stabilization`.
const DEFAULT_DOWN_WINDOW: i32 = 300;

const fn policy(type_: PolicyType, value: i32) -> ScalingPolicy {
    ScalingPolicy {
        type_,
        value,
        period_seconds: 15,
    }
}

/// Defaults for scaling up: no window, and the larger of 4 pods and 100 % per 15 s.
/// Source: `GenerateHPAScaleUpRules` in `k8s.io/kubernetes/pkg/apis/autoscaling/v2`.
fn default_up() -> ScalingRules {
    ScalingRules {
        stabilization_window_seconds: 0,
        policies: vec![policy(PolicyType::Pods, 4), policy(PolicyType::Percent, 100)],
        select_policy: SelectPolicy::Max,
        tolerance: None,
    }
}

/// Defaults for scaling down: a window of 300 s, and 100 % per 15 s. Source: `GenerateHPAScaleDownRules` in
/// the same package.
fn default_down() -> ScalingRules {
    ScalingRules {
        stabilization_window_seconds: DEFAULT_DOWN_WINDOW,
        policies: vec![policy(PolicyType::Percent, 100)],
        select_policy: SelectPolicy::Max,
        tolerance: None,
    }
}

/// Fills in the fields that are not set, one by one. The schema checks the bounds of the others.
pub(super) fn check(behavior: Option<&api::Behavior>, path: &FieldPath, scope: &mut Scope<'_>) -> Behavior {
    let mut direction = |rules: Option<&api::ScalingRules>, name, defaults| {
        check_rules(rules, defaults, &path.field(name), scope)
    };
    Behavior {
        scale_up: direction(
            behavior.and_then(|b| b.scale_up.as_ref()),
            "scaleUp",
            default_up(),
        ),
        scale_down: direction(
            behavior.and_then(|b| b.scale_down.as_ref()),
            "scaleDown",
            default_down(),
        ),
    }
}

fn check_rules(
    rules: Option<&api::ScalingRules>,
    defaults: ScalingRules,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> ScalingRules {
    let Some(rules) = rules else {
        return defaults;
    };
    // A wrong tolerance is reported, and the rest of the direction is still read, so that one run shows all
    // mistakes.
    if let Some(tolerance) = &rules.tolerance {
        match quantity::parse(tolerance) {
            Ok(amount) if amount >= quantity::Amount::ZERO => {}
            Ok(_) => scope.refuse(&path.field("tolerance"), "must not be negative"),
            Err(error) => scope.refuse(&path.field("tolerance"), error),
        }
    }
    ScalingRules {
        stabilization_window_seconds: rules
            .stabilization_window_seconds
            .unwrap_or(defaults.stabilization_window_seconds),
        // Policies are replaced as a whole. One policy `Pods: 1` leaves no `Percent: 100` beside it.
        policies: rules.policies.as_ref().map_or(defaults.policies, |policies| {
            policies
                .iter()
                .map(|policy| ScalingPolicy {
                    type_: policy.type_,
                    value: policy.value,
                    period_seconds: policy.period_seconds,
                })
                .collect()
        }),
        select_policy: rules.select_policy.unwrap_or(defaults.select_policy),
        tolerance: rules.tolerance.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::rules::testing::{accepted, refuses};

    #[test]
    fn without_behavior_kubernetes_defaults_are_written_out() {
        let behavior = accepted(json!({"behavior": null})).behavior;
        assert_eq!(behavior.scale_up, default_up());
        assert_eq!(behavior.scale_down, default_down());
    }

    #[test]
    fn a_written_field_keeps_the_defaults_of_the_others() {
        let behavior = accepted(json!({"behavior": {"scaleDown": {
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 600}],
        }}}))
        .behavior;
        assert_eq!(behavior.scale_up, default_up());
        assert_eq!(behavior.scale_down.stabilization_window_seconds, 300);
        assert_eq!(behavior.scale_down.select_policy, SelectPolicy::Max);
        assert_eq!(behavior.scale_down.policies.len(), 1, "policies replace whole");
    }

    #[test]
    fn a_tolerance_is_a_quantity() {
        let tolerance = |text| json!({"behavior": {"scaleUp": {"tolerance": text}}});
        assert_eq!(
            accepted(tolerance("0.05")).behavior.scale_up.tolerance.unwrap().0,
            "0.05"
        );
        refuses(
            tolerance("five"),
            "spec.workloads[0].behavior.scaleUp.tolerance",
            "quantity",
        );
    }
}
