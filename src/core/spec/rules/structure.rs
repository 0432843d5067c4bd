//! Rules of the resource as a whole: its name, its environments, and one target per workload.

use serde_json::Value;

use super::{
    Violation, Warning,
    findings::{Findings, Scope},
};
use crate::{
    k8s::api_version::group,
    spec::{
        environment,
        field_path::{FieldPath, Origin},
    },
};
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling, Workload, WorkloadOverride};

/// Largest length of the resource's name, which becomes a label value.
const MAX_NAME: usize = 63;

/// Checks everything that does not depend on an environment's merged values.
pub(super) fn check(object: &VoiceAssistScaling, written: &Value, findings: &mut Findings) {
    check_name(object, findings);
    check_overrides(object, findings);
    let mut scope = Scope::new(findings, Origin::new(written, None), None);
    if let Err(unknown) = environment::resolve(&object.spec, object.spec.environment.as_deref()) {
        scope.refuse(&FieldPath::default().field("environment"), unknown);
    }
    check_targets(object, &mut scope);
}

fn check_name(object: &VoiceAssistScaling, findings: &mut Findings) {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let rule = if name.is_empty() {
        "a name is needed"
    } else if name.len() > MAX_NAME {
        "must be at most 63 characters: it becomes a label value"
    } else if !is_dns_subdomain(name) {
        "not a name: use lower-case letters, digits, - and ., a letter or digit first and last"
    } else {
        return;
    };
    findings.add(Violation {
        path: "metadata.name".to_owned(),
        value: Value::from(name).to_string(),
        rule: rule.to_owned(),
        environment: None,
        workload: None,
    });
}

fn is_dns_subdomain(name: &str) -> bool {
    name.split('.').all(|part| {
        let bytes = part.as_bytes();
        let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        bytes.iter().all(inside)
            && bytes.first().is_some_and(|byte| *byte != b'-')
            && bytes.last().is_some_and(|byte| *byte != b'-')
    })
}

/// Refuses an override of a workload that the base does not have, because it would do nothing.
fn check_overrides(object: &VoiceAssistScaling, findings: &mut Findings) {
    let names: Vec<&str> = object.spec.workloads.iter().map(|w| w.name.as_str()).collect();
    let base = |name: &str| {
        object
            .spec
            .workloads
            .iter()
            .find(|workload| workload.name == name)
    };
    let environments = object.spec.environments.as_deref().unwrap_or_default();
    for (position, environment) in environments.iter().enumerate() {
        let overrides = environment.workloads.as_deref().unwrap_or_default();
        for (index, over) in overrides.iter().enumerate() {
            if let Some(base) = base(&over.name) {
                let place = format!("spec.environments[{position}].workloads[{index}]");
                check_new_metrics(base, over, &place, &environment.name, findings);
            } else {
                findings.add(Violation {
                    path: format!("spec.environments[{position}].workloads[{index}].name"),
                    value: Value::from(over.name.as_str()).to_string(),
                    rule: format!(
                        "an environment overrides workloads of the base only; spec.workloads has {}",
                        names.join(", ")
                    ),
                    environment: Some(environment.name.clone()),
                    workload: None,
                });
            }
        }
    }
}

/// Warns of an environment's metric that the base does not have. Such a metric is added, and often the user
/// only mistyped the name of a metric to change.
fn check_new_metrics(
    base: &Workload,
    over: &WorkloadOverride,
    place: &str,
    environment: &str,
    findings: &mut Findings,
) {
    // Where the base has no metrics, an environment that gives the workload an HPA brings all of them.
    let Some(metrics) = &base.metrics else {
        return;
    };
    let known: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    for (index, metric) in over.metrics.iter().flatten().enumerate() {
        if !known.contains(&metric.name.as_str()) {
            findings.add_warning(Warning {
                path: format!("{place}.metrics[{index}].name"),
                value: Value::from(metric.name.as_str()).to_string(),
                advice: format!(
                    "the base has no metric of this name, so this adds one in this environment alone; to change one, use its name ({})",
                    known.join(", ")
                ),
                environment: Some(environment.to_owned()),
                workload: Some(base.name.clone()),
            });
        }
    }
}

