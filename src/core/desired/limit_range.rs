//! The LimitRange of a resource.

use k8s_openapi::{
    api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};

use super::meta;
use crate::core::model::Scaling;

/// The LimitRange, where the resource asks for one.
#[must_use]
pub fn build(scaling: &Scaling, owner: Option<&OwnerReference>) -> Option<LimitRange> {
    let limits = scaling.limits.as_ref()?.limit_range.as_ref()?;
    Some(LimitRange {
        metadata: meta::child(&scaling.key, None, owner),
        spec: Some(LimitRangeSpec {
            limits: vec![LimitRangeItem {
                type_: "Container".to_owned(),
                default: limits.default.clone(),
                default_request: limits.default_request.clone(),
                max: limits.max.clone(),
                min: limits.min.clone(),
                max_limit_request_ratio: None,
            }],
        }),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::desired::testing::{scaling, with_limits};

    #[test]
    fn the_bounds_are_those_of_containers() {
        let scaling = with_limits(json!({"limitRange": {
            "defaultRequest": {"cpu": "100m"}, "default": {"memory": "512Mi"}, "max": {"cpu": "2"}, "min": {"cpu": "10m"},
        }}));
        assert_eq!(
            serde_json::to_value(build(&scaling, None)).unwrap()["spec"],
            json!({"limits": [{
                "type": "Container",
                "defaultRequest": {"cpu": "100m"}, "default": {"memory": "512Mi"}, "max": {"cpu": "2"}, "min": {"cpu": "10m"},
            }]})
        );
    }

    #[test]
    fn none_is_asked_for_and_none_is_built() {
        assert_eq!(build(&scaling(), None), None);
        assert_eq!(
            build(
                &with_limits(json!({"resourceQuota": {"hard": {"pods": "9"}}})),
                None
            ),
            None
        );
    }
}
