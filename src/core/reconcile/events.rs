//! Chooses the Kubernetes Events of a reconcile: one for each change and for each failure, none per retry.
//!
//! A failure gets its Event when its condition turns False. The stored status is the memory of that, so a
//! restarted operator repeats no Event.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::outcome::{Change, Outcome};
use crate::k8s::conditions::cut;
use vas_api::{
    condition::{
        LIMITS_MANAGED, QUOTA_SUFFICIENT, READY, RESOURCES_APPLIED, SCALE_TARGET_FOUND, SPEC_VALID,
        SUSPENDED, event,
    },
    v1alpha1::{ScheduleStatus, VoiceAssistScalingStatus, WorkloadStatus},
};

/// One Event to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether the Event has type `Warning`, not `Normal`.
    pub warning: bool,
    /// Reason in PascalCase. The Event of a condition has the condition's reason.
    pub reason: String,
    /// What the operator did, as a verb: `Create`, `Observe`.
    pub action: &'static str,
    /// Text for people, at most 1024 bytes, because the API server refuses longer ones.
    pub note: String,
}

/// The Events for the writes of a reconcile: one for all created children, one for all updated and one for
/// all deleted ones, and one for each child of which fields were taken back.
pub fn of_outcomes<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Vec<Notice> {
    let normal = |reason: &str, action, note| Notice {
        warning: false,
        reason: reason.to_owned(),
        action,
        note: cut(note),
    };
    let [mut created, mut updated, mut deleted] = [const { Vec::new() }; 3];
    let mut notices = Vec::new();
    for outcome in outcomes {
        let child = &outcome.reference;
        match &outcome.result {
            Ok(Change::Created) => created.push(child.to_string()),
            Ok(Change::Deleted) => deleted.push(child.to_string()),
            Ok(Change::Updated { overwrote }) if overwrote.is_empty() => updated.push(child.to_string()),
            Ok(Change::Updated { overwrote }) => {
                let whose: Vec<String> = overwrote
                    .iter()
                    .map(|one| format!("{} from {}", one.fields.join(", "), one.manager))
                    .collect();
                notices.push(Notice {
                    warning: true,
                    ..normal(
                        event::CHANGE_OVERWRITTEN,
                        "Update",
                        format!("{child}: took back {}", whose.join("; ")),
                    )
                });
            }
            Err(_) => {}
        }
    }
    let written = [
        (event::CREATED, "Create", created),
        (event::UPDATED, "Update", updated),
        (event::DELETED, "Delete", deleted),
    ];
    let reported = written
        .into_iter()
        .filter(|(_, _, children)| !children.is_empty());
    notices.extend(reported.map(|(reason, action, children)| {
        normal(reason, action, format!("{reason} {}", children.join(", ")))
    }));
    notices
}

/// The Events for a status that is about to replace another one.
pub fn of_status(old: &VoiceAssistScalingStatus, new: &VoiceAssistScalingStatus) -> Vec<Notice> {
    let mut notices = Vec::new();
    let old_conditions = old.conditions.as_deref().unwrap_or_default();
    for condition in new.conditions.iter().flatten() {
        // The other conditions of the resource only sum up those of its workloads, which are reported below.
        let is_of_the_resource = matches!(
            condition.type_.as_str(),
            SPEC_VALID | QUOTA_SUFFICIENT | LIMITS_MANAGED
        );
        if is_of_the_resource && turned_false(condition, old_conditions) {
            notices.push(warning(condition, None));
        }
        let was_ready = find(old_conditions, READY).is_some_and(|ready| ready.status == "True");
        if condition.type_ == READY && condition.status == "True" && !was_ready {
            notices.push(Notice {
                warning: false,
                reason: condition.reason.clone(),
                action: "Observe",
                note: cut(format!("Ready: {}", condition.message)),
            });
        }
    }
    notices.extend(of_suspension(
        find(old_conditions, SUSPENDED),
        new.conditions.as_deref().and_then(|new| find(new, SUSPENDED)),
    ));
    let mut workloads_reported = false;
    for workload in new.workloads.iter().flatten() {
        let before = old
            .workloads
            .iter()
            .flatten()
            .find(|old| old.name == workload.name);
        notices.extend(of_schedule(
            before.and_then(|old| old.schedule.as_ref()),
            workload,
        ));
        let before = before
            .and_then(|old| old.conditions.as_deref())
            .unwrap_or_default();
        for condition in workload.conditions.iter().flatten() {
            if turned_false(condition, before) {
                workloads_reported = true;
                notices.push(warning(condition, Some(&workload.name)));
            }
        }
    }
    // These conditions sum up the workloads. If no workload explains one that turned False, the cause is a
    // LimitRange or ResourceQuota.
    for condition in new.conditions.iter().flatten() {
        let about_children = matches!(condition.type_.as_str(), SCALE_TARGET_FOUND | RESOURCES_APPLIED);
        if about_children && !workloads_reported && turned_false(condition, old_conditions) {
            notices.push(warning(condition, None));
        }
    }
    notices
}

