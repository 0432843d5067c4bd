//! What does not scale because somebody suspended it, and how that ends.

use super::{
    Finding,
    observed::{Observed, ScalingSeen},
};
use crate::core::suspend::annotation::holder_flag;

/// Whether anything is suspended: as it should be perhaps, but not to be forgotten.
pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let scalings = observed.scalings.iter().flatten();
    scalings.flat_map(of).collect()
}

fn of(seen: &ScalingSeen) -> Vec<Finding> {
    let (namespace, name) = (&seen.namespace, &seen.name);
    let object = format!("VoiceAssistScaling {namespace}/{name}");
    let findings: Vec<Finding> = seen
        .suspended
        .each()
        .map(|(key, words)| {
            let fix = match key {
                Some(key) => format!("vas resume {name} -n {namespace}{}", holder_flag(key)),
                None => "set suspend: false where spec, a workload or an environment says true".to_owned(),
            };
            Finding::warning(&object, format!("suspended: {words}")).fix(fix)
        })
        .collect();
    if findings.is_empty() && seen.object.is_ok() {
        return vec![Finding::ok(object, "nothing is suspended")];
    }
    findings
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
    fn one_that_is_over_is_no_finding() {
        assert_eq!(
            severities(&found(&[("", "until=2026-11-01T00:00:00Z")], false)),
            [Severity::Ok]
        );
    }
}
