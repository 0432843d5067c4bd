//! Rules of LimitRange and ResourceQuota: each must be consistent, and both must fit together.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::findings::Scope;
use crate::{
    k8s::quantity,
    spec::{
        field_path::FieldPath,
        model::{Limits, Workload},
    },
};
use vas_api::v1alpha1::{self as api, LimitRangeLimits};

/// Names under which a quota counts pods.
const POD_COUNTS: [&str; 2] = ["pods", "count/pods"];

type Quantities = BTreeMap<String, Quantity>;

/// Resources that a quota makes mandatory for every container. A pod that does not name them is refused.
/// Source: `podComputeResources`' `validationSet` in `k8s.io/kubernetes/pkg/quota/v1/evaluator/core`.
const COMPUTE: [&str; 2] = ["cpu", "memory"];

/// Parses the limits; `None` if there are none or they are switched off.
pub(super) fn check(limits: Option<&api::Limits>, scope: &mut Scope<'_>) -> Option<Limits> {
    let limits = limits.filter(|limits| limits.enabled.unwrap_or(true))?;
    let path = FieldPath::default().field("limits");
    if let Some(limit_range) = &limits.limit_range {
        check_limit_range(limit_range, &path.field("limitRange"), scope);
    }
    if let Some(hard) = limits
        .resource_quota
        .as_ref()
        .and_then(|quota| quota.hard.as_ref())
    {
        let hard_path = path.field("resourceQuota").field("hard");
        check_quantities(hard, &hard_path, scope);
        for name in hard.keys() {
            check_default_exists(name, limits.limit_range.as_ref(), &hard_path, &path, scope);
        }
    }
    Some(Limits {
        limit_range: limits.limit_range.clone(),
        resource_quota: limits.resource_quota.clone(),
    })
}

/// Warns of a quota on pods that is smaller than `maxReplicas` of all workloads together. Other pods of the
/// namespace need room too; their number is not known here.
pub(super) fn check_room(limits: Option<&Limits>, workloads: &[Workload], scope: &mut Scope<'_>) {
    let hard = limits
        .and_then(|limits| limits.resource_quota.as_ref())
        .and_then(|quota| quota.hard.as_ref());
    let most: i64 = workloads
        .iter()
        .map(|workload| i64::from(workload.widest().max))
        .sum();
    let path = FieldPath::default()
        .field("limits")
        .field("resourceQuota")
        .field("hard");
    for (name, quantity) in hard.into_iter().flatten() {
        let counts_pods = POD_COUNTS.contains(&name.as_str());
        let room = quantity::parse(quantity).ok().filter(|_| counts_pods);
        // Both sides are in milli-units: `pods: "10"` is 10,000, and 8 + 4 replicas are 12,000.
        if room.is_some_and(|room| room.milli_ceil() < i128::from(most) * 1000) {
            scope.warn(
                &path.key(name),
                format_args!(
                    "maxReplicas of all workloads together is {most}: the last pods would be refused; raise the quota or lower maxReplicas"
                ),
            );
        }
    }
}

/// Checks that each bound parses and that `min <= defaultRequest <= default <= max`, as the API server
/// requires.
fn check_limit_range(limits: &LimitRangeLimits, path: &FieldPath, scope: &mut Scope<'_>) {
    let ascending = [
        ("min", limits.min.as_ref()),
        ("defaultRequest", limits.default_request.as_ref()),
        ("default", limits.default.as_ref()),
        ("max", limits.max.as_ref()),
    ];
    for (field, quantities) in ascending {
        if let Some(quantities) = quantities {
            check_quantities(quantities, &path.field(field), scope);
        }
    }
    for (position, (low_field, low)) in ascending.iter().enumerate() {
        for (name, low_quantity) in low.iter().copied().flatten() {
            // The next higher bound that names this resource: `min` is compared with `max` if nothing lies
            // between.
            let higher = ascending
                .iter()
                .skip(position + 1)
                .find_map(|(field, high)| high.and_then(|high| Some((field, high.get(name)?))));
            let Some((high_field, high_quantity)) = higher else {
                continue;
            };
            let in_order = quantity::parse(low_quantity)
                .ok()
                .zip(quantity::parse(high_quantity).ok())
                .is_none_or(|(low, high)| low <= high);
            if !in_order {
                scope.refuse(
                    &path.field(low_field).key(name),
                    format_args!(
                        "{low_field}.{name} must not be greater than {high_field}.{name} ({})",
                        high_quantity.0
                    ),
                );
            }
        }
    }
}

fn check_quantities(quantities: &Quantities, path: &FieldPath, scope: &mut Scope<'_>) {
    for (name, quantity) in quantities {
        match quantity::parse(quantity) {
            Ok(amount) if amount < quantity::Amount::ZERO => {
                scope.refuse(&path.key(name), "must not be negative");
            }
            Ok(_) => {}
            Err(error) => scope.refuse(&path.key(name), error),
        }
    }
}

