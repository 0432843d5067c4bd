//! Checks of the resources themselves: the rules that they break, and their conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::doctor::{
    Finding,
    observed::{Observed, ScalingSeen},
    view,
};
use vas_api::condition;
use vas_core::k8s::read::Unread;

/// Whether each resource obeys the rules in every environment.
pub(in crate::doctor) fn valid(observed: &Observed) -> Vec<Finding> {
    let scalings = match &observed.scalings {
        Ok(scalings) => scalings,
        // The kind does not exist, which the check `crd-installed` reports.
        Err(Unread::NotFound) => return Vec::new(),
        Err(why) => return vec![Finding::skipped("VoiceAssistScalings", why.to_string())],
    };
    let mut findings = Vec::new();
    for seen in scalings {
        let object = object(seen);
        let (namespace, name) = (&seen.resource.namespace, &seen.resource.name);
        let fix = format!(
            "kubectl -n {namespace} get vas {name} -o yaml | vas validate -f -, then correct the file you apply"
        );
        match &seen.object {
            Err(why) => {
                findings.push(Finding::problem(object, format!("does not parse: {why}")).fix(fix));
            }
            Ok(_) if seen.violations.is_empty() => findings.push(Finding::ok(object, "obeys every rule")),
            Ok(_) => findings.extend(
                seen.violations
                    .iter()
                    .map(|violation| Finding::problem(&object, violation.as_str()).fix(&fix)),
            ),
        }
    }
    findings
}

/// Reports the conditions that are not True, with their own messages. Another check reports the conditions of
/// the HPAs.
pub(in crate::doctor) fn conditions(observed: &Observed) -> Vec<Finding> {
    let scalings = observed.scalings.iter().flatten();
    scalings.flat_map(of).collect()
}

fn of(seen: &ScalingSeen) -> Vec<Finding> {
    let Ok(scaling) = &seen.object else {
        return Vec::new();
    };
    let object = object(seen);
    let operator = "is the operator running? See operator-deployment and operator-lease";
    let Some(status) = &scaling.status else {
        return vec![Finding::problem(object, "has no status: no operator has looked at it").fix(operator)];
    };
    let mut findings = Vec::new();
    let generation = seen.resource.generation;
    if status.observed_generation < Some(generation) {
        findings.push(
            Finding::warning(
                &object,
                format!(
                    "status.observedGeneration is {}, and metadata.generation {generation}: the last change is not applied yet",
                    status.observed_generation.unwrap_or_default()
                ),
            )
            .fix(operator),
        );
    }
    for condition in status.conditions.iter().flatten() {
        findings.extend(judge(&object, "", condition));
    }
    for workload in status.workloads.iter().flatten() {
        for condition in workload.conditions.iter().flatten() {
            findings.extend(judge(
                &object,
                &format!("workload {}: ", workload.name),
                condition,
            ));
        }
    }
    // `Ready` summarizes the others, so it is reported only if no other condition is.
    let ready = status
        .conditions
        .iter()
        .flatten()
        .find(|one| one.type_ == condition::READY);
    if findings.is_empty() {
        findings.push(match ready {
            Some(ready) if ready.status == "True" => Finding::ok(object, "Ready=True"),
            Some(ready) if ready.status == "False" => Finding::problem(object, quote(ready)),
            Some(ready) => Finding::warning(object, quote(ready)),
            None => Finding::problem(object, "status.conditions has no Ready").fix(operator),
        });
    }
    findings
}

/// Whether the condition never counts for `Ready`.
fn warns(type_: &str) -> bool {
    [condition::QUOTA_SUFFICIENT, condition::LIMITS_MANAGED].contains(&type_)
}

fn judge(object: &str, place: &str, one: &Condition) -> Option<Finding> {
    // Conditions that summarize others, are copied from the HPA, or have a check of their own.
    let repeated = [
        condition::READY,
        condition::SCALING_ACTIVE,
        condition::ABLE_TO_SCALE,
        // The check `scaling-suspended` reports this one.
        condition::SUSPENDED,
    ];
    if one.status == "True" || repeated.contains(&one.type_.as_str()) {
        return None;
    }
    let message = format!("{place}{}", quote(one));
    let finding = if one.status == "False" && !warns(&one.type_) {
        Finding::problem(object, message)
    } else {
        Finding::warning(object, message)
    };
    Some(match one.type_.as_str() {
        condition::METRICS_AVAILABLE => finding
            .fix("see metrics-api-reads and prometheus-series here, and docs/metrics.md for these words"),
        condition::SPEC_VALID => finding.fix("see scaling-valid"),
        condition::SCALE_TARGET_FOUND => finding.fix("see scale-target-found"),
        _ => finding.fix("do what the message says; it names the object"),
    })
}

