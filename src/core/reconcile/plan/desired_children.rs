//! The children that a resource asks for and that the cluster, in its present state, can have.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::Serialize;
use serde_json::Value;

use super::Blocker;
use crate::{
    reconcile::{
        child::{Child, ChildKind, ChildRef},
        desired::{self, meta::owner_reference},
        observed::{Claim, Observed, Target, VpaSupport},
    },
    spec::model::{Scaling, Workload},
};

/// The children that a resource asks for, for one workload.
#[derive(Debug, Default)]
pub(super) struct DesiredChildren {
    /// Children to write.
    pub(super) children: Vec<Child>,
    /// Children that are asked for but cannot be built now. If one exists, it stays as it is.
    pub(super) keep: Vec<ChildRef>,
    pub(super) blockers: Vec<Blocker>,
}

/// The children of one workload as of `now`.
pub(super) fn of_workload(
    scaling: &Scaling,
    workload: &Workload,
    target: Option<&Target>,
    observed: &Observed,
    now: Timestamp,
) -> DesiredChildren {
    let name = scaling.key.child_name(&workload.name);
    let owner = owner(&observed.own);
    let of = Some(workload);
    let mut result = DesiredChildren::default();
    if workload.has_hpa() {
        let hpa = desired::hpa::build(scaling, workload, now, Some(&owner));
        result
            .children
            .extend(child(ChildKind::HorizontalPodAutoscaler, &name, of, Some(hpa)));
    }

    let reference = |kind| ChildRef {
        kind,
        name: name.clone(),
    };
    if let Some(vertical) = &workload.vertical {
        // The cluster can lose the VPA's CRD for a moment while VPA is upgraded. So a VPA that cannot be
        // built now is kept, not deleted.
        if observed.vpa.knows(vertical.update_mode) {
            let vpa = desired::vpa::build(scaling, workload, Some(&owner));
            result
                .children
                .extend(child(ChildKind::VerticalPodAutoscaler, &name, of, vpa));
        } else {
            result.keep.push(reference(ChildKind::VerticalPodAutoscaler));
            result.blockers.push(match observed.vpa {
                VpaSupport::Absent => Blocker::vpa_not_installed(&name),
                VpaSupport::Served { .. } => Blocker::vpa_too_old(&name, vertical.update_mode),
            });
        }
    }
    // A budget selects pods by the target's own selector. Without it the budget is kept as it is.
    if workload.disruption.is_some() {
        match target {
            Some(Target::Found {
                selector: Ok(selector),
                ..
            }) => {
                let pdb = desired::pdb::build(scaling, workload, selector.object(), Some(&owner));
                result
                    .children
                    .extend(child(ChildKind::PodDisruptionBudget, &name, of, pdb));
            }
            Some(Target::Found {
                selector: Err(problem),
                ..
            }) => {
                result.keep.push(reference(ChildKind::PodDisruptionBudget));
                result.blockers.push(Blocker::no_selector(&name, problem));
            }
            Some(Target::Unusable { .. } | Target::Unknown { .. }) | None => {
                result.keep.push(reference(ChildKind::PodDisruptionBudget));
            }
        }
    }
    result
}

/// The namespace-wide children: LimitRange and ResourceQuota.
pub(super) fn limits(scaling: &Scaling, own: &Claim) -> Vec<Child> {
    let owner = owner(own);
    let name = &scaling.key.name;
    let limit_range = desired::limit_range::build(scaling, Some(&owner));
    let quota = desired::resource_quota::build(scaling, Some(&owner));
    child(ChildKind::LimitRange, name, None, limit_range)
        .into_iter()
        .chain(child(ChildKind::ResourceQuota, name, None, quota))
        .collect()
}

fn owner(own: &Claim) -> OwnerReference {
    owner_reference(&own.name, &own.uid)
}

/// A child with this body; `None` if there is no object to build.
fn child<T: Serialize>(
    kind: ChildKind,
    name: &str,
    workload: Option<&Workload>,
    object: Option<T>,
) -> Option<Child> {
    // Kubernetes types always serialize. One that did not would count as not asked for.
    let mut body = serde_json::to_value(object?).ok()?;
    if let Value::Object(fields) = &mut body {
        fields.remove("status");
    }
    Some(Child {
        reference: ChildRef {
            kind,
            name: name.to_owned(),
        },
        workload: workload.map(|workload| workload.name.clone()),
        body,
    })
}
