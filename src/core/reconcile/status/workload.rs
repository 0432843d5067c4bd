//! The conditions of one workload.

use jiff::Timestamp;

use super::{Inputs, schedule};
use crate::{
    k8s::conditions::{Finding, Status, summarize},
    reconcile::{
        child::{ChildKind, Live},
        desired::pdb,
        observed::Observed,
        outcome::{Outcome, Part},
        plan::{Blocker, WorkloadPlan},
    },
    spec::model::{Workload, child_name},
};
use vas_api::{
    condition::{ABLE_TO_SCALE, RESOURCES_APPLIED, SCALE_TARGET_FOUND, SCALING_ACTIVE, reason},
    v1alpha1::{ScheduleStatus, VoiceAssistScalingStatus},
};

/// The conditions of one workload, before they are stamped with times.
#[derive(Clone, Debug)]
pub(super) struct WorkloadFindings {
    pub(super) name: String,
    /// The condition `ScaleTargetFound`.
    pub(super) target: Finding,
    /// The condition `ResourcesApplied`.
    pub(super) applied: Finding,
    /// `AbleToScale` and `ScalingActive`, copied from the workload's HPA; empty without an HPA.
    pub(super) mirrored: Vec<Finding>,
    /// Evictions that the budget allows at the lowest `minReplicas` and at the highest `maxReplicas`; `None` without a
    /// budget or an HPA.
    pub(super) disruptions_allowed: Option<(i32, i32)>,
    /// `minReplicas` and `maxReplicas` of the moment; `None` without an HPA.
    pub(super) bounds: Option<(i32, i32)>,
    /// The state of the schedule; `None` without one.
    pub(super) schedule: Option<ScheduleStatus>,
    /// The next change that the schedule brings.
    pub(super) coming: Option<schedule::Coming>,
    /// The replicas that the workload's HPA last counted.
    pub(super) replicas: Option<i32>,
}

impl WorkloadFindings {
    pub(super) fn all(&self) -> Vec<Finding> {
        let own = [self.target.clone(), self.applied.clone()];
        own.into_iter().chain(self.mirrored.clone()).collect()
    }
}

/// The findings of each workload, in the order of the spec. A workload that breaks a rule is not checked.
pub(super) fn findings(
    inputs: &Inputs<'_>,
    old: &VoiceAssistScalingStatus,
    now: Timestamp,
) -> Vec<WorkloadFindings> {
    let valid = inputs
        .validation
        .scaling
        .as_ref()
        .map(|scaling| &scaling.workloads);
    inputs
        .object
        .spec
        .workloads
        .iter()
        .map(|written| {
            let workload = valid.into_iter().flatten().find(|one| one.name == written.name);
            let plan = inputs
                .plan
                .workloads
                .iter()
                .find(|plan| plan.name == written.name);
            match (workload, plan) {
                (Some(workload), Some(plan)) => of_valid(inputs, old, workload, plan, now),
                _ => not_checked(&written.name, old),
            }
        })
        .collect()
}

fn not_checked(name: &str, old: &VoiceAssistScalingStatus) -> WorkloadFindings {
    let mut before = old.workloads.iter().flatten();
    let before = before.find(|status| status.name == name);
    // The HPA keeps its bounds until the spec is corrected; what would come next is not known.
    let schedule = before.and_then(|status| status.schedule.clone());
    let finding = |type_| {
        Finding::new(
            type_,
            Status::Unknown,
            reason::NOT_CHECKED,
            "the spec breaks a rule; what exists stays as it is",
        )
    };
    WorkloadFindings {
        name: name.to_owned(),
        target: finding(SCALE_TARGET_FOUND),
        applied: finding(RESOURCES_APPLIED),
        mirrored: Vec::new(),
        disruptions_allowed: None,
        bounds: None,
        schedule: schedule.map(|schedule| ScheduleStatus {
            next_change: None,
            ..schedule
        }),
        coming: None,
        replicas: None,
    }
}

fn of_valid(
    inputs: &Inputs<'_>,
    old: &VoiceAssistScalingStatus,
    workload: &Workload,
    plan: &WorkloadPlan,
    now: Timestamp,
) -> WorkloadFindings {
    let (bounds, widest) = (workload.bounds_at(now), workload.widest());
    let (schedule, coming) = schedule::of(workload, bounds, now).unzip();
    let outcomes = inputs
        .outcomes
        .iter()
        .filter(|outcome| matches!(&outcome.part, Part::Workload(name) if *name == workload.name));
    let hpa_name = child_name(&inputs.observed.resource.name, &workload.name);
    let hpa = own_hpa(inputs.observed, &hpa_name);
    WorkloadFindings {
        bounds: workload.has_hpa().then_some((bounds.min, bounds.max)),
        schedule,
        coming: coming.flatten(),
        replicas: hpa.and_then(|hpa| hpa.replicas),
        name: workload.name.clone(),
        target: plan.target.clone(),
        applied: applied(&plan.blockers, outcomes),
        mirrored: [ABLE_TO_SCALE, SCALING_ACTIVE]
            .into_iter()
            .filter(|_| workload.has_hpa())
            .map(|type_| mirror(type_, hpa, &workload.name, old))
            .collect(),
        disruptions_allowed: workload
            .disruption
            .as_ref()
            .filter(|_| workload.has_hpa())
            .map(|disruption| {
                (
                    pdb::disruptions_allowed(&disruption.bound, widest.min),
                    pdb::disruptions_allowed(&disruption.bound, widest.max),
                )
            }),
    }
}

