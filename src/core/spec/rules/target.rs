//! Rules of metric targets: exactly one field is set, with an amount that the HPA can divide by.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::findings::Scope;
use crate::{
    k8s::quantity,
    spec::{
        field_path::FieldPath,
        model::{ObjectTarget, ResourceTarget},
    },
};
use vas_api::v1alpha1 as api;

/// Largest target in milli-units. The HPA computes with milli-units in an `int64`.
const MAX_TARGET_MILLI: i128 = 9_200_000_000_000_000;

/// Parses a target in percent of the requests or as an amount per pod.
pub(super) fn resource(
    target: &api::ResourceTarget,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<ResourceTarget> {
    match (target.average_utilization, &target.average_value) {
        (Some(percent), None) => Some(ResourceTarget::AverageUtilization(percent)),
        (None, Some(value)) => {
            amount(value, &path.field("averageValue"), scope).map(ResourceTarget::AverageValue)
        }
        (Some(_), Some(_)) | (None, None) => {
            scope.refuse(
                path,
                "exactly one of averageUtilization and averageValue is needed",
            );
            None
        }
    }
}

/// Parses a target as a total amount or as an amount per pod.
pub(super) fn object(
    target: &api::ObjectTarget,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<ObjectTarget> {
    match (&target.value, &target.average_value) {
        (Some(value), None) => amount(value, &path.field("value"), scope).map(ObjectTarget::Value),
        (None, Some(value)) => {
            amount(value, &path.field("averageValue"), scope).map(ObjectTarget::AverageValue)
        }
        (Some(_), Some(_)) | (None, None) => {
            scope.refuse(path, "exactly one of value and averageValue is needed");
            None
        }
    }
}

/// Parses a target as an amount per pod.
pub(super) fn pods(
    target: &api::PodsTarget,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<ObjectTarget> {
    amount(&target.average_value, &path.field("averageValue"), scope).map(ObjectTarget::AverageValue)
}

/// Checks that an amount is positive and not too large for the HPA, and returns it in the user's own
/// spelling.
fn amount(value: &Quantity, path: &FieldPath, scope: &mut Scope<'_>) -> Option<Quantity> {
    match quantity::parse(value) {
        Ok(parsed) if parsed <= quantity::Amount::ZERO => {
            scope.refuse(path, "a target must be greater than zero: the HPA divides by it");
            None
        }
        Ok(parsed) if parsed.milli_ceil() > MAX_TARGET_MILLI => {
            scope.refuse(
                path,
                "the target is larger than the HPA can hold; use at most 9.2e12",
            );
            None
        }
        Ok(_) => Some(value.clone()),
        Err(error) => {
            scope.refuse(path, error);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::spec::rules::testing::{accepts, refuses};

    fn with(source: &str, target: Value) -> Value {
        let mut metric = json!({"name": "m"});
        metric[source] = match source {
            "resource" => json!({"name": "cpu"}),
            "containerResource" => json!({"name": "cpu", "container": "app"}),
            "requestRate" => json!({"counter": "c"}),
            "prometheus" => json!({"query": "sum(x)"}),
            _ => json!({"gauge": "g"}),
        };
        metric[source]["target"] = target;
        json!({ "metrics": [metric] })
    }

    #[test]
    fn a_resource_target_has_exactly_one_field() {
        for source in ["resource", "containerResource"] {
            accepts(with(source, json!({"averageUtilization": 70})));
            accepts(with(source, json!({"averageValue": "500m"})));
            for target in [json!({}), json!({"averageUtilization": 70, "averageValue": "1"})] {
                refuses(
                    with(source, target),
                    &format!("spec.workloads[0].metrics[0].{source}.target"),
                    "exactly one of averageUtilization",
                );
            }
        }
    }

    #[test]
    fn an_object_target_has_exactly_one_field() {
        for source in ["queueDepth", "queueAge", "prometheus"] {
            accepts(with(source, json!({"value": "60"})));
            accepts(with(source, json!({"averageValue": 50})));
            for target in [json!({}), json!({"value": "1", "averageValue": "1"})] {
                refuses(
                    with(source, target),
                    &format!("spec.workloads[0].metrics[0].{source}.target"),
                    "exactly one of value",
                );
            }
        }
    }

    #[test]
    fn a_target_is_positive_and_fits_the_hpa() {
        for (text, rule) in [
            ("0", "greater than zero"),
            ("0m", "greater than zero"),
            ("1E", "larger than the HPA can hold"),
            ("lots", "not a quantity"),
        ] {
            refuses(
                with("requestRate", json!({ "averageValue": text })),
                "spec.workloads[0].metrics[0].requestRate.target.averageValue",
                rule,
            );
        }
        accepts(with("requestRate", json!({"averageValue": "1m"})));
    }
}
