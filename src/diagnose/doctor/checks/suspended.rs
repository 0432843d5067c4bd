//! Finds workloads that do not scale because they are suspended, and says how the suspension ends. Also finds
//! what a capacity test left behind.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use crate::doctor::{
    Finding,
    observed::{NamespaceSeen, Observed, ScalingSeen},
};
use vas_core::reconcile::suspend::{LeftFrozen, annotation::holder_flag, left_frozen};
use vas_loadtest::cluster::hold_patch::{self, ANNOTATION, Hold, SuspendedBy, suspension_key};

/// Reports each suspension. It may be intended, but it must not be forgotten.
pub(in crate::doctor) fn check(observed: &Observed) -> Vec<Finding> {
    let scalings = observed.scalings.iter().flatten();
    let of = |seen: &ScalingSeen| {
        of(
            seen,
            observed.namespaces.get(&seen.resource.namespace),
            observed.now,
        )
    };
    scalings.flat_map(of).collect()
}

fn of(seen: &ScalingSeen, namespace_seen: Option<&NamespaceSeen>, now: Timestamp) -> Vec<Finding> {
    let (namespace, name) = (&seen.resource.namespace, &seen.resource.name);
    let object = format!("VoiceAssistScaling {namespace}/{name}");
    let mut findings: Vec<Finding> = seen
        .suspended
        .each()
        .map(|(key, words)| {
            let fix = match key {
                Some(key) if key == suspension_key() => {
                    format!("wait for the test, or end it: vas test restore {name} -n {namespace}")
                }
                Some(key) => format!("vas resume {name} -n {namespace}{}", holder_flag(key)),
                None => "set suspend: false where spec, a workload or an environment says true".to_owned(),
            };
            Finding::warning(&object, format!("suspended: {words}")).fix(fix)
        })
        .collect();
    findings.extend(left_behind(&object, seen, now));
    let hpas = namespace_seen.and_then(|namespace| namespace.hpas.as_ref().ok());
    for hpa in hpas.into_iter().flatten() {
        findings.extend(frozen_without_suspension(seen, hpa));
    }
    if findings.is_empty() && seen.object.is_ok() {
        return vec![Finding::ok(object, "nothing is suspended")];
    }
    findings
}

/// An HPA that follows no metric although nothing suspends its workload.
fn frozen_without_suspension(seen: &ScalingSeen, hpa: &HorizontalPodAutoscaler) -> Option<Finding> {
    let name = hpa.metadata.name.as_deref()?;
    let workload = name.strip_prefix(&seen.resource.name)?.strip_prefix('-')?;
    let spec = &seen.object.as_ref().ok()?.spec;
    let is_of_workload = spec.workloads.iter().any(|named| named.name == workload);
    if !is_of_workload || seen.suspended.frozen().contains(workload) {
        return None;
    }
    let left = left_frozen(hpa, workload, seen.scaling.as_ref())?;
    let (why, fix) = match left {
        LeftFrozen::NotWritten => (
            "the operator has not written it since it was suspended",
            "see the condition Ready and the Events of the resource",
        ),
        LeftFrozen::BreaksRule => (
            "its spec breaks a rule, so the HPA stays as it was while it was suspended",
            "mend the spec; the condition SpecValid names the field",
        ),
    };
    let words = format!("follows no metric although nothing suspends workload {workload}: {why}");
    let object = format!("HorizontalPodAutoscaler {}/{name}", seen.resource.namespace);
    Some(Finding::warning(object, words).fix(fix))
}