fn quote(condition: &Condition) -> String {
    format!(
        "{}={} {}: {}",
        condition.type_, condition.status, condition.reason, condition.message
    )
}

/// Whether each scale target exists.
pub(in crate::doctor) fn target_found(observed: &Observed) -> Vec<Finding> {
    view::workloads(observed)
        .map(|view| {
            let object = view.target_name();
            match view.target() {
                Ok(_) => Finding::ok(object, "exists and can be scaled"),
                Err(Unread::NotFound) => Finding::problem(
                    object,
                    format!(
                        "does not exist, or has no scale subresource; VoiceAssistScaling {} names it in workload {}",
                        view.scaling.key, view.workload.name
                    ),
                )
                .fix("create it, or correct scaleTargetRef"),
                Err(why) => Finding::skipped(object, why.to_string()),
            }
        })
        .collect()
}

fn object(seen: &ScalingSeen) -> String {
    format!(
        "VoiceAssistScaling {}/{}",
        seen.resource.namespace, seen.resource.name
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities},
    };
    use vas_api::v1alpha1::VoiceAssistScalingStatus;

    fn with_status(status: serde_json::Value) -> Observed {
        let mut observed = healthy();
        let seen = &mut observed.scalings.as_mut().unwrap()[0];
        let mut status: Option<VoiceAssistScalingStatus> = serde_json::from_value(status).unwrap();
        if let Some(status) = &mut status {
            status.observed_generation = Some(1);
        }
        seen.object.as_mut().unwrap().status = status;
        observed
    }

    fn one(type_: &str, status: &str) -> serde_json::Value {
        json!({"type": type_, "status": status, "reason": "Why", "message": "words", "lastTransitionTime": "2026-01-01T00:00:00Z"})
    }

    #[test]
    fn conditions_that_are_false_or_unknown_are_quoted() {
        for (condition, expected) in [
            (one("MetricsAvailable", "False"), Severity::Problem),
            (one("MetricsAvailable", "Unknown"), Severity::Warning),
            (one("QuotaSufficient", "False"), Severity::Warning),
            (one("LimitsManaged", "False"), Severity::Warning),
            (one("Ready", "True"), Severity::Ok),
            (one("Ready", "False"), Severity::Problem),
        ] {
            let found = conditions(&with_status(json!({"conditions": [condition]})));
            assert_eq!(severities(&found), [expected], "{condition}");
            if expected != Severity::Ok {
                assert!(found[0].message.contains("Why: words"));
            }
        }
    }

    #[test]
    fn conditions_of_workloads_name_the_workload() {
        let status =
            json!({"workloads": [{"name": "gateway", "conditions": [one("ResourcesApplied", "False")]}]});
        assert!(
            conditions(&with_status(status))[0]
                .message
                .starts_with("workload gateway: ResourcesApplied=False")
        );
    }

    #[test]
    fn no_status_means_nobody_looked() {
        let found = conditions(&with_status(json!(null)));
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(found[0].message.contains("no operator has looked at it"));
    }

    #[test]
    fn broken_rules_and_malformed_objects_are_problems() {
        let mut observed = healthy();
        let seen = &mut observed.scalings.as_mut().unwrap()[0];
        seen.violations = vec!["spec.workloads[0].maxReplicas: 0: too small".to_owned()];
        assert_eq!(severities(&valid(&observed)), [Severity::Problem]);
        let seen = &mut observed.scalings.as_mut().unwrap()[0];
        seen.object = Err("missing field".to_owned());
        assert!(valid(&observed)[0].message.contains("missing field"));
        observed.scalings = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&valid(&observed)), [Severity::Skipped]);
    }

    #[test]
    fn a_target_that_is_not_there_is_a_problem() {
        let mut observed = healthy();
        for (why, expected) in [
            (Unread::NotFound, Severity::Problem),
            (Unread::Forbidden("no".to_owned()), Severity::Skipped),
        ] {
            for target in observed.namespaces.get_mut("prod").unwrap().targets.values_mut() {
                *target = Err(why.clone());
            }
            assert_eq!(severities(&target_found(&observed)), [expected]);
        }
    }
}
