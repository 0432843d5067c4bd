//! Rules of PodDisruptionBudgets: a budget must leave a way to drain a node.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{findings::Scope, replicas::Lowest};
use crate::{
    k8s::int_or_percent,
    spec::{
        field_path::FieldPath,
        model::{Disruption, DisruptionBound},
    },
};
use vas_api::v1alpha1 as api;

/// Parses the budget; `None` if there is none, it is switched off, or it does not parse. `lowest` is the lowest
/// `minReplicas` of the HPA, `None` for a workload without an HPA.
pub(super) fn check(
    disruption: Option<&api::Disruption>,
    lowest: Option<&Lowest>,
    workload: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Disruption> {
    let disruption = disruption.filter(|disruption| disruption.enabled.unwrap_or(true))?;
    let path = workload.field("disruption");
    let bound = match (&disruption.min_available, &disruption.max_unavailable) {
        (Some(min), None) => {
            let min_path = path.field("minAvailable");
            // The budget has to let one pod go at the smallest number of replicas: `minAvailable: 2` needs
            // `minReplicas: 3`. Without an HPA the number is not known, and only 100 % is too much for every
            // number.
            match (int_or_percent::of(min, lowest.map_or(100, |lowest| lowest.min)), lowest) {
                (Ok(100), None) if matches!(min, IntOrString::String(_)) => scope.refuse(
                    &min_path,
                    "minAvailable 100% keeps every pod, so no pod could ever be evicted and no node drained; lower it or use maxUnavailable",
                ),
                (Ok(stay), Some(lowest)) if stay >= lowest.min => scope.refuse_any(
                    &[&min_path, &lowest.path],
                    format_args!(
                        "minAvailable keeps {stay} of minReplicas {}, so no pod could ever be evicted and no node drained; lower it, raise minReplicas or use maxUnavailable",
                        lowest.words()
                    ),
                ),
                (Ok(_), _) => {}
                (Err(error), _) => scope.refuse(&min_path, error),
            }
            DisruptionBound::MinAvailable(min.clone())
        }
        (None, Some(max)) => {
            let max_path = path.field("maxUnavailable");
            // Percentages round up, so of any number of pods only `0` and `0%` allow none.
            match int_or_percent::of(max, 100) {
                Ok(0) => scope.refuse(
                    &max_path,
                    "maxUnavailable 0 blocks every eviction and node drain; use at least 1",
                ),
                Ok(_) => {}
                Err(error) => scope.refuse(&max_path, error),
            }
            DisruptionBound::MaxUnavailable(max.clone())
        }
        (Some(_), Some(_)) | (None, None) => {
            scope.refuse(&path, "exactly one of minAvailable and maxUnavailable is needed");
            return None;
        }
    };
    Some(Disruption {
        bound,
        unhealthy_pods: disruption.unhealthy_pod_eviction_policy.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::spec::rules::testing::{accepted, accepts, refuses};

    fn budget(min_replicas: i32, disruption: Value) -> Value {
        json!({"minReplicas": min_replicas, "maxReplicas": 10, "disruption": disruption})
    }

    #[test]
    fn min_available_stays_below_min_replicas() {
        let path = "spec.workloads[0].disruption.minAvailable";
        for (min_replicas, min_available) in [
            (2, json!(2)),
            (2, json!(3)),
            (1, json!(1)),
            (2, json!("100%")),
            (3, json!("67%")),
            (1, json!("1%")),
        ] {
            refuses(
                budget(min_replicas, json!({ "minAvailable": min_available })),
                path,
                "no node drained",
            );
        }
        for (min_replicas, min_available) in [(2, json!(1)), (3, json!("66%")), (2, json!("50%"))] {
            accepts(budget(min_replicas, json!({ "minAvailable": min_available })));
        }
    }

    #[test]
    fn max_unavailable_is_not_zero() {
        for zero in [json!(0), json!("0%")] {
            refuses(
                budget(2, json!({ "maxUnavailable": zero })),
                "spec.workloads[0].disruption.maxUnavailable",
                "blocks every eviction",
            );
        }
        accepts(budget(1, json!({"maxUnavailable": "1%"})));
    }

    #[test]
    fn exactly_one_field_is_set() {
        for both_or_none in [json!({}), json!({"minAvailable": 1, "maxUnavailable": 1})] {
            refuses(
                budget(2, both_or_none),
                "spec.workloads[0].disruption",
                "exactly one of minAvailable",
            );
        }
    }

    #[test]
    fn a_budget_that_is_switched_off_is_none() {
        assert_eq!(
            accepted(budget(1, json!({"enabled": false, "minAvailable": 1}))).disruption,
            None
        );
    }

    #[test]
    fn what_is_no_count_and_no_percentage_is_refused() {
        refuses(
            budget(2, json!({"maxUnavailable": "200%"})),
            "spec.workloads[0].disruption.maxUnavailable",
            "0% to 100%",
        );
    }
}