/// What a capacity test wrote and did not take back, apart from its suspension.
fn left_behind(of: &str, seen: &ScalingSeen, now: Timestamp) -> Option<Finding> {
    let object = serde_json::to_value(seen.object.as_ref().ok()?).ok()?;
    let hold = match hold_patch::held(&object) {
        Ok(hold) => hold?,
        // The message of the error says what to do.
        Err(unreadable) => return Some(Finding::warning(of, unreadable.to_string())),
    };
    let Hold {
        holder,
        since,
        workload,
        replicas,
        ..
    } = &hold;
    let words = match hold.suspended_by {
        SuspendedBy::Annotation if hold.is_over(&object, now) => format!(
            "annotation {ANNOTATION} was left by the capacity test {holder} of {since}, which is gone; workload {workload} scales again"
        ),
        SuspendedBy::Annotation => return None,
        SuspendedBy::Spec => format!(
            "the capacity test {holder} suspends workload {workload} in the spec since {since}, and had found {replicas} replicas; if it runs no longer, nothing else ends that"
        ),
    };
    let fix = format!(
        "vas test restore {} -n {}",
        seen.resource.name, seen.resource.namespace
    );
    Some(Finding::warning(of, words).fix(fix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, now, severities},
    };
    use vas_core::{
        reconcile::suspend::{annotation::ANNOTATION, freeze},
        spec::rules::validate,
    };

    fn found(annotations: &[(&str, &str)], by_spec: bool) -> Vec<Finding> {
        let mut observed = healthy();
        let seen = &mut observed.scalings.as_mut().unwrap()[0];
        let object = seen.object.as_mut().unwrap();
        object.spec.suspend = Some(by_spec);
        object.metadata.annotations = Some(
            annotations
                .iter()
                .map(|(holder, text)| (format!("{ANNOTATION}{holder}"), (*text).to_owned()))
                .collect(),
        );
        seen.suspended = freeze(object, &mut validate(object), now());
        check(&observed)
    }

    #[test]
    fn each_holder_is_named_with_what_ends_it() {
        assert_eq!(severities(&found(&[], false)), [Severity::Ok]);
        let held = found(
            &[("", "reason=incident"), (".ben", "until=2026-12-01T00:00:00Z")],
            true,
        );
        let warnings = [Severity::Warning; 3];
        assert_eq!(severities(&held), warnings);
        let fixes: Vec<&str> = held.iter().filter_map(|one| one.fix.as_deref()).collect();
        assert!(fixes[0].contains("suspend: false"), "{fixes:?}");
        assert_eq!(
            fixes[1..],
            ["vas resume va -n prod", "vas resume va -n prod --holder ben"]
        );
        assert!(
            held[1].message.contains("until resumed") && held[1].message.contains("(incident)"),
            "{held:?}"
        );
    }

    #[test]
    fn an_hpa_that_stays_frozen_after_a_suspension_is_named_with_its_reason() {
        let mut observed = healthy();
        let namespace = observed.namespaces.get_mut("prod").unwrap();
        let hpa = &mut namespace.hpas.as_mut().unwrap()[0];
        let workload = hpa.metadata.name.clone().unwrap()["va-".len()..].to_owned();
        let disabled = serde_json::json!({"selectPolicy": "Disabled"});
        let behavior = serde_json::json!({"scaleUp": disabled, "scaleDown": disabled});
        hpa.spec.behavior = serde_json::from_value(behavior).unwrap();
        let found = check(&observed);
        assert_eq!(severities(&found), [Severity::Warning]);
        assert!(found[0].message.contains("has not written it"), "{found:?}");
        let seen = &mut observed.scalings.as_mut().unwrap()[0];
        let scaling = seen.scaling.as_mut().unwrap();
        scaling.workloads.retain(|valid| valid.name != workload);
        let found = check(&observed);
        assert!(found[0].message.contains("its spec breaks a rule"), "{found:?}");
        assert!(found[0].fix.as_ref().unwrap().contains("SpecValid"), "{found:?}");
    }

    #[test]
    fn what_a_capacity_test_left_is_named() {
        let record = |by: &str| {
            format!(
                r#"{{"holder": "vas_1", "since": "s", "workload": "gateway", "replicas": 2, "suspendedBy": "{by}",
                    "target": {{"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"}}}}"#
            )
        };
        let with = |annotations: &[(&str, &str)]| {
            let mut observed = healthy();
            let seen = &mut observed.scalings.as_mut().unwrap()[0];
            let object = seen.object.as_mut().unwrap();
            let owned = annotations
                .iter()
                .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
            object.metadata.annotations = Some(owned.collect());
            seen.suspended = freeze(object, &mut validate(object), now());
            check(&observed)
        };
        let (new, old) = (record("Annotation"), record("Spec"));
        let key = suspension_key();
        let running = with(&[(hold_patch::ANNOTATION, &new), (&key, "workloads=gateway")]);
        assert_eq!(severities(&running), [Severity::Warning]);
        assert!(
            running[0].fix.as_ref().unwrap().starts_with("wait for the test"),
            "{running:?}"
        );
        for (annotations, words) in [
            (
                [
                    (hold_patch::ANNOTATION, new.as_str()),
                    (&key, "until=2026-11-01T00:00:00Z"),
                ],
                "scales again",
            ),
            (
                [(hold_patch::ANNOTATION, old.as_str()), ("team", "voice")],
                "suspends workload gateway in the spec",
            ),
            (
                [(hold_patch::ANNOTATION, "{"), ("team", "voice")],
                "cannot be read",
            ),
        ] {
            let left = with(&annotations);
            assert_eq!(severities(&left), [Severity::Warning], "{left:?}");
            assert!(left[0].message.contains(words), "{left:?}");
            let fix = left[0].fix.as_deref();
            assert!(
                fix.is_none_or(|fix| fix == "vas test restore va -n prod"),
                "{left:?}"
            );
        }
    }

    #[test]
    fn one_that_is_over_is_no_finding() {
        assert_eq!(
            severities(&found(&[("", "until=2026-11-01T00:00:00Z")], false)),
            [Severity::Ok]
        );
    }
}
