//! The target of an entry: the target of the HPA, or a placeholder.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::hpa_metric::HpaMetric;
use vas_api::v1alpha1::ObjectTarget;

/// A target that `vas validate` does not accept, so that the user has to fill it in.
const PLACEHOLDER: &str = "0";

/// The target value per pod.
pub(super) fn average(wanted: Option<&HpaMetric>) -> Quantity {
    let average = wanted.and_then(|wanted| wanted.average_value.clone());
    average.unwrap_or_else(|| Quantity(PLACEHOLDER.to_owned()))
}

/// The target value in total, or else per pod.
pub(super) fn object(wanted: Option<&HpaMetric>) -> ObjectTarget {
    match wanted.and_then(|wanted| wanted.value.clone()) {
        Some(value) => ObjectTarget {
            value: Some(value),
            average_value: None,
        },
        None => ObjectTarget {
            value: None,
            average_value: Some(average(wanted)),
        },
    }
}

/// Whether the HPA has a target value.
pub(super) fn is_known(wanted: Option<&HpaMetric>) -> bool {
    wanted.is_some_and(|wanted| wanted.average_value.is_some() || wanted.value.is_some())
}
