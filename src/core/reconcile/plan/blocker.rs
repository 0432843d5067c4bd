//! Blockers: the reasons why a child is not as desired, each with its fix, for the condition `ResourcesApplied`.

use crate::{
    k8s::conditions::Status,
    reconcile::{
        child::{ChildKind, ChildRef, Live},
        observed::Claim,
    },
    spec::model::Workload,
};
use vas_api::{condition::reason, v1alpha1::UpdateMode, vpa::VPA_CRD};

/// One reason why a child is not as desired. With [`Status::True`] it is only a note, and blocks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The status that the blocker gives the condition `ResourcesApplied`.
    pub status: Status,
    /// Reason of that condition.
    pub reason: &'static str,
    /// The problem and how to solve it.
    pub message: String,
}

impl Blocker {
    fn new(status: Status, reason: &'static str, message: String) -> Self {
        Self {
            status,
            reason,
            message,
        }
    }

    /// An older resource has the same target.
    pub(super) fn older_claim(child: &str, older: &str, workload: &Workload) -> Self {
        Self::new(
            Status::False,
            reason::TARGET_ALREADY_MANAGED,
            format!(
                "{child} is not written: the older VoiceAssistScaling {older} has the same target, {} {}",
                workload.target.kind, workload.target.name
            ),
        )
    }

    /// An older resource also asks for limits of this kind.
    pub(super) fn older_limits(child: &ChildRef, older: &Claim) -> Self {
        Self::new(
            Status::False,
            reason::TARGET_ALREADY_MANAGED,
            format!(
                "{child} is not written: the older VoiceAssistScaling {} asks for a {} in this namespace too",
                older.name,
                child.kind.as_str()
            ),
        )
    }

    /// An object of somebody else acts on the same pods.
    pub(super) fn conflicting(child: &ChildRef, other: &Live) -> Self {
        let why = match child.kind {
            ChildKind::PodDisruptionBudget => "selects the same pods, and two budgets block every eviction",
            ChildKind::LimitRange | ChildKind::ResourceQuota => "limits this namespace already",
            ChildKind::HorizontalPodAutoscaler | ChildKind::VerticalPodAutoscaler => {
                "has the same target, and two of them would work against each other"
            }
        };
        Self::new(
            Status::False,
            reason::TARGET_ALREADY_MANAGED,
            format!(
                "{} {}{} {why}; delete it and {child} takes over without moving replicas",
                child.kind,
                other.name,
                owned_by(other),
            ),
        )
    }

    /// An object of somebody else has the child's name. If it belongs to an earlier resource of the same
    /// name, the garbage collector will delete it, so the child only waits.
    pub(super) fn foreign(child: &ChildRef, live: &Live, scaling: &str) -> Self {
        let leftover = live.owning_resource() == Some(scaling);
        if leftover {
            return Self::new(
                Status::Unknown,
                reason::PENDING,
                format!("{child} of an earlier resource of this name is still being deleted"),
            );
        }
        Self::new(
            Status::False,
            reason::OWNERSHIP_CONFLICT,
            format!(
                "{child} exists{} and is left alone; delete it or rename the workload",
                if live.controller.is_some() {
                    owned_by(live)
                } else {
                    " without an owner".to_owned()
                }
            ),
        )
    }

    /// Somebody undoes the writes of the child again and again. `managers` names them; it is empty if they
    /// are unknown.
    pub(crate) fn contested(child: &ChildRef, managers: &str) -> Self {
        let who = if managers.is_empty() {
            "somebody deletes or changes it each time it is written".to_owned()
        } else {
            format!("it is also written by {managers}")
        };
        Self::new(
            Status::False,
            reason::CONTESTED,
            format!(
                "{child} does not stay as it is written: {who}; it is written back ever more rarely, at most every 10 \
                 minutes, until only one of them writes it"
            ),
        )
    }

    /// The child is being deleted and waits for a finalizer.
    pub(super) fn being_deleted(child: &ChildRef) -> Self {
        Self::new(
            Status::Unknown,
            reason::PENDING,
            format!("{child} is being deleted"),
        )
    }

    /// The child is not created before its target exists.
    pub(super) fn waits_for_target(child: &ChildRef) -> Self {
        Self::new(
            Status::Unknown,
            reason::PENDING,
            format!("{child} is created when its target is there"),
        )
    }

    /// The cluster serves no VPA CRD.
    pub(super) fn vpa_not_installed(name: &str) -> Self {
        Self::new(
            Status::True,
            reason::VPA_NOT_INSTALLED,
            format!("VerticalPodAutoscaler {name} is created when the cluster serves {VPA_CRD}"),
        )
    }

    /// The installed VPA CRD does not know the update mode.
    pub(super) fn vpa_too_old(name: &str, mode: UpdateMode) -> Self {
        Self::new(
            Status::False,
            reason::VPA_TOO_OLD,
            format!(
                "VerticalPodAutoscaler {name} is not written: the installed {VPA_CRD} does not know updateMode {mode:?}; upgrade it or use another mode"
            ),
        )
    }

    /// The target has no selector that a budget can use.
    pub(super) fn no_selector(name: &str, problem: &str) -> Self {
        Self::new(
            Status::False,
            reason::NOT_SCALABLE,
            format!("PodDisruptionBudget {name} is not written: {problem}"),
        )
    }

    /// Whether limits are left alone. That counts for the condition `LimitsManaged`, not for `ResourcesApplied`.
    pub(in crate::reconcile) fn is_of_unmanaged_limits(&self) -> bool {
        self.reason == reason::LIMITS_NOT_MANAGED
    }

    /// The operator runs with `--manage-limits=false` and writes no limits; `left` were written before.
    pub(super) fn limits_not_managed(name: &str, left: &[ChildRef]) -> Self {
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        let stays = if left.is_empty() {
            String::new()
        } else {
            format!("{}, written before, stay; ", left.join(" and "))
        };
        Self::new(
            Status::False,
            reason::LIMITS_NOT_MANAGED,
            format!(
                "the limits of {name} are not written: the operator runs with --manage-limits=false; {stays}the cluster's administrator adds the component limits of manifests/install, or remove spec.limits"
            ),
        )
    }

    /// The operator runs with `--manage-limits=false` and does not delete a child that nothing asks for any
    /// more.
    pub(super) fn limits_not_deleted(child: &ChildRef) -> Self {
        Self::new(
            Status::False,
            reason::LIMITS_NOT_MANAGED,
            format!(
                "{child} is no longer asked for and not deleted: the operator runs with --manage-limits=false; delete it"
            ),
        )
    }
}

fn owned_by(live: &Live) -> String {
    live.controller
        .as_ref()
        .map(|owner| format!(" (owned by {} {})", owner.kind, owner.name))
        .unwrap_or_default()
}
