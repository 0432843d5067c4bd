//! Tells from an HPA whether a suspension has reached it, and whether the end of a suspension has.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use crate::spec::model::{Scaling, Workload};
use vas_api::v1alpha1::SelectPolicy;

/// Why an HPA follows no metric although nothing suspends its workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftFrozen {
    /// The operator has not written the HPA since the suspension ended, or could not.
    NotWritten,
    /// The spec of the workload breaks a rule. The HPA stays as it was until the spec is corrected.
    BreaksRule,
}

/// Judges the HPA of a workload that nothing suspends. `scaling` holds the workloads that obey the rules. The
/// result is `None` if the HPA follows its metrics, or if the spec itself disables both directions.
pub fn left_frozen(
    hpa: &HorizontalPodAutoscaler,
    workload: &str,
    scaling: Option<&Scaling>,
) -> Option<LeftFrozen> {
    if !is_frozen(hpa) {
        return None;
    }
    let asked = scaling.and_then(|scaling| {
        let mut workloads = scaling.workloads.iter();
        workloads.find(|valid| valid.name == workload)
    });
    match asked {
        Some(asked) if asks_to_freeze(asked) => None,
        Some(_) => Some(LeftFrozen::NotWritten),
        None => Some(LeftFrozen::BreaksRule),
    }
}

/// Whether the spec of a workload disables both directions.
fn asks_to_freeze(workload: &Workload) -> bool {
    let behavior = &workload.behavior;
    workload.suspended
        || [&behavior.scale_up, &behavior.scale_down]
            .into_iter()
            .all(|rules| rules.select_policy == SelectPolicy::Disabled)
}

/// Whether an HPA follows no metric in either direction, as the operator writes it for a suspended workload.
pub fn is_frozen(hpa: &HorizontalPodAutoscaler) -> bool {
    let Some(behavior) = &hpa.spec.behavior else {
        return false;
    };
    [&behavior.scale_up, &behavior.scale_down]
        .into_iter()
        .all(|rules| {
            let select = rules.as_ref().and_then(|rules| rules.select_policy.as_deref());
            select == Some("Disabled")
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        reconcile::{
            desired::hpa::build,
            testing::{NOW, resource, worker},
        },
        spec::rules::validate,
    };

    #[test]
    fn an_hpa_is_frozen_when_both_directions_are() {
        let hpa = |up: &str, down: &str| -> HorizontalPodAutoscaler {
            serde_json::from_value(
                json!({"spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "x"},
                "behavior": {"scaleUp": {"selectPolicy": up}, "scaleDown": {"selectPolicy": down}}}}),
            )
            .unwrap()
        };
        assert!(is_frozen(&hpa("Disabled", "Disabled")));
        assert!(!is_frozen(&hpa("Max", "Disabled")));
    }

    #[test]
    fn an_hpa_that_stays_frozen_without_a_suspension_has_a_reason() {
        let judged = |change: &dyn Fn(&mut Value)| {
            let mut spec = json!({"workloads": [worker()]});
            let suspended = {
                let mut spec = spec.clone();
                spec["suspend"] = json!(true);
                let scaling = validate(&resource(spec)).scaling.unwrap();
                build(&scaling, &scaling.workloads[0], NOW, None)
            };
            change(&mut spec["workloads"][0]);
            let scaling = validate(&resource(spec)).scaling;
            left_frozen(&suspended, "worker", scaling.as_ref())
        };
        assert_eq!(judged(&|_| {}), Some(LeftFrozen::NotWritten));
        assert_eq!(
            judged(&|worker| worker["minReplicas"] = json!(99)),
            Some(LeftFrozen::BreaksRule)
        );
        let disabled = json!({"selectPolicy": "Disabled"});
        let by_spec = json!({"scaleUp": disabled, "scaleDown": disabled});
        assert_eq!(judged(&|worker| worker["behavior"] = by_spec.clone()), None);
    }
}