/// Checks that the LimitRange has a default for a resource under quota. Under a quota on `requests.X` or
/// `limits.X`, a pod whose container names no value is refused, unless the LimitRange gives the container
/// one. A `default` of the LimitRange also serves as default request.
fn check_default_exists(
    quota: &str,
    limit_range: Option<&LimitRangeLimits>,
    hard_path: &FieldPath,
    limits_path: &FieldPath,
    scope: &mut Scope<'_>,
) {
    // `limits.cpu` is about limits. A bare `cpu` is the older spelling of `requests.cpu`.
    let (kind, resource) = quota.split_once('.').unwrap_or(("requests", quota));
    if !COMPUTE.contains(&resource) {
        return;
    }
    let has = |quantities: Option<&Quantities>| quantities.is_some_and(|map| map.contains_key(resource));
    let default_limit = has(limit_range.and_then(|limits| limits.default.as_ref()));
    let default_request = has(limit_range.and_then(|limits| limits.default_request.as_ref()));
    let (satisfied, needed) = match kind {
        "requests" => (default_request || default_limit, "defaultRequest"),
        "limits" => (default_limit, "default"),
        _ => return,
    };
    if !satisfied {
        scope.refuse_any(
            &[&hard_path.key(quota), &limits_path.field("limitRange")],
            format_args!(
                "a quota on {quota} makes every container name {kind}.{resource}; add limits.limitRange.{needed}.{resource} for those that do not"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::spec::rules::{
        testing::{base, object, violations},
        validate,
    };

    fn refuses(limits: Value, path: &str, rule: &str) {
        let mut spec = base();
        spec["limits"] = limits;
        let found = violations(&spec);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, path);
        assert!(found[0].rule.contains(rule), "{}", found[0].rule);
        assert_eq!(found[0].workload, None, "limits concern the whole namespace");
    }

    fn accepts(limits: Value) {
        let mut spec = base();
        spec["limits"] = limits;
        assert_eq!(violations(&spec), []);
    }

    #[test]
    fn a_quota_on_compute_needs_a_default() {
        for (quota, needed) in [
            ("requests.cpu", "defaultRequest.cpu"),
            ("cpu", "defaultRequest.cpu"),
            ("memory", "defaultRequest.memory"),
            ("limits.memory", "default.memory"),
        ] {
            let key = if quota.contains('.') {
                format!("[{quota:?}]")
            } else {
                format!(".{quota}")
            };
            refuses(
                json!({"limitRange": {"max": {"cpu": "4"}}, "resourceQuota": {"hard": {quota: "4"}}}),
                &format!("spec.limits.resourceQuota.hard{key}"),
                needed,
            );
        }
    }

    #[test]
    fn a_default_satisfies_the_quota() {
        accepts(json!({
            "limitRange": {"defaultRequest": {"cpu": "100m"}, "default": {"memory": "1Gi"}},
            "resourceQuota": {"hard": {"requests.cpu": "4", "requests.memory": "8Gi", "limits.memory": "8Gi"}},
        }));
    }

    #[test]
    fn a_quota_on_anything_else_needs_no_default() {
        accepts(json!({"resourceQuota": {"hard": {
            "pods": "60", "requests.storage": "1Ti", "requests.nvidia.com/gpu": "4", "count/deployments.apps": "9",
        }}}));
    }

    #[test]
    fn a_quota_that_max_replicas_cannot_reach_is_warned_of() {
        for (quota, warned) in [("9", true), ("10", false)] {
            let mut spec = base();
            spec["limits"] = json!({"resourceQuota": {"hard": {"pods": quota}}});
            let warnings = validate(&object(&spec)).warnings;
            assert_eq!(warnings.len(), usize::from(warned), "{warnings:?}");
        }
    }

    #[test]
    fn the_bounds_of_a_limit_range_are_in_order() {
        refuses(
            json!({"limitRange": {"defaultRequest": {"memory": "2Gi"}, "default": {"memory": "512Mi"}}}),
            "spec.limits.limitRange.defaultRequest.memory",
            "default.memory (512Mi)",
        );
        refuses(
            json!({"limitRange": {"min": {"cpu": "3"}, "max": {"cpu": "2"}}}),
            "spec.limits.limitRange.min.cpu",
            "max.cpu (2)",
        );
    }

    #[test]
    fn a_quantity_parses_wherever_it_stands() {
        refuses(
            json!({"resourceQuota": {"hard": {"pods": "many"}}}),
            "spec.limits.resourceQuota.hard.pods",
            "quantity",
        );
    }
}