/// Refuses two workloads with the same target. Two HPAs on one target disable each other
/// (`AmbiguousSelector`), so neither workload is written.
fn check_targets(object: &VoiceAssistScaling, scope: &mut Scope<'_>) {
    let workloads = &object.spec.workloads;
    // Both workloads are reported, because nobody knows which of the two has the wrong target.
    for workload in workloads {
        let same = workloads.iter().find(|other| {
            other.name != workload.name && is_same_target(&other.scale_target_ref, &workload.scale_target_ref)
        });
        if let Some(other) = same {
            scope.of_workload(&workload.name).refuse(
                &FieldPath::workload(&workload.name).field("scaleTargetRef"),
                format_args!(
                    "workload {} has the same target; two HPAs on one target disable each other: give each target one workload",
                    other.name
                ),
            );
        }
    }
}

/// Whether two references name the same object. The version does not matter, because all versions of a group
/// serve the same objects.
fn is_same_target(left: &ScaleTargetRef, right: &ScaleTargetRef) -> bool {
    (group(&left.api_version), &left.kind, &left.name)
        == (group(&right.api_version), &right.kind, &right.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::spec::rules::{
        testing::{base, object, violations},
        validate,
    };

    #[test]
    fn the_active_environment_must_exist() {
        let mut spec = base();
        spec["environment"] = json!("prod");
        spec["environments"] = json!([{"name": "production"}]);
        let found = violations(&spec);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].path.as_str(), found[0].value.as_str()),
            ("spec.environment", r#""prod""#)
        );
        assert!(found[0].rule.contains("it has production"), "{}", found[0].rule);
    }

    #[test]
    fn an_override_names_a_workload_of_the_base() {
        let mut spec = base();
        spec["environments"] =
            json!([{"name": "dev"}, {"name": "prod", "workloads": [{"name": "api"}, {"name": "wroker"}]}]);
        let found = violations(&spec);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "spec.environments[1].workloads[1].name");
        assert_eq!(found[0].environment.as_deref(), Some("prod"));
    }

    #[test]
    fn a_metric_that_only_an_environment_has_is_warned_of() {
        let mut spec = base();
        spec["environments"] = json!([{"name": "prod", "workloads": [{"name": "api", "metrics": [
            {"name": "cpu", "enabled": false},
            {"name": "cpus", "resource": {"name": "cpu", "target": {"averageUtilization": 50}}},
        ]}]}]);
        let warnings = validate(&object(&spec)).warnings;
        assert_eq!(warnings.len(), 1);
        assert_eq!(
            warnings[0].path,
            "spec.environments[0].workloads[0].metrics[1].name"
        );
        assert!(warnings[0].advice.contains("(cpu)"), "{}", warnings[0]);
    }

    #[test]
    fn two_workloads_never_share_a_target_in_any_version_of_its_group() {
        let mut spec = base();
        let mut twin = spec["workloads"][0].clone();
        twin["name"] = json!("twin");
        twin["scaleTargetRef"]["apiVersion"] = json!("apps/v1beta1");
        spec["workloads"].as_array_mut().unwrap().push(twin);
        let mut third = spec["workloads"][0].clone();
        third["name"] = json!("third");
        third["scaleTargetRef"]["apiVersion"] = json!("other.io/v1");
        spec["workloads"].as_array_mut().unwrap().push(third);
        let validation = validate(&object(&spec));
        let paths: Vec<_> = validation.violations.iter().map(|v| v.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "spec.workloads[0].scaleTargetRef",
                "spec.workloads[1].scaleTargetRef"
            ]
        );
        let scaling = validation.scaling.unwrap();
        assert_eq!(scaling.workloads.len(), 1, "the third goes on");
        assert_eq!(scaling.workloads[0].name, "third");
    }

    #[test]
    fn a_name_fits_a_label() {
        let mut object = object(&base());
        object.metadata.name = Some("a".repeat(63));
        assert_eq!(validate(&object).violations, []);
        object.metadata.name = Some("a".repeat(64));
        assert_eq!(validate(&object).violations[0].path, "metadata.name");
        object.metadata.name = None;
        assert_eq!(validate(&object).violations[0].rule, "a name is needed");
        for (name, valid) in [
            ("voice.assist-2", true),
            ("My_App", false),
            ("-a", false),
            ("a.", false),
            ("a..b", false),
        ] {
            object.metadata.name = Some(name.to_owned());
            assert_eq!(validate(&object).violations.is_empty(), valid, "{name}");
        }
    }
}
