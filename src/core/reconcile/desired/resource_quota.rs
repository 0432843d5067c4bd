//! The ResourceQuota of a resource.

use k8s_openapi::{
    api::core::v1::{ResourceQuota, ResourceQuotaSpec},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};

use super::meta;
use crate::spec::model::Scaling;

/// The ResourceQuota; `None` if the resource asks for none.
#[must_use]
pub fn build(scaling: &Scaling, owner: Option<&OwnerReference>) -> Option<ResourceQuota> {
    let quota = scaling.limits.as_ref()?.resource_quota.as_ref()?;
    Some(ResourceQuota {
        metadata: meta::child(&scaling.key, None, owner),
        spec: Some(ResourceQuotaSpec {
            hard: quota.hard.clone(),
            scope_selector: None,
            scopes: None,
        }),
        status: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reconcile::desired::testing::{scaling, with_limits};

    #[test]
    fn the_totals_are_the_users_own_words() {
        let scaling = with_limits(json!({"resourceQuota": {"hard": {"pods": "60", "count/secrets": 5}}}));
        assert_eq!(
            serde_json::to_value(build(&scaling, None)).unwrap()["spec"],
            json!({"hard": {"pods": "60", "count/secrets": "5"}})
        );
    }

    #[test]
    fn none_is_asked_for_and_none_is_built() {
        assert_eq!(build(&scaling(), None), None);
    }
}
