//! Checks of the HPAs of the resources, by the conditions that the HPA controller writes.

use jiff::SignedDuration;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition};

use crate::doctor::{Finding, observed::Observed, view};
use vas_core::k8s::read::Unread;

/// An HPA that stays at its maximum for longer than this is not in a short peak.
const LONG: SignedDuration = SignedDuration::from_mins(15);

/// Reports the conditions of each HPA.
pub(in crate::doctor) fn conditions(observed: &Observed) -> Vec<Finding> {
    view::workloads(observed)
        .filter(|view| view.workload.has_hpa())
        .flat_map(|view| {
            let object = view.hpa_name();
            match view.hpa() {
                Ok(hpa) => judge(&object, hpa, observed),
                Err(Unread::NotFound) => vec![
                    Finding::problem(object, "does not exist: nothing scales the workload")
                        .fix("see scaling-conditions (ResourcesApplied names what is in the way) and operator-lease"),
                ],
                Err(why) => vec![Finding::skipped(object, why.to_string())],
            }
        })
        .collect()
}

fn judge(object: &str, hpa: &HorizontalPodAutoscaler, observed: &Observed) -> Vec<Finding> {
    let conditions = hpa
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_deref());
    let Some(conditions) = conditions.filter(|conditions| !conditions.is_empty()) else {
        return vec![
            Finding::warning(
                object,
                "has no conditions yet: the HPA controller has not looked at it",
            )
            .fix("wait for one sync period, 15 s; else look at the logs of kube-controller-manager"),
        ];
    };
    let mut findings: Vec<Finding> = conditions
        .iter()
        .filter_map(|condition| of(object, condition, observed))
        .collect();
    if findings.is_empty() {
        let replicas = hpa
            .status
            .as_ref()
            .map(|status| status.desired_replicas)
            .unwrap_or_default();
        findings.push(Finding::ok(object, format!("scales; wants {replicas} replicas")));
    }
    findings
}

fn of(object: &str, condition: &HorizontalPodAutoscalerCondition, observed: &Observed) -> Option<Finding> {
    let reason = condition.reason.as_deref().unwrap_or_default();
    let words = condition.message.as_deref().unwrap_or_default();
    let message = format!("{}={} {reason}: {words}", condition.type_, condition.status);
    match (condition.type_.as_str(), condition.status.as_str()) {
        ("ScalingActive", "False") if reason == "ScalingDisabled" => Some(
            Finding::warning(object, message)
                .fix("the target has 0 replicas: kubectl scale it to at least 1 to let the HPA scale again"),
        ),
        ("ScalingActive", "False") => Some(Finding::problem(object, message).fix(match reason {
            "AmbiguousSelector" => "see hpa-unique and pods-of-one-target",
            "FailedGetResourceMetric" | "FailedGetContainerResourceMetric" => {
                "see resource-metrics-api and container-requests"
            }
            "InvalidSelector" => "correct the selector of the target",
            _ => "see metrics-api-reads and prometheus-series",
        })),
        ("AbleToScale", "False") => Some(
            Finding::problem(object, message)
                .fix("see scale-target-found; the target needs a scale subresource"),
        ),
        ("ScalingActive" | "AbleToScale", "Unknown") => Some(Finding::warning(object, message)),
        // A short time at the maximum is a peak. Other limits, such as a stabilization window, pass by
        // themselves.
        ("ScalingLimited", "True") if reason == "TooManyReplicas" => {
            let since = condition.last_transition_time.as_ref()?;
            let age = observed.now.duration_since(since.0);
            (age > LONG).then(|| {
                Finding::warning(
                    object,
                    format!("at maxReplicas for {} min: {message}", age.as_mins()),
                )
                .fix("raise maxReplicas, or the target value, if the load is real")
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, now, severities},
    };

    fn with(type_: &str, status: &str, reason: &str, minutes: i64) -> Observed {
        let mut observed = healthy();
        let since = now() - SignedDuration::from_mins(minutes);
        let hpa = &mut observed
            .namespaces
            .get_mut("prod")
            .unwrap()
            .hpas
            .as_mut()
            .unwrap()[0];
        hpa.status = serde_json::from_value(json!({"desiredReplicas": 2, "conditions": [
            {"type": type_, "status": status, "reason": reason, "message": "words", "lastTransitionTime": since.to_string()}]}))
        .unwrap();
        observed
    }

    #[test]
    fn what_stops_the_hpa_is_a_problem_in_its_own_words() {
        for (type_, status, reason, expected) in [
            ("ScalingActive", "False", "FailedGetPodsMetric", Severity::Problem),
            ("ScalingActive", "False", "ScalingDisabled", Severity::Warning),
            ("AbleToScale", "False", "FailedGetScale", Severity::Problem),
            ("ScalingActive", "True", "ValidMetricFound", Severity::Ok),
        ] {
            let found = conditions(&with(type_, status, reason, 1));
            assert_eq!(severities(&found), [expected], "{reason}");
            if expected != Severity::Ok {
                assert!(found[0].message.contains(&format!("{reason}: words")));
            }
        }
    }

    #[test]
    fn the_maximum_is_worth_a_word_once_it_lasts() {
        for (minutes, expected) in [(10, Severity::Ok), (20, Severity::Warning)] {
            let observed = with("ScalingLimited", "True", "TooManyReplicas", minutes);
            assert_eq!(severities(&conditions(&observed)), [expected]);
        }
        let fewest = with("ScalingLimited", "True", "TooFewReplicas", 100);
        assert_eq!(severities(&conditions(&fewest)), [Severity::Ok]);
    }

    #[test]
    fn an_absent_hpa_is_a_problem_and_forbidden_ones_unknown() {
        let mut observed = healthy();
        observed.namespaces.get_mut("prod").unwrap().hpas = Ok(vec![]);
        assert_eq!(severities(&conditions(&observed)), [Severity::Problem]);
        observed.namespaces.get_mut("prod").unwrap().hpas = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&conditions(&observed)), [Severity::Skipped]);
    }
}
