//! The PodDisruptionBudget of a workload, and the number of evictions that it allows.

use k8s_openapi::{
    api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference},
};

use super::meta;
use crate::{
    k8s::int_or_percent,
    spec::model::{Disruption, DisruptionBound, Scaling, Workload},
};
use vas_api::v1alpha1::UnhealthyPodEvictionPolicy;

/// The PDB of one workload; `None` if the workload asks for none. `selector` is that of the scale target,
/// read from its `scale` subresource.
#[must_use]
pub fn build(
    scaling: &Scaling,
    workload: &Workload,
    selector: LabelSelector,
    owner: Option<&OwnerReference>,
) -> Option<PodDisruptionBudget> {
    let Disruption {
        bound,
        unhealthy_pods,
    } = workload.disruption.clone()?;
    let (min_available, max_unavailable) = match bound {
        DisruptionBound::MinAvailable(value) => (Some(value), None),
        DisruptionBound::MaxUnavailable(value) => (None, Some(value)),
    };
    let unhealthy_pods = match unhealthy_pods {
        UnhealthyPodEvictionPolicy::AlwaysAllow => "AlwaysAllow",
        UnhealthyPodEvictionPolicy::IfHealthyBudget => "IfHealthyBudget",
    };
    Some(PodDisruptionBudget {
        metadata: meta::child(&scaling.key, Some(&workload.name), owner),
        spec: Some(PodDisruptionBudgetSpec {
            min_available,
            max_unavailable,
            selector: Some(selector),
            unhealthy_pod_eviction_policy: Some(unhealthy_pods.to_owned()),
        }),
        status: None,
    })
}

/// How many of `replicas` healthy pods may be evicted at once, counted as the disruption controller does.
/// Percentages round up: `maxUnavailable: 1%` of 2 pods allows 1, and `minAvailable: 50%` of 3 pods allows 1.
#[must_use]
pub fn disruptions_allowed(disruption: &DisruptionBound, replicas: i32) -> i32 {
    let replicas = replicas.max(0);
    // A validated budget always parses. If one did not, no eviction would be the safe answer.
    match disruption {
        DisruptionBound::MinAvailable(value) => {
            let stay = int_or_percent::of(value, replicas).unwrap_or(replicas);
            replicas.saturating_sub(stay).max(0)
        }
        DisruptionBound::MaxUnavailable(value) => {
            int_or_percent::of(value, replicas).unwrap_or(0).min(replicas)
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
    use serde_json::json;

    use super::*;
    use crate::reconcile::desired::testing::{scaling, scaling_with};

    fn selector() -> LabelSelector {
        serde_json::from_value(json!({"matchLabels": {"app": "api"}})).unwrap()
    }

    #[test]
    fn the_budget_selects_what_the_target_selects() {
        let scaling = scaling();
        let pdb = build(&scaling, &scaling.workloads[0], selector(), None).unwrap();
        assert_eq!(
            serde_json::to_value(pdb.spec).unwrap(),
            json!({
                "maxUnavailable": 1,
                "selector": {"matchLabels": {"app": "api"}},
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            })
        );
    }

    #[test]
    fn none_is_asked_for_and_none_is_built() {
        let scaling = scaling_with(json!({"disruption": null}));
        assert_eq!(build(&scaling, &scaling.workloads[0], selector(), None), None);
    }

    #[test]
    fn disruptions_are_counted_as_the_controller_counts() {
        let percent = |text: &str| IntOrString::String(text.to_owned());
        for (disruption, replicas, allowed) in [
            (DisruptionBound::MaxUnavailable(IntOrString::Int(1)), 3, 1),
            (DisruptionBound::MaxUnavailable(IntOrString::Int(5)), 3, 3),
            (DisruptionBound::MaxUnavailable(percent("30%")), 10, 3),
            (DisruptionBound::MaxUnavailable(percent("1%")), 2, 1),
            (DisruptionBound::MinAvailable(IntOrString::Int(2)), 3, 1),
            (DisruptionBound::MinAvailable(IntOrString::Int(2)), 1, 0),
            (DisruptionBound::MinAvailable(percent("50%")), 3, 1),
            (DisruptionBound::MinAvailable(percent("50%")), 0, 0),
            (DisruptionBound::MaxUnavailable(percent("50%")), 0, 0),
        ] {
            assert_eq!(
                disruptions_allowed(&disruption, replicas),
                allowed,
                "{disruption:?} of {replicas}"
            );
        }
    }
}
