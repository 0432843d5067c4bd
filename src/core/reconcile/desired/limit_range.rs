//! The LimitRange of a resource.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::OwnerReference},
};

use super::meta;
use crate::spec::model::Scaling;

type Quantities = BTreeMap<String, Quantity>;

/// The LimitRange; `None` if the resource asks for none.
///
/// The API server fills in a missing `default` from `max`, and a missing `defaultRequest` from `default` or
/// `min` (`SetDefaults_LimitRangeItem` in `k8s.io/kubernetes/pkg/apis/core/v1`). The builder writes the same
/// values, so that users see them in `vas render` and not only in their pods. Example: `max: {cpu: 2}` alone
/// makes 2 CPUs the default limit of every container.
#[must_use]
pub fn build(scaling: &Scaling, owner: Option<&OwnerReference>) -> Option<LimitRange> {
    let limits = scaling.limits.as_ref()?.limit_range.as_ref()?;
    let default = filled(limits.default.as_ref(), limits.max.as_ref());
    let default_request = filled(limits.default_request.as_ref(), default.as_ref());
    Some(LimitRange {
        metadata: meta::child(&scaling.key, None, owner),
        spec: Some(LimitRangeSpec {
            limits: vec![LimitRangeItem {
                type_: "Container".to_owned(),
                default_request: filled(default_request.as_ref(), limits.min.as_ref()),
                default,
                max: limits.max.clone(),
                min: limits.min.clone(),
                max_limit_request_ratio: None,
            }],
        }),
    })
}

/// `written`, with the resources that it lacks taken from `source`; `None` if both are empty.
fn filled(written: Option<&Quantities>, source: Option<&Quantities>) -> Option<Quantities> {
    let mut all = source.cloned().unwrap_or_default();
    all.extend(written.cloned().unwrap_or_default());
    Some(all).filter(|all| !all.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reconcile::desired::testing::{scaling, with_limits};

    #[test]
    fn what_the_api_server_would_fill_in_is_written_out() {
        let scaling = with_limits(json!({"limitRange": {
            "defaultRequest": {"cpu": "100m"},
            "default": {"memory": "512Mi"},
            "max": {"cpu": "2", "memory": "4Gi"},
            "min": {"ephemeral-storage": "1Gi"},
        }}));
        assert_eq!(
            serde_json::to_value(build(&scaling, None)).unwrap()["spec"],
            json!({"limits": [{
                "type": "Container",
                "defaultRequest": {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
                "default": {"cpu": "2", "memory": "512Mi"},
                "max": {"cpu": "2", "memory": "4Gi"},
                "min": {"ephemeral-storage": "1Gi"},
            }]})
        );
    }

    #[test]
    fn what_is_not_asked_for_is_not_written() {
        let scaling = with_limits(json!({"limitRange": {"defaultRequest": {"cpu": "100m"}}}));
        assert_eq!(
            serde_json::to_value(build(&scaling, None)).unwrap()["spec"],
            json!({"limits": [{"type": "Container", "defaultRequest": {"cpu": "100m"}}]})
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
