//! What to write: a pure function from the validated resource and what was read to plain data.
//!
//! Ownership is by the controller's UID. A child that is absent is created, one of ours is updated where it
//! drifted, and any other object of its name is left alone. A child that would work against somebody
//! else's object on the same pods is not created; what two resources want, and neither has, goes to the
//! oldest. A child of ours that nothing asks for is deleted, unless what it belongs to is at present invalid or
//! unreadable: then it stays as it is.

mod obstacle;
mod wanted;

use std::collections::BTreeSet;

pub use obstacle::Obstacle;

use super::{
    child::{Child, ChildKind, ChildRef, Live, TargetKey},
    drift::needs_apply,
    observed::{Claim, Observed, Target},
};
use crate::{
    api::{
        condition::{SCALE_TARGET_FOUND, reason},
        v1alpha1::VoiceAssistScaling,
    },
    core::{
        k8s::conditions::{Finding, Status},
        spec::{
            model::{Scaling, Workload},
            rules::Validation,
        },
    },
};

/// All writes of one reconcile, and what stands in their way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Children of ours that nothing asks for. They go first, to make room.
    pub delete: Vec<Deletion>,
    /// Children to create or update; what is as it should be is not listed.
    pub apply: Vec<Application>,
    /// What the plan says of each valid workload.
    pub workloads: Vec<WorkloadPlan>,
    /// What stands in the way of the namespace-wide children.
    pub limits: Vec<Obstacle>,
}

/// A child to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Which one.
    pub reference: ChildRef,
    /// Precondition: it is still this very object.
    pub uid: String,
}

/// A child to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// What to write.
    pub child: Child,
    /// How.
    pub how: How,
}

/// How a child is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It must not exist yet.
    Create,
    /// It must still be the object with this UID.
    Update {
        /// The UID.
        uid: String,
    },
}

/// The plan for one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadPlan {
    /// Its name.
    pub name: String,
    /// `ScaleTargetFound`.
    pub target: Finding,
    /// What stands in the way of its children, or is worth saying about them.
    pub obstacles: Vec<Obstacle>,
}

/// Plans the writes for `object`, whose rules `validation` has checked.
pub fn plan(object: &VoiceAssistScaling, validation: &Validation, observed: &Observed) -> Plan {
    let Some(scaling) = &validation.scaling else {
        return Plan::default();
    };
    let mut planner = Planner {
        scaling,
        observed,
        keep: invalid_children(object, scaling),
        plan: Plan::default(),
    };
    for workload in &scaling.workloads {
        planner.workload(workload);
    }
    planner.limits();
    planner.deletions();
    // Every workload scales before any gets the rest, should time run out. The sort is stable.
    planner
        .plan
        .apply
        .sort_by_key(|application| application.child.reference.kind);
    planner.plan
}

/// Children of workloads that are written down but break a rule: they stay as they are.
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