/// `ResourcesApplied` of the namespace-wide children; `None` if nothing asks for any.
pub(super) fn limits_applied(inputs: &Inputs<'_>) -> Option<Finding> {
    if inputs.plan.limits.iter().any(Blocker::is_of_unmanaged_limits) {
        return None;
    }
    let asked = inputs.validation.scaling.as_ref()?.limits.is_some();
    let outcomes = inputs
        .outcomes
        .iter()
        .filter(|outcome| outcome.part == Part::Limits);
    (asked || !inputs.plan.limits.is_empty()).then(|| applied(&inputs.plan.limits, outcomes))
}

/// `ResourcesApplied` of the children that were to be deleted; `None` if there were none.
pub(super) fn leftovers_deleted(inputs: &Inputs<'_>) -> Option<Finding> {
    let outcomes = || {
        inputs
            .outcomes
            .iter()
            .filter(|outcome| outcome.part == Part::Leftovers)
    };
    outcomes().next()?;
    Some(applied(&[], outcomes()))
}

/// `ResourcesApplied` of the resource for the case that every part of it is True. It repeats the notes of
/// the workloads.
pub(super) fn all_applied(workloads: &[WorkloadFindings]) -> Finding {
    let notes: Vec<&Finding> = workloads
        .iter()
        .map(|workload| &workload.applied)
        .filter(|applied| applied.reason != reason::APPLIED)
        .collect();
    match notes.first() {
        None => Finding::new(
            RESOURCES_APPLIED,
            Status::True,
            reason::APPLIED,
            "every child is as it should be",
        ),
        Some(first) => {
            let messages: Vec<&str> = notes.iter().map(|note| note.message.as_str()).collect();
            Finding::new(
                RESOURCES_APPLIED,
                Status::True,
                &first.reason,
                messages.join("; "),
            )
        }
    }
}

/// `ResourcesApplied` of one part of the resource: the worst of its blockers and failed writes.
fn applied<'a>(blockers: &[Blocker], outcomes: impl Iterator<Item = &'a Outcome>) -> Finding {
    let mut parts: Vec<Finding> = blockers
        .iter()
        .map(|blocker| {
            Finding::new(
                RESOURCES_APPLIED,
                blocker.status,
                blocker.reason,
                blocker.message.clone(),
            )
        })
        .collect();
    // Writes that succeeded are not listed: the next plan shows whether they had the wanted effect.
    parts.extend(outcomes.filter_map(|outcome| {
        let problem = outcome.result.as_ref().err()?;
        Some(Finding::new(
            RESOURCES_APPLIED,
            Status::False,
            reason::APPLY_FAILED,
            match outcome.part {
                Part::Workload(_) | Part::Limits => format!("{}: {problem}", outcome.reference),
                Part::Leftovers => format!("{} could not be deleted: {problem}", outcome.reference),
            },
        ))
    }));
    // A blocker with status True is only a note: the condition stays True and has its message. Example: the
    // VPA is created as soon as the cluster serves its CRD.
    let fine = parts
        .iter()
        .find(|part| part.status == Status::True)
        .cloned()
        .unwrap_or_else(|| {
            Finding::new(
                RESOURCES_APPLIED,
                Status::True,
                reason::APPLIED,
                "every child is as it should be",
            )
        });
    summarize(RESOURCES_APPLIED, parts.iter().map(|part| ("", part)), fine)
}

fn own_hpa<'a>(observed: &'a Observed, name: &str) -> Option<&'a Live> {
    observed
        .live
        .get(&ChildKind::HorizontalPodAutoscaler)
        .into_iter()
        .flatten()
        .map(AsRef::as_ref)
        .find(|live| live.name == name && live.is_controlled_by(&observed.own.uid))
}

/// Copies a condition of the HPA. The HPA's message may hold values that change at every sync. So the old
/// message stays until status or reason changes.
fn mirror(
    type_: &'static str,
    hpa: Option<&Live>,
    workload: &str,
    old: &VoiceAssistScalingStatus,
) -> Finding {
    let Some(condition) = hpa.and_then(|hpa| hpa.conditions.get(type_)) else {
        // The message is the same with and without an HPA, so the appearance of an HPA causes no status
        // write.
        let message = "the HorizontalPodAutoscaler has not reported yet";
        return Finding::new(type_, Status::Unknown, reason::PENDING, message);
    };
    let reason = if condition.reason.is_empty() {
        reason::PENDING
    } else {
        &condition.reason
    };
    // The old message is used only while it still describes the same state.
    let before = old
        .workloads
        .iter()
        .flatten()
        .find(|status| status.name == workload)
        .and_then(|status| status.conditions.iter().flatten().find(|old| old.type_ == type_))
        .filter(|old| old.status == condition.status && old.reason == reason);
    let message = before.map_or(&condition.message, |old| &old.message);
    Finding::new(type_, Status::of(&condition.status), reason, message.clone())
}
