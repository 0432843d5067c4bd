//! Plans the writes of a reconcile: a pure function from the validated resource and the observed cluster to
//! data.
//!
//! An object is a child of the resource exactly if its controller reference has the resource's UID. The rules
//! are:
//!
//! - A missing child is created, and a child that has drifted is updated.
//! - An object of the child's name that is not a child is left alone.
//! - A child that would conflict with somebody else's object on the same pods is not created.
//! - A child that two resources want, and neither has, goes to the older resource.
//! - A child that nothing asks for is deleted. It stays if its workload is invalid or its target unreadable.

mod blocker;
mod desired_children;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use blocker::Blocker;

use super::{
    child::{Child, ChildKind, ChildRef, Live, TargetKey},
    drift::needs_apply,
    observed::{Claim, Observed, Target},
};
use crate::{
    k8s::conditions::{Finding, Status},
    spec::{
        model::{Scaling, Workload},
        rules::Validation,
    },
};
use vas_api::{
    condition::{SCALE_TARGET_FOUND, reason},
    v1alpha1::VoiceAssistScaling,
};

/// All writes of one reconcile, and the blockers that stand in the way of others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Children of the resource that nothing asks for. They are deleted first, to make room for new ones.
    pub delete: Vec<Deletion>,
    /// Children to create or update. A child that has not drifted is not listed.
    pub apply: Vec<Application>,
    /// The plan for each valid workload.
    pub workloads: Vec<WorkloadPlan>,
    /// Blockers of the LimitRange and the ResourceQuota.
    pub limits: Vec<Blocker>,
}

/// A child to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Kind and name of the child.
    pub reference: ChildRef,
    /// Precondition of the deletion: the object still has this UID.
    pub uid: String,
}

/// A child to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// The child to write.
    pub child: Child,
    /// Whether it is created or updated.
    pub how: How,
}

/// How a child is written, with the precondition of the write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// The child is created. It must not exist yet.
    Create,
    /// The child is updated. It must still be the object with this UID.
    Update {
        /// UID of the live object.
        uid: String,
    },
}

/// The plan for one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadPlan {
    /// Name of the workload.
    pub name: String,
    /// The condition `ScaleTargetFound`.
    pub target: Finding,
    /// Blockers of the workload's children, and notes about them.
    pub blockers: Vec<Blocker>,
}

/// Plans the writes for `object`, whose rules `validation` has checked, as of `now`: schedules change the bounds of HPAs.
pub fn plan(
    object: &VoiceAssistScaling,
    validation: &Validation,
    observed: &Observed,
    now: Timestamp,
) -> Plan {
    let Some(scaling) = &validation.scaling else {
        return Plan::default();
    };
    let mut planner = Planner {
        scaling,
        observed,
        now,
        keep: invalid_children(object, scaling),
        plan: Plan::default(),
    };
    for workload in &scaling.workloads {
        planner.workload(workload);
    }
    planner.limits();
    planner.deletions();
    // If time runs out, every workload has its HPA before any workload gets its other children. The sort is
    // stable.
    planner
        .plan
        .apply
        .sort_by_key(|application| application.child.reference.kind);
    planner.plan
}

/// Children of workloads that are in the spec but break a rule. They stay as they are until the spec is
/// corrected.
fn invalid_children(object: &VoiceAssistScaling, scaling: &Scaling) -> BTreeSet<ChildRef> {
    let valid: BTreeSet<&str> = scaling
        .workloads
        .iter()
        .map(|workload| workload.name.as_str())
        .collect();
    object
        .spec
        .workloads
        .iter()
        .filter(|workload| !valid.contains(workload.name.as_str()))
        .flat_map(|workload| {
            let name = scaling.key.child_name(&workload.name);
            ChildKind::ALL.map(|kind| ChildRef {
                kind,
                name: name.clone(),
            })
        })
        .collect()
}

