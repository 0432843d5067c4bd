//! What to write: a pure function from the validated resource and what was read to plain data.
//!
//! Ownership is by the controller's UID. A child that is absent is created, one of ours is updated where it
//! drifted, and any other object of its name is left alone. A child that would work against somebody
//! else's object on the same pods is not created. A child of ours that nothing asks for is deleted, unless
//! what it belongs to is at present invalid or unreadable: then it stays as it is.

mod obstacle;
mod wanted;

use std::collections::BTreeSet;

pub use obstacle::Obstacle;

use crate::{
    api::{
        condition::{SCALE_TARGET_FOUND, reason},
        v1alpha1::VoiceAssistScaling,
    },
    core::{
        child::{Child, ChildKind, ChildRef, Live, TargetKey},
        conditions::{Finding, Status},
        drift::needs_apply,
        model::{Scaling, Workload},
        observed::{Observed, Target},
        validate::Validation,
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

impl Planner<'_> {
    fn workload(&mut self, workload: &Workload) {
        let name = self.scaling.key.child_name(&workload.name);
        let target = self.observed.targets.get(&workload.name);
        let found = target_finding(workload, target);
        let mut obstacles = Vec::new();
        if let Some(older) = self.older_claim(&TargetKey::from(&workload.target)) {
            obstacles.push(Obstacle::older_claim(&name, &older, workload));
        } else {
            let wanted = wanted::of_workload(self.scaling, workload, target, self.observed);
            self.keep.extend(wanted.kept);
            obstacles.extend(wanted.obstacles);
            for child in wanted.children {
                self.child(child, target, workload, &mut obstacles);
            }
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
        if let Some(older) = older {
            self.plan.limits.push(Obstacle::older_limits(name, older));
            return;
        }
        let mut obstacles = Vec::new();
        for child in wanted::limits(self.scaling, own) {
            self.keep.insert(child.reference.clone());
            match self.live(&child.reference) {
                Some(live) if live.is_controlled_by(&own.uid) => self.update(child, &mut obstacles),
                Some(live) => obstacles.push(Obstacle::foreign(&child.reference, live, name)),
                None => self.create(child),
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
        } else if needs_apply(&child.body, &live.content, &live.owned) {
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

    fn objects(&self, kind: ChildKind) -> impl Iterator<Item = &Live> {
        self.observed
            .live
            .get(&kind)
            .into_iter()
            .flatten()
            .map(AsRef::as_ref)
    }

    fn live(&self, reference: &ChildRef) -> Option<&Live> {
        self.objects(reference.kind)
            .find(|live| live.name == reference.name)
    }

    /// Somebody else's object of the same kind on the same pods.
    fn rival(&self, kind: ChildKind, target: Option<&Target>, workload: &Workload) -> Option<&Live> {
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
                            .is_some_and(|selector| crate::core::selector::matches(selector, &labels))
                }
                ChildKind::LimitRange | ChildKind::ResourceQuota => false,
            })
    }

    fn older_claim(&self, target: &TargetKey) -> Option<String> {
        let own = &self.observed.own;
        self.observed
            .others
            .iter()
            .find(|other| other.targets.contains(target) && other.is_older_than(own))
            .map(|other| other.name.clone())
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
