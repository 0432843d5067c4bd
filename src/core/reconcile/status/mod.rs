//! The status of a resource: a pure function of what was observed, planned and written.
//!
//! The operator owns every condition but `MetricsAvailable`, which it only reads. Invariant: of what changes with the
//! load only the replicas are in the status, and no value of a metric. So a resource at rest causes no writes, and a
//! scaled one at most one for each sync of its HPA.

mod ready;
mod schedule;
mod workload;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use self::workload::WorkloadFindings;
use super::{
    observed::{Observed, Target},
    outcome::Outcome,
    plan::Plan,
    suspend::Suspended,
};
use crate::{
    k8s::{
        conditions::{Finding, Status, conditions, summarize},
        quota::{self, AtMost, PodRequests},
    },
    spec::rules::{Validation, Violation},
    wording::and_more,
};
use vas_api::{
    condition::{
        LIMITS_MANAGED, METRICS_AVAILABLE, QUOTA_SUFFICIENT, RESOURCES_APPLIED, SCALE_TARGET_FOUND,
        SPEC_VALID, SUSPENDED, reason,
    },
    v1alpha1::{VoiceAssistScaling, VoiceAssistScalingStatus, WorkloadStatus},
};

/// Largest number of violations that a message names; `vas validate` names all of them.
const VIOLATIONS_SHOWN: usize = 5;

/// Everything that a status is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The resource, with its present status.
    pub object: &'a VoiceAssistScaling,
    /// The result of the rules.
    pub validation: &'a Validation,
    /// The workloads that are suspended now.
    pub suspended: &'a Suspended,
    /// What was read from the cluster.
    pub observed: &'a Observed,
    /// The planned writes.
    pub plan: &'a Plan,
    /// The results of the writes.
    pub outcomes: &'a [Outcome],
}

/// The status to write; `None` if the resource already has exactly this status.
pub fn status(inputs: &Inputs<'_>, now: Timestamp) -> Option<VoiceAssistScalingStatus> {
    let old = inputs.object.status.clone().unwrap_or_default();
    let new = compute(inputs, &old, now);
    // `MetricsAvailable` is the metrics server's own condition and must cause no write here.
    let mut compared = old;
    compared.conditions = compared.conditions.map(owned_by_operator);
    (new != compared).then_some(new)
}

fn compute(inputs: &Inputs<'_>, old: &VoiceAssistScalingStatus, now: Timestamp) -> VoiceAssistScalingStatus {
    let generation = inputs.observed.resource.generation;
    let workloads = workload::findings(inputs, old, now);
    let spec_valid = spec_valid(&inputs.validation.violations);
    // Each condition of the resource is the worst of those of its workloads, and names the workload. `Ready`
    // then sums up these.
    let target_found = summarize(
        SCALE_TARGET_FOUND,
        workloads.iter().map(|one| (one.name.as_str(), &one.target)),
        Finding::new(
            SCALE_TARGET_FOUND,
            Status::True,
            reason::FOUND,
            "every scale target was found",
        ),
    );
    let limits = workload::limits_applied(inputs);
    let leftovers = workload::leftovers_deleted(inputs);
    let applied = summarize(
        RESOURCES_APPLIED,
        workloads
            .iter()
            .map(|one| (one.name.as_str(), &one.applied))
            .chain(limits.as_ref().map(|limits| ("limits", limits)))
            .chain(leftovers.as_ref().map(|leftovers| ("leftovers", leftovers))),
        workload::all_applied(&workloads),
    );
    let metrics = ready::metrics_available(inputs);
    let ready = ready::ready(
        &[&spec_valid, &target_found, &applied],
        &workloads,
        metrics.as_ref(),
        inputs.suspended,
    );
    let mut findings = vec![ready, spec_valid, target_found, applied];
    findings.extend(quota_sufficient(inputs));
    findings.extend(limits_managed(inputs.plan));
    findings.extend(suspended(inputs.suspended));
    let old_conditions = old.conditions.as_deref().unwrap_or_default();
    VoiceAssistScalingStatus {
        observed_generation: Some(generation),
        environment: inputs.object.spec.environment.clone(),
        workload_names: Some(workload_names(inputs.object)),
        min_replicas: Some(listed(&workloads, |workload| Some(workload.bounds?.0))),
        max_replicas: Some(listed(&workloads, |workload| Some(workload.bounds?.1))),
        replicas: Some(listed(&workloads, |workload| workload.replicas)),
        next_change: schedule::first(workloads.iter().filter_map(|one| one.coming.as_ref())),
        suspended: inputs.suspended.short(),
        conditions: Some(sorted(conditions(&findings, old_conditions, generation, now))),
        workloads: Some(
            workloads
                .into_iter()
                .map(|workload| {
                    let old = old
                        .workloads
                        .iter()
                        .flatten()
                        .find(|old| old.name == workload.name);
                    let old = old.and_then(|old| old.conditions.as_deref()).unwrap_or_default();
                    WorkloadStatus {
                        conditions: Some(sorted(conditions(&workload.all(), old, generation, now))),
                        disruptions_allowed_at_min_replicas: workload
                            .disruptions_allowed
                            .map(|allowed| allowed.0),
                        disruptions_allowed_at_max_replicas: workload
                            .disruptions_allowed
                            .map(|allowed| allowed.1),
                        schedule: workload.schedule,
                        name: workload.name,
                    }
                })
                .collect(),
        ),
    }
}