/// Builds the plan of one resource.
struct Planner<'a> {
    scaling: &'a Scaling,
    observed: &'a Observed,
    now: Timestamp,
    /// Children that must not be deleted. Every step that wants a child, or cannot judge one, adds it here.
    keep: BTreeSet<ChildRef>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    /// Plans the children of one workload.
    fn workload(&mut self, workload: &Workload) {
        // First: what the workload asks for. Then: what an older resource gets. The rest is written.
        let name = self.scaling.key.child_name(&workload.name);
        let target = self.observed.targets.get(&workload.name);
        let found = target_finding(workload, target);
        let desired = desired_children::of_workload(self.scaling, workload, target, self.observed, self.now);
        self.keep.extend(desired.keep);
        let mut blockers = desired.blockers;
        // A withheld child is not added to `keep`: if this resource has it besides, it is deleted, and the
        // older resource's child stays.
        let older = self.older_claim(&TargetKey::from(&workload.target));
        let (withheld, writable): (Vec<Child>, Vec<Child>) =
            desired.children.into_iter().partition(|child| {
                older.is_some_and(|older| self.goes_to(older, &child.reference, target, workload))
            });
        if let (Some(older), false) = (older, withheld.is_empty()) {
            blockers.push(Blocker::older_claim(&name, &older.name, workload));
        }
        for child in writable {
            self.child(child, target, workload, &mut blockers);
        }
        self.plan.workloads.push(WorkloadPlan {
            name: workload.name.clone(),
            target: found,
            blockers,
        });
    }

    /// Plans one desired child of a workload: update, create, or nothing and a blocker.
    fn child(
        &mut self,
        child: Child,
        target: Option<&Target>,
        workload: &Workload,
        blockers: &mut Vec<Blocker>,
    ) {
        self.keep.insert(child.reference.clone());
        let other = self.conflicting(child.reference.kind, target, workload);
        match self.live(&child.reference) {
            // A child that exists goes on working: deleting it would leave its workload without an
            // autoscaler.
            Some(live) if live.is_controlled_by(&self.observed.own.uid) => {
                blockers.extend(other.map(|other| Blocker::conflicting(&child.reference, other)));
                self.update(child, blockers);
            }
            // The name is taken by an object that is not ours. It is never written.
            Some(live) => blockers.push(Blocker::foreign(&child.reference, live, &self.scaling.key.name)),
            // Nothing has the name. A child is created only beside no other object that acts on the same
            // pods, and only for a target that exists.
            None => match (other, target) {
                (Some(other), _) => blockers.push(Blocker::conflicting(&child.reference, other)),
                (None, Some(Target::Found { .. })) => self.create(child),
                (None, Some(Target::Unusable { .. } | Target::Unknown { .. }) | None) => {
                    blockers.push(Blocker::waits_for_target(&child.reference));
                }
            },
        }
    }

    /// Plans the LimitRange and the ResourceQuota. A namespace takes each of them from one resource only.
    fn limits(&mut self) {
        let own = &self.observed.own;
        let name = &self.scaling.key.name;
        if !self.observed.manage_limits {
            self.limits_not_managed();
            return;
        }
        if self.scaling.limits.is_none() {
            return;
        }
        // Example: resource `a` of Monday and `b` of Tuesday both ask for a LimitRange. `a` writes it, and
        // `b` gets a blocker that names `a`.
        let mut blockers = Vec::new();
        for child in desired_children::limits(self.scaling, own) {
            let kind = child.reference.kind;
            let mut others = self.observed.others.iter();
            let older = others.find(|other| other.limits.asks_for(kind) && other.is_older_than(own));
            let theirs = self.others_limits(kind);
            let live = self.live(&child.reference);
            // The older resource gets the child if nobody has it, and keeps the child if both have it.
            if let Some(older) = older
                && theirs.map_or(live.is_none(), |theirs| theirs.is_controlled_by(&older.uid))
            {
                blockers.push(Blocker::older_limits(&child.reference, older));
                continue;
            }
            self.keep.insert(child.reference.clone());
            match (live, theirs) {
                (Some(live), _) if live.is_controlled_by(&own.uid) => self.update(child, &mut blockers),
                (Some(live), _) => blockers.push(Blocker::foreign(&child.reference, live, name)),
                (None, Some(theirs)) => blockers.push(Blocker::conflicting(&child.reference, theirs)),
                (None, None) => self.create(child),
            }
        }
        self.plan.limits = blockers;
    }

    /// Plans for an operator that may not write LimitRanges and ResourceQuotas. Those that the resource has
    /// stay, whether the spec asks for them or not.
    fn limits_not_managed(&mut self) {
        let ours: Vec<ChildRef> = [ChildKind::LimitRange, ChildKind::ResourceQuota]
            .into_iter()
            .flat_map(|kind| self.ours(kind))
            .collect();
        if self.scaling.limits.is_some() {
            let name = &self.scaling.key.name;
            self.plan.limits.push(Blocker::limits_not_managed(name, &ours));
        } else {
            let left = ours.iter().map(Blocker::limits_not_deleted);
            self.plan.limits.extend(left);
        }
        self.keep.extend(ours);
    }

    /// Plans the deletion of every child that is not in `keep`.
    fn deletions(&mut self) {
        // Live children are compared with `keep`, not with the spec: so a child also goes when its workload
        // was renamed or removed.
        for (kind, objects) in &self.observed.live {
            for live in objects {
                let reference = ChildRef {
                    kind: *kind,
                    name: live.name.clone(),
                };
                let ours = live.is_controlled_by(&self.observed.own.uid) && !live.deleting;
                if ours && !self.keep.contains(&reference) {
                    self.plan.delete.push(Deletion {
                        reference,
                        uid: live.uid.clone(),
                    });
                }
            }
        }
    }

    fn create(&mut self, child: Child) {
        self.plan.apply.push(Application {
            child,
            how: How::Create,
        });
    }

    /// Plans an update if the live child has drifted and is not being deleted.
    fn update(&mut self, child: Child, blockers: &mut Vec<Blocker>) {
        let Some(live) = self.live(&child.reference) else {
            return;
        };
        // An object that is being deleted accepts writes, but they would be lost with it.
        if live.deleting {
            blockers.push(Blocker::being_deleted(&child.reference));
        } else if needs_apply(&child.body, &live.content.text(), &live.owned) {
            let uid = live.uid.clone();
            self.plan.apply.push(Application {
                child,
                how: How::Update { uid },
            });
        }
    }

    /// The live children of this resource of one kind.
    fn ours(&self, kind: ChildKind) -> Vec<ChildRef> {
        self.objects(kind)
            .filter(|live| live.is_controlled_by(&self.observed.own.uid) && !live.deleting)
            .map(|live| ChildRef {
                kind,
                name: live.name.clone(),
            })
            .collect()
    }

    /// All live objects of one kind in the namespace, of this resource or not.
    fn objects(&self, kind: ChildKind) -> impl Iterator<Item = &'a Live> + use<'a> {
        let observed = self.observed;
        observed.live.get(&kind).into_iter().flatten().map(AsRef::as_ref)
    }

    /// The live object of this kind and name, of this resource or not.
    fn live(&self, reference: &ChildRef) -> Option<&'a Live> {
        self.objects(reference.kind)
            .find(|live| live.name == reference.name)
    }

    /// An object of somebody else, of the same kind, that acts on the same pods. For HPA and VPA that is one
    /// with the same target, for a budget one that selects the pods' labels.
    fn conflicting(&self, kind: ChildKind, target: Option<&Target>, workload: &Workload) -> Option<&'a Live> {
        let key = TargetKey::from(&workload.target);
        let labels = target.map(Target::pod_labels).unwrap_or_default();
        self.objects(kind)
            .filter(|live| !live.is_controlled_by(&self.observed.own.uid))
            .find(|live| match kind {
                ChildKind::HorizontalPodAutoscaler | ChildKind::VerticalPodAutoscaler => {
                    live.target.as_ref() == Some(&key)
                }
                ChildKind::PodDisruptionBudget => {
                    // Without known pod labels nothing can be said: an empty selector would match them.
                    !labels.is_empty()
                        && live
                            .selector
                            .as_ref()
                            .is_some_and(|selector| selector.matches(&labels))
                }
                ChildKind::LimitRange | ChildKind::ResourceQuota => false,
            })
    }

    /// The LimitRange or ResourceQuota of another resource. One that was made by hand conflicts with nothing,
    /// because Kubernetes applies it in addition.
    fn others_limits(&self, kind: ChildKind) -> Option<&'a Live> {
        self.objects(kind).find(|live| {
            let others = &self.observed.others;
            others.iter().any(|other| live.is_controlled_by(&other.uid))
        })
    }

    /// Whether this resource leaves a child to an older claim. It does so if neither resource has the child
    /// yet, and if the older resource has it (both may, after a race). It does not if only this resource has
    /// it: an HPA in use never changes hands.
    fn goes_to(&self, older: &Claim, child: &ChildRef, target: Option<&Target>, workload: &Workload) -> bool {
        self.conflicting(child.kind, target, workload)
            .map_or(self.live(child).is_none(), |other| {
                other.is_controlled_by(&older.uid)
            })
    }

    /// The claim of an older resource on the same target.
    fn older_claim(&self, target: &TargetKey) -> Option<&'a Claim> {
        let own = &self.observed.own;
        self.observed
            .others
            .iter()
            .find(|other| other.targets.contains(target) && other.is_older_than(own))
            .map(AsRef::as_ref)
    }
}

/// The condition `ScaleTargetFound` of a workload.
fn target_finding(workload: &Workload, target: Option<&Target>) -> Finding {
    let shown = format!("{} {}", workload.target.kind, workload.target.name);
    match target {
        Some(Target::Found { .. }) => Finding::new(
            SCALE_TARGET_FOUND,
            Status::True,
            reason::FOUND,
            format!("{shown} can be scaled"),
        ),
        Some(Target::Unusable { reason, message }) => {
            Finding::new(SCALE_TARGET_FOUND, Status::False, reason, message.clone())
        }
        Some(Target::Unknown { message }) => Finding::new(
            SCALE_TARGET_FOUND,
            Status::Unknown,
            reason::PENDING,
            message.clone(),
        ),
        None => Finding::new(SCALE_TARGET_FOUND, Status::Unknown, reason::NOT_CHECKED, shown),
    }
}

#[cfg(test)]
mod tests;