/// The Event for the beginning or the end of a suspension. One that is only renewed gets no Event.
fn of_suspension(old: Option<&Condition>, new: Option<&Condition>) -> Option<Notice> {
    // The condition goes away with the last suspension, so an absent one counts as not held.
    let held = |condition: Option<&Condition>| condition.is_some_and(|one| one.status == "True");
    let (reason, note) = match (held(old), new) {
        (false, Some(new)) if held(Some(new)) => (new.reason.clone(), format!("Suspended: {}", new.message)),
        (true, new) if !held(new) => (
            event::RESUMED.to_owned(),
            "Every workload may scale again".to_owned(),
        ),
        _ => return None,
    };
    Some(Notice {
        warning: false,
        reason,
        action: "Suspend",
        note: cut(note),
    })
}

/// The Events for entries of a workload's schedule that have become active, or are no longer. The stored status is the
/// memory, so a restart or a second reconcile repeats none.
fn of_schedule(old: Option<&ScheduleStatus>, workload: &WorkloadStatus) -> Vec<Notice> {
    let active = |status: Option<&ScheduleStatus>| {
        status
            .and_then(|status| status.active.clone())
            .unwrap_or_default()
    };
    let new = workload.schedule.as_ref();
    let (was, is) = (active(old), active(new));
    let bounds = new.map_or_else(
        || "the schedule is gone".to_owned(),
        |new| {
            format!(
                "minReplicas {} and maxReplicas {}",
                new.min_replicas, new.max_replicas
            )
        },
    );
    let changed = |from: &[String], to: &[String]| -> Vec<String> {
        to.iter().filter(|name| !from.contains(name)).cloned().collect()
    };
    [
        (event::SCHEDULE_ENDED, "ended", changed(&is, &was)),
        (event::SCHEDULE_STARTED, "began", changed(&was, &is)),
    ]
    .into_iter()
    .filter(|(_, _, names)| !names.is_empty())
    .map(|(reason, verb, names)| Notice {
        warning: false,
        reason: reason.to_owned(),
        action: "Schedule",
        note: cut(format!(
            "{}: {} {verb}; {bounds}",
            workload.name,
            names.join(", ")
        )),
    })
    .collect()
}

/// Whether a condition is False and was not already False for the same reason.
fn turned_false(condition: &Condition, before: &[Condition]) -> bool {
    let same = find(before, &condition.type_)
        .is_some_and(|old| old.status == condition.status && old.reason == condition.reason);
    condition.status == "False" && !same
}

fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

