//! Adds a PodDisruptionBudget to the workload whose pods it selects.
//!
//! The operator gives a budget the selector of its scale target. So a budget is imported only if the manifest
//! of a target is among the objects and has the same selector. Otherwise the new budget would protect other
//! pods than the old one.

use k8s_openapi::api::policy::v1::PodDisruptionBudgetSpec;
use serde_json::Value;

use super::{named, refuse, shares_namespace, text};
use crate::{
    Refused,
    assemble::{self, Draft},
    names,
};
use vas_api::v1alpha1::{Disruption, ScaleTargetRef, UnhealthyPodEvictionPolicy, Workload};

/// The kinds of target whose manifests are compared with a budget.
const SCALED: [&str; 3] = ["Deployment", "StatefulSet", "ReplicaSet"];

/// Adds a budget to the draft whose target has the budget's selector. If no draft has that target, a new
/// draft is made.
///
/// # Errors
/// If the budget belongs to no target, or the resource cannot hold it.
pub(super) fn attach(object: &Value, objects: &[Value], drafts: &mut Vec<Draft>) -> Result<(), Refused> {
    let refused = |about: &str, why: String| Err(refuse(object, about, why));
    let spec: PodDisruptionBudgetSpec =
        match serde_json::from_value(object.get("spec").cloned().unwrap_or_default()) {
            Ok(spec) => spec,
            Err(error) => return refused("spec", format!("not a PodDisruptionBudget: {error}")),
        };
    let policy = match spec.unhealthy_pod_eviction_policy.as_deref() {
        Some("AlwaysAllow") => UnhealthyPodEvictionPolicy::AlwaysAllow,
        // Kubernetes' default is written out, because the default of the resource is another one.
        None | Some("IfHealthyBudget") => UnhealthyPodEvictionPolicy::IfHealthyBudget,
        Some(other) => {
            return refused(
                "unhealthyPodEvictionPolicy",
                format!("{other:?} has no counterpart"),
            );
        }
    };
    let Some(selector) = object
        .pointer("/spec/selector")
        .filter(|selector| !selector.is_null())
    else {
        return refused("selector", "it has no selector, so it is over no pod".to_owned());
    };
    let Some(draft) = draft_of(object, selector, objects, drafts) else {
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
    draft.workload.disruption = Some(Disruption {
        min_available: spec.min_available,
        max_unavailable: spec.max_unavailable,
        unhealthy_pod_eviction_policy: Some(policy),
        ..Disruption::default()
    });
    // Rules about other fields concern the draft as a whole and are reported when it is put into a resource.
    if let Some(rule) = assemble::broken(&draft.workload).filter(|rule| rule.starts_with("disruption")) {
        let name = draft.workload.name.clone();
        draft.workload.disruption = None;
        drafts.retain(|draft| !draft.is_empty());
        return refused(&name, rule);
    }
    Ok(())
}

/// The draft whose target has the selector; a new draft if the target has none.
fn draft_of<'a>(
    object: &Value,
    selector: &Value,
    objects: &[Value],
    drafts: &'a mut Vec<Draft>,
) -> Option<&'a mut Draft> {
    let found = drafts.iter().position(|draft| {
        shares_namespace(object, draft)
            && manifest(objects, draft).is_some_and(|target| is_same(target, selector))
    });
    if let Some(found) = found {
        return drafts.get_mut(found);
    }
    let namespace = text(object, "/metadata/namespace");
    let target = objects.iter().find(|target| {
        SCALED.contains(&text(target, "/kind").unwrap_or_default())
            && text(target, "/metadata/namespace") == namespace
            && is_same(target, selector)
    })?;
    let name = text(target, "/metadata/name")?;
    drafts.push(Draft {
        origin: format!("PodDisruptionBudget {}", named(object)),
        namespace: namespace.map(str::to_owned),
        workload: Workload {
            name: names::metric_name(name),
            scale_target_ref: ScaleTargetRef {
                api_version: text(target, "/apiVersion")?.to_owned(),
                kind: text(target, "/kind")?.to_owned(),
                name: name.to_owned(),
            },
            ..Workload::default()
        },
        ..Draft::default()
    });
    drafts.last_mut()
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

/// Whether a target has this selector. An empty list or map is the same as none.
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
