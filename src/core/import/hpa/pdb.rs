//! A PodDisruptionBudget joins the workload whose pods it selects.
//!
//! A budget of the resource has the selector of its scale target. So a budget is taken where the target's manifest is
//! among the objects and has the same selector; a budget over other pods would protect other pods.

use k8s_openapi::api::policy::v1::PodDisruptionBudgetSpec;
use serde_json::Value;

use super::{refuse, shares_namespace, text};
use crate::{
    api::v1alpha1::{Disruption, UnhealthyPodEvictionPolicy},
    core::import::{
        Refused,
        assemble::{self, Draft},
    },
};

/// Adds a budget to the draft whose target has its selector.
///
/// # Errors
/// Why it belongs to none, or cannot be taken.
pub(super) fn attach(object: &Value, objects: &[Value], drafts: &mut [Draft]) -> Result<(), Refused> {
    let refused = |about: &str, why: String| Err(refuse(object, about, why));
    let spec: PodDisruptionBudgetSpec =
        match serde_json::from_value(object.get("spec").cloned().unwrap_or_default()) {
            Ok(spec) => spec,
            Err(error) => return refused("spec", format!("not a PodDisruptionBudget: {error}")),
        };
    let Some(selector) = object
        .pointer("/spec/selector")
        .filter(|selector| !selector.is_null())
    else {
        return refused("selector", "it has no selector, so it is over no pod".to_owned());
    };
    let draft = drafts.iter_mut().find(|draft| {
        shares_namespace(object, draft)
            && manifest(objects, draft).is_some_and(|target| is_same(target, selector))
    });
    let Some(draft) = draft else {
        return refused(
            "selector",
            "none of the scale targets among the files has this selector; a budget of the resource has that of its \
             target. Add the manifests of the targets (kubectl get deployments,statefulsets,hpa,pdb,vpa -o yaml), or \
             write disruption by hand"
                .to_owned(),
        );
    };
    if draft.workload.disruption.is_some() {
        return refused(
            &draft.workload.name,
            "another budget has the same selector".to_owned(),
        );
    }
    // Kubernetes' own default is the stricter of the two.
    let always = spec.unhealthy_pod_eviction_policy.as_deref() == Some("AlwaysAllow");
    draft.workload.disruption = Some(Disruption {
        min_available: spec.min_available,
        max_unavailable: spec.max_unavailable,
        unhealthy_pod_eviction_policy: (!always).then_some(UnhealthyPodEvictionPolicy::IfHealthyBudget),
        ..Disruption::default()
    });
    if let Some(rule) = assemble::broken(&draft.workload).filter(|rule| rule.starts_with("disruption")) {
        draft.workload.disruption = None;
        return refused(&draft.workload.name, rule);
    }
    Ok(())
}

/// The manifest of a draft's target.
fn manifest<'a>(objects: &'a [Value], draft: &Draft) -> Option<&'a Value> {
    let target = &draft.workload.scale_target_ref;
    objects.iter().find(|object| {
        text(object, "/kind") == Some(&target.kind)
            && text(object, "/metadata/name") == Some(&target.name)
            && shares_namespace(object, draft)
    })
}

/// Whether a target selects by the same labels. Empty lists and maps say nothing.
fn is_same(target: &Value, selector: &Value) -> bool {
    let parts = |selector: &Value| {
        ["matchLabels", "matchExpressions"].map(|field| {
            let part = selector.get(field).cloned().unwrap_or_default();
            let is_empty = part.as_object().is_some_and(serde_json::Map::is_empty)
                || part.as_array().is_some_and(Vec::is_empty);
            if is_empty { Value::Null } else { part }
        })
    };
    target
        .pointer("/spec/selector")
        .is_some_and(|own| parts(own) == parts(selector))
}
