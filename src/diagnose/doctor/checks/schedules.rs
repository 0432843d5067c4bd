//! Finds entries of schedules that never begin again. An unknown time zone breaks a rule, which the check
//! `scaling-valid` reports.

use jiff::Timestamp;

use crate::doctor::{
    Finding,
    observed::Observed,
    view::{WorkloadView, workloads},
};
use vas_core::schedule::Entry;

/// Reports each workload.
pub(in crate::doctor) fn check(observed: &Observed) -> Vec<Finding> {
    workloads(observed)
        .flat_map(|view| of(&view, observed.now))
        .collect()
}

fn of(view: &WorkloadView<'_>, now: Timestamp) -> Vec<Finding> {
    let (key, workload) = (&view.scaling.key, &view.workload.name);
    let object = format!("VoiceAssistScaling {}/{}", key.namespace, key.name);
    if view.workload.schedules.is_empty() {
        return vec![Finding::ok(
            object,
            format!("workload {workload} has no schedule"),
        )];
    }
    let over = |entry: &&Entry| !entry.is_active(now) && entry.next_begin(now).is_none();
    let findings: Vec<Finding> = view
        .workload
        .schedules
        .entries()
        .filter(over)
        .map(|entry| {
            let words = format!(
                "schedule entry {} of workload {workload} never begins again: its at is past, or except holds it",
                entry.name
            );
            Finding::warning(&object, words).fix("remove the entry, or give it another at")
        })
        .collect();
    if findings.is_empty() {
        let words = format!("every schedule entry of workload {workload} is active or begins again");
        return vec![Finding::ok(object, words)];
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities},
    };
    use vas_core::spec::rules::validate;

    fn checked(at: &str, except: &[&str]) -> Vec<Finding> {
        let mut observed = healthy();
        let seen = &mut observed.scalings.as_mut().unwrap()[0];
        let object = seen.object.as_mut().unwrap();
        object.spec.workloads[0].schedules = serde_json::from_value(json!([
            {"name": "launch", "at": at, "duration": "6h", "timeZone": "UTC", "minReplicas": 2, "except": except},
        ]))
        .unwrap();
        seen.scaling = validate(object).scaling;
        check(&observed)
    }

    #[test]
    fn an_entry_that_is_over_is_warned_of_and_one_to_come_or_active_is_not() {
        let found = checked("2026-11-23T08:00", &[]);
        assert_eq!(severities(&found), [Severity::Warning]);
        assert!(found[0].message.contains("entry launch of workload"), "{found:?}");
        for at in ["2026-11-24T08:00", "2026-11-23T20:00"] {
            assert_eq!(severities(&checked(at, &[])), [Severity::Ok], "{at}");
        }
        assert_eq!(
            severities(&checked("2026-11-24T08:00", &["2026-11-24"])),
            [Severity::Warning]
        );
        assert_eq!(
            severities(&check(&healthy())),
            [Severity::Ok],
            "without a schedule"
        );
    }
}
