//! What does not scale because somebody suspended it, and how that ends; also what a capacity test has left behind.

use jiff::Timestamp;

use super::{
    Finding,
    observed::{Observed, ScalingSeen},
};
use crate::core::{
    loadtest::hold::{self, ANNOTATION, Hold, SuspendedBy, suspension_key},
    suspend::annotation::holder_flag,
};

/// Whether anything is suspended: as it should be perhaps, but not to be forgotten.
pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let scalings = observed.scalings.iter().flatten();
    scalings.flat_map(|seen| of(seen, observed.now)).collect()
}

fn of(seen: &ScalingSeen, now: Timestamp) -> Vec<Finding> {
    let (namespace, name) = (&seen.namespace, &seen.name);
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
    if findings.is_empty() && seen.object.is_ok() {
        return vec![Finding::ok(object, "nothing is suspended")];
    }
    findings
}

/// What a capacity test has written and no suspension shows.
fn left_behind(of: &str, seen: &ScalingSeen, now: Timestamp) -> Option<Finding> {
    let object = serde_json::to_value(seen.object.as_ref().ok()?).ok()?;
    let hold = match hold::held(&object) {
        Ok(hold) => hold?,
        // Its words name what to do.
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
    let fix = format!("vas test restore {} -n {}", seen.name, seen.namespace);
    Some(Finding::warning(of, words).fix(fix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        doctor::{
            Severity,
            testing::{healthy, now, severities},
        },
        suspend::{annotation::ANNOTATION, freeze},
        validate::validate,
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
        let running = with(&[(hold::ANNOTATION, &new), (&key, "workloads=gateway")]);
        assert_eq!(severities(&running), [Severity::Warning]);
        assert!(
            running[0].fix.as_ref().unwrap().starts_with("wait for the test"),
            "{running:?}"
        );
        for (annotations, words) in [
            (
                [
                    (hold::ANNOTATION, new.as_str()),
                    (&key, "until=2026-11-01T00:00:00Z"),
                ],
                "scales again",
            ),
            (
                [(hold::ANNOTATION, old.as_str()), ("team", "voice")],
                "suspends workload gateway in the spec",
            ),
            ([(hold::ANNOTATION, "{"), ("team", "voice")], "cannot be read"),
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