fn workload_names(object: &VoiceAssistScaling) -> String {
    let names: Vec<&str> = object
        .spec
        .workloads
        .iter()
        .map(|workload| workload.name.as_str())
        .collect();
    names.join(",")
}

/// A number of each workload in the order of their names; `-` where there is none.
fn listed(workloads: &[WorkloadFindings], number: impl Fn(&WorkloadFindings) -> Option<i32>) -> String {
    let numbers: Vec<String> = workloads
        .iter()
        .map(|workload| number(workload).map_or_else(|| "-".to_owned(), |number| number.to_string()))
        .collect();
    numbers.join(",")
}

/// The conditions that the operator writes, in the order in which it writes them.
fn owned_by_operator(conditions: Vec<Condition>) -> Vec<Condition> {
    sorted(
        conditions
            .into_iter()
            .filter(|condition| condition.type_ != METRICS_AVAILABLE)
            .collect(),
    )
}

/// Sorts by type. The server may return a merged list in any order, and an order alone must cause no write.
fn sorted(mut conditions: Vec<Condition>) -> Vec<Condition> {
    conditions.sort_by(|left, right| left.type_.cmp(&right.type_));
    conditions
}

/// The condition `SpecValid`.
fn spec_valid(violations: &[Violation]) -> Finding {
    let Some(_) = violations.first() else {
        return Finding::new(
            SPEC_VALID,
            Status::True,
            reason::VALID,
            "every environment obeys the rules",
        );
    };
    let mut lines: Vec<String> = violations
        .iter()
        .take(VIOLATIONS_SHOWN)
        .map(|violation| format!("{}: {}", violation.path, violation.rule))
        .collect();
    if violations.len() > VIOLATIONS_SHOWN {
        let more = and_more(violations.len() - VIOLATIONS_SHOWN);
        lines.push(format!("{}; vas validate lists them all", more.trim_start()));
    }
    Finding::new(SPEC_VALID, Status::False, reason::INVALID, lines.join("; "))
}

/// The condition `Suspended`; `None` if neither the spec nor an annotation asks for a suspension.
fn suspended(suspended: &Suspended) -> Option<Finding> {
    let words = suspended.long()?;
    let (status, reason) = if suspended.unreadable() {
        (Status::True, reason::SUSPENSION_UNREADABLE)
    } else if suspended.any() {
        (Status::True, reason::SUSPENDED)
    } else {
        (Status::False, reason::WORKLOAD_UNKNOWN)
    };
    Some(Finding::new(SUSPENDED, status, reason, words))
}

/// The condition `LimitsManaged`, a warning that does not count for `Ready`; `None` where no limits are left alone.
fn limits_managed(plan: &Plan) -> Option<Finding> {
    let left: Vec<&str> = plan
        .limits
        .iter()
        .filter(|blocker| blocker.is_of_unmanaged_limits())
        .map(|blocker| blocker.message.as_str())
        .collect();
    (!left.is_empty()).then(|| {
        Finding::new(
            LIMITS_MANAGED,
            Status::False,
            reason::LIMITS_NOT_MANAGED,
            left.join("; "),
        )
    })
}

/// The condition `QuotaSufficient`, a warning that does not count for `Ready`; `None` if the namespace has no
/// quota.
fn quota_sufficient(inputs: &Inputs<'_>) -> Option<Finding> {
    let scaling = inputs.validation.scaling.as_ref()?;
    if inputs.observed.quotas.is_empty() {
        return None;
    }
    // A workload without a known pod template counts with its pods alone, for quotas on the number of pods.
    let unknown = PodRequests::new();
    let workloads: Vec<AtMost<'_>> = scaling
        .workloads
        .iter()
        .map(|workload| AtMost {
            replicas: workload.widest().max,
            requests: match inputs.observed.targets.get(&workload.name) {
                Some(Target::Found {
                    template: Some(template),
                    ..
                }) => &template.requests,
                _ => &unknown,
            },
        })
        .collect();
    Some(match quota::shortage(&inputs.observed.quotas, &workloads) {
        None => Finding::new(
            QUOTA_SUFFICIENT,
            Status::True,
            reason::QUOTA_SUFFICIENT,
            "the namespace's quotas leave room for maxReplicas of every workload",
        ),
        Some(shortage) => Finding::new(
            QUOTA_SUFFICIENT,
            Status::False,
            reason::QUOTA_TOO_SMALL,
            shortage.to_string(),
        ),
    })
}

#[cfg(test)]
mod tests;