struct Planner<'a> {
    scaling: &'a Scaling,
    observed: &'a Observed,
    /// Children of ours that are not deleted.
    keep: BTreeSet<ChildRef>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn workload(&mut self, workload: &Workload) {
        let name = self.scaling.key.child_name(&workload.name);
        let target = self.observed.targets.get(&workload.name);
        let found = target_finding(workload, target);
        let wanted = wanted::of_workload(self.scaling, workload, target, self.observed);
        self.keep.extend(wanted.kept);
        let mut obstacles = wanted.obstacles;
        let older = self.older_claim(&TargetKey::from(&workload.target));
        let (withheld, writable): (Vec<Child>, Vec<Child>) = wanted.children.into_iter().partition(|child| {
            older.is_some_and(|older| self.goes_to(older, &child.reference, target, workload))
        });
        if let (Some(older), false) = (older, withheld.is_empty()) {
            obstacles.push(Obstacle::older_claim(&name, &older.name, workload));
        }
        for child in writable {
            self.child(child, target, workload, &mut obstacles);
        }
        self.plan.workloads.push(WorkloadPlan {
            name: workload.name.clone(),
            target: found,
            obstacles,
        });
    }

    fn child(
        &mut self,
        child: Child,
        target: Option<&Target>,
        workload: &Workload,
        obstacles: &mut Vec<Obstacle>,
    ) {
        self.keep.insert(child.reference.clone());
        let rival = self.rival(child.reference.kind, target, workload);
        match self.live(&child.reference) {
            Some(live) if live.is_controlled_by(&self.observed.own.uid) => {
                obstacles.extend(rival.map(|rival| Obstacle::rival(&child.reference, rival)));
                self.update(child, obstacles);
            }
            Some(live) => obstacles.push(Obstacle::foreign(&child.reference, live, &self.scaling.key.name)),
            None => match (rival, target) {
                (Some(rival), _) => obstacles.push(Obstacle::rival(&child.reference, rival)),
                (None, Some(Target::Found { .. })) => self.create(child),
                (None, Some(Target::Unusable { .. } | Target::Unknown { .. }) | None) => {
                    obstacles.push(Obstacle::waits_for_target(&child.reference));
                }
            },
        }
    }

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
        let older = self
            .observed
            .others
            .iter()
            .find(|other| other.limits && other.is_older_than(own));
        let mut obstacles = Vec::new();
        for child in wanted::limits(self.scaling, own) {
            let theirs = self.others_limits(child.reference.kind);
            let live = self.live(&child.reference);
            if let Some(older) = older
                && theirs.map_or(live.is_none(), |theirs| theirs.is_controlled_by(&older.uid))
            {
                obstacles.push(Obstacle::older_limits(&child.reference, older));
                continue;
            }
            self.keep.insert(child.reference.clone());
            match (live, theirs) {
                (Some(live), _) if live.is_controlled_by(&own.uid) => self.update(child, &mut obstacles),
                (Some(live), _) => obstacles.push(Obstacle::foreign(&child.reference, live, name)),
                (None, Some(theirs)) => obstacles.push(Obstacle::rival(&child.reference, theirs)),
                (None, None) => self.create(child),
            }
        }
        self.plan.limits = obstacles;
    }

    /// The operator may not write them: those of ours stay, asked for or not.
    fn limits_not_managed(&mut self) {
        let ours: Vec<ChildRef> = [ChildKind::LimitRange, ChildKind::ResourceQuota]
            .into_iter()
            .flat_map(|kind| self.ours(kind))
            .collect();
        if self.scaling.limits.is_some() {
            let name = &self.scaling.key.name;
            self.plan.limits.push(Obstacle::limits_not_managed(name));
        } else {
            let left = ours.iter().map(Obstacle::limits_not_deleted);
            self.plan.limits.extend(left);
        }
        self.keep.extend(ours);
    }

    /// Whatever is ours by UID and not kept.
    fn deletions(&mut self) {
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

    fn update(&mut self, child: Child, obstacles: &mut Vec<Obstacle>) {
        let Some(live) = self.live(&child.reference) else {
            return;
        };
        if live.deleting {
            obstacles.push(Obstacle::being_deleted(&child.reference));
        } else if needs_apply(&child.body, &live.content.text(), &live.owned) {
            let uid = live.uid.clone();
            self.plan.apply.push(Application {
                child,
                how: How::Update { uid },
            });
        }
    }

    fn ours(&self, kind: ChildKind) -> Vec<ChildRef> {
        self.objects(kind)
            .filter(|live| live.is_controlled_by(&self.observed.own.uid) && !live.deleting)
            .map(|live| ChildRef {
                kind,
                name: live.name.clone(),
            })
            .collect()
    }

    fn objects(&self, kind: ChildKind) -> impl Iterator<Item = &'a Live> + use<'a> {
        let observed = self.observed;
        observed.live.get(&kind).into_iter().flatten().map(AsRef::as_ref)
    }

    fn live(&self, reference: &ChildRef) -> Option<&'a Live> {
        self.objects(reference.kind)
            .find(|live| live.name == reference.name)
    }

    /// Somebody else's object of the same kind on the same pods.
    fn rival(&self, kind: ChildKind, target: Option<&Target>, workload: &Workload) -> Option<&'a Live> {
        let key = TargetKey::from(&workload.target);
        let labels = target.map(Target::pod_labels).unwrap_or_default();
        self.objects(kind)
            .filter(|live| !live.is_controlled_by(&self.observed.own.uid))
            .find(|live| match kind {
                ChildKind::HorizontalPodAutoscaler | ChildKind::VerticalPodAutoscaler => {
                    live.target.as_ref() == Some(&key)
                }
                ChildKind::PodDisruptionBudget => {
                    !labels.is_empty()
                        && live
                            .selector
                            .as_ref()
                            .is_some_and(|selector| crate::core::k8s::selector::matches(selector, &labels))
                }
                ChildKind::LimitRange | ChildKind::ResourceQuota => false,
            })
    }

    /// Limits of another resource. Those made by hand add up with ours and are in nobody's way.
    fn others_limits(&self, kind: ChildKind) -> Option<&'a Live> {
        self.objects(kind).find(|live| {
            let others = &self.observed.others;
            others.iter().any(|other| live.is_controlled_by(&other.uid))
        })
    }

    /// Whether a child is left to an older claim: what neither has, and what both have after a race.
    fn goes_to(&self, older: &Claim, child: &ChildRef, target: Option<&Target>, workload: &Workload) -> bool {
        self.rival(child.kind, target, workload)
            .map_or(self.live(child).is_none(), |rival| {
                rival.is_controlled_by(&older.uid)
            })
    }

    fn older_claim(&self, target: &TargetKey) -> Option<&'a Claim> {
        let own = &self.observed.own;
        self.observed
            .others
            .iter()
            .find(|other| other.targets.contains(target) && other.is_older_than(own))
            .map(AsRef::as_ref)
    }
}

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