fn warning(condition: &Condition, workload: Option<&str>) -> Notice {
    let about = workload.map(|name| format!("{name}: ")).unwrap_or_default();
    Notice {
        warning: true,
        reason: condition.reason.clone(),
        action: "Observe",
        note: cut(format!(
            "{about}{} is False: {}",
            condition.type_, condition.message
        )),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::reconcile::{
        child::{ChildKind, ChildRef},
        outcome::{Overwritten, Part},
    };
    use vas_api::v1alpha1::WorkloadStatus;

    fn condition(type_: &str, status: &str, reason: &str) -> Condition {
        Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: "because".to_owned(),
            observed_generation: None,
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        }
    }

    fn status(own: &[Condition], workload: &[Condition]) -> VoiceAssistScalingStatus {
        VoiceAssistScalingStatus {
            conditions: Some(own.to_vec()),
            workloads: Some(vec![WorkloadStatus {
                name: "w".to_owned(),
                conditions: Some(workload.to_vec()),
                ..WorkloadStatus::default()
            }]),
            ..VoiceAssistScalingStatus::default()
        }
    }

    fn reasons(old: &VoiceAssistScalingStatus, new: &VoiceAssistScalingStatus) -> Vec<String> {
        of_status(old, new)
            .into_iter()
            .map(|notice| notice.reason)
            .collect()
    }

    #[test]
    fn a_failure_is_told_once() {
        let bad = status(
            &[condition(RESOURCES_APPLIED, "False", "OwnershipConflict")],
            &[condition(RESOURCES_APPLIED, "False", "OwnershipConflict")],
        );
        assert_eq!(
            reasons(&VoiceAssistScalingStatus::default(), &bad),
            ["OwnershipConflict"]
        );
        assert!(reasons(&bad, &bad).is_empty());
    }

    #[test]
    fn a_failure_of_the_namespace_wide_children_is_told_too() {
        for (type_, reason) in [
            (RESOURCES_APPLIED, "TargetAlreadyManaged"),
            (LIMITS_MANAGED, "LimitsNotManaged"),
        ] {
            let bad = status(&[condition(type_, "False", reason)], &[]);
            assert_eq!(reasons(&VoiceAssistScalingStatus::default(), &bad), [reason]);
        }
    }

    #[test]
    fn a_suspension_is_told_when_it_begins_and_when_it_is_over() {
        let with = |status_of: &str, message: &str| {
            let condition = Condition {
                message: message.to_owned(),
                ..condition(SUSPENDED, status_of, "Suspended")
            };
            status(&[condition], &[])
        };
        let (none, held) = (status(&[], &[]), with("True", "until 12:00"));
        assert_eq!(reasons(&none, &held), ["Suspended"]);
        assert!(reasons(&held, &with("True", "until 12:01")).is_empty());
        assert_eq!(reasons(&held, &none), ["Resumed"]);
        assert_eq!(reasons(&held, &with("False", "")), ["Resumed"]);
        assert!(reasons(&none, &with("False", "")).is_empty());
    }

    #[test]
    fn an_entry_of_a_schedule_is_told_when_it_begins_and_when_it_ends() {
        let with = |active: &[&str]| {
            let schedule = ScheduleStatus {
                active: Some(active.iter().map(|name| (*name).to_owned()).collect()),
                min_replicas: 8,
                max_replicas: 15,
                next_change: None,
            };
            let mut status = status(&[], &[]);
            status.workloads.as_mut().unwrap()[0].schedule = Some(schedule);
            status
        };
        let none = status(&[], &[]);
        let began = of_status(&none, &with(&["hours"]));
        assert_eq!(
            (began[0].reason.as_str(), began[0].note.as_str()),
            (
                "ScheduleStarted",
                "w: hours began; minReplicas 8 and maxReplicas 15"
            )
        );
        assert!(reasons(&with(&["hours"]), &with(&["hours"])).is_empty());
        assert_eq!(
            reasons(&with(&["hours"]), &with(&["night"])),
            ["ScheduleEnded", "ScheduleStarted"]
        );
        assert_eq!(reasons(&with(&["hours"]), &none), ["ScheduleEnded"]);
        assert!(reasons(&none, &with(&[])).is_empty());
    }

    #[test]
    fn recovery_is_told_as_ready() {
        let (bad, good) = (
            status(&[condition(READY, "False", "X")], &[]),
            status(&[condition(READY, "True", "Ready")], &[]),
        );
        assert_eq!(reasons(&bad, &good), ["Ready"]);
        assert!(reasons(&good, &good).is_empty());
    }

    #[test]
    fn what_one_round_created_is_one_event() {
        let created = |kind, name: &str| Outcome {
            reference: ChildRef {
                kind,
                name: name.to_owned(),
            },
            part: Part::Workload("w".to_owned()),
            result: Ok(Change::Created),
        };
        let outcomes = [
            created(ChildKind::HorizontalPodAutoscaler, "a-w"),
            created(ChildKind::PodDisruptionBudget, "a-w"),
        ];
        let notices = of_outcomes(&outcomes);
        assert_eq!(notices.len(), 1);
        assert_eq!(
            (notices[0].reason.as_str(), notices[0].note.as_str()),
            (
                "Created",
                "Created HorizontalPodAutoscaler a-w, PodDisruptionBudget a-w"
            )
        );
    }

    #[test]
    fn what_was_taken_back_is_named_with_its_manager() {
        let outcome = Outcome {
            reference: ChildRef {
                kind: ChildKind::HorizontalPodAutoscaler,
                name: "a-w".to_owned(),
            },
            part: Part::Workload("w".to_owned()),
            result: Ok(Change::Updated {
                overwrote: vec![Overwritten {
                    manager: "kubectl-edit".to_owned(),
                    fields: vec![".spec.minReplicas".to_owned()],
                }],
            }),
        };
        let notices = of_outcomes(&[outcome]);
        assert_eq!(
            notices[0].note,
            "HorizontalPodAutoscaler a-w: took back .spec.minReplicas from kubectl-edit"
        );
        assert!(notices[0].warning);
    }
}
