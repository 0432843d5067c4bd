//! Checks a whole object of a file: first for what the API server would refuse, then by the rules.
//!
//! In contrast to a stored object, a document may have unknown fields and wrong types. All mistakes are
//! reported together, so that a user corrects a file once wherever that is possible.

use kube::Resource;
use serde_json::Value;

use super::{Validation, Violation, Warning, validate};
use crate::document::schema;
use vas_api::{GROUP, v1alpha1::VoiceAssistScaling};

/// Size in bytes from which an object gets a warning. etcd refuses objects above 1.5 MiB.
const LARGE: usize = 1 << 20;

/// Top-level fields of every Kubernetes object of this kind.
const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// A document that is, or was meant to be, a `VoiceAssistScaling`.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Name of the resource; empty if it has none.
    pub name: String,
    /// The parsed object; `None` if a field has a wrong type. Then the rules are not checked.
    pub object: Option<VoiceAssistScaling>,
    /// The result of the schema and the rules.
    pub validation: Validation,
}

/// The verdict on a document, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It breaks no rule, and is probably what was meant.
    Fine,
    /// It breaks no rule, and is probably not what was meant.
    Warned,
    /// It breaks a rule.
    Invalid,
}

impl Document {
    /// The verdict on this document.
    pub fn verdict(&self) -> Verdict {
        if !self.validation.violations.is_empty() {
            Verdict::Invalid
        } else if self.validation.warnings.is_empty() {
            Verdict::Fine
        } else {
            Verdict::Warned
        }
    }
}

/// Whether a document is, or was meant to be, a `VoiceAssistScaling`. Its group (in any version) or its kind
/// (in any letter case) is enough, so that a typing mistake in one of the two is reported and not passed
/// over.
pub fn is_ours(document: &Value) -> bool {
    let text = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default();
    text("apiVersion").split('/').next() == Some(GROUP)
        || text("kind").eq_ignore_ascii_case(&VoiceAssistScaling::kind(&()))
}

/// Checks a document. `environment` replaces the document's active environment if it is given.
pub fn check(document: &Value, environment: Option<&str>) -> Document {
    let mut document = document.clone();
    // The environment is written into the copy, so that the paths and values of findings are those of a file
    // that names it.
    if let (Some(environment), Some(spec)) = (
        environment,
        document.get_mut("spec").and_then(Value::as_object_mut),
    ) {
        spec.insert("environment".to_owned(), Value::from(environment));
    }
    let name = document
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let mut violations = check_envelope(&document);
    if let Some(spec) = document.get("spec") {
        violations.extend(schema::check_spec(spec).into_iter().map(|broken| {
            let (environment, workload) = broken.place(spec);
            Violation {
                path: broken.path(),
                value: broken.value,
                rule: broken.rule,
                environment,
                workload,
            }
        }));
    }
    let object: Option<VoiceAssistScaling> = serde_json::from_value(document.clone()).ok();
    let rules = object.as_ref().map(validate);
    if object.is_none() && violations.is_empty() {
        // The schema admits a document that the types refuse. That should not happen, and must not pass in
        // silence.
        violations.push(whole("spec", &document, "does not parse as a VoiceAssistScaling"));
    }
    let mut scaling = None;
    let mut warnings = Vec::new();
    if let Some(rules) = rules {
        scaling = rules.scaling.filter(|_| violations.is_empty());
        warnings = rules.warnings;
        // The rules run the same schema for stored objects, so they find its violations again.
        for violation in rules.violations {
            if !violations
                .iter()
                .any(|known| known.path == violation.path && known.rule == violation.rule)
            {
                violations.push(violation);
            }
        }
    }
    let size = document.to_string().len();
    if size > LARGE {
        warnings.push(Warning {
            path: "spec".to_owned(),
            value: format!("{} kB", size / 1000),
            advice: "the API server refuses objects above 1.5 MiB; split it into several resources"
                .to_owned(),
            environment: None,
            workload: None,
        });
    }
    Document {
        name,
        object,
        validation: Validation {
            scaling,
            violations,
            warnings,
        },
    }
}

/// Checks the fields around the spec.
fn check_envelope(document: &Value) -> Vec<Violation> {
    let mut violations = Vec::new();
    let expected = VoiceAssistScaling::api_version(&());
    if document.get("apiVersion").and_then(Value::as_str) != Some(&expected) {
        violations.push(whole(
            "apiVersion",
            document,
            &format!("this version of vas knows {expected} only"),
        ));
    }
    let kind = VoiceAssistScaling::kind(&());
    if document.get("kind").and_then(Value::as_str) != Some(&kind) {
        violations.push(whole(
            "kind",
            document,
            &format!("the kind of this group is {kind}"),
        ));
    }
    for field in document.as_object().into_iter().flatten().map(|(name, _)| name) {
        if !FIELDS.contains(&field.as_str()) {
            let rule = if schema::knows(field) {
                format!("unknown field; it belongs deeper: spec.{field}")
            } else {
                schema::unknown_field(field, FIELDS.into_iter())
            };
            violations.push(whole(field, document, &rule));
        }
    }
    for field in ["metadata", "spec"] {
        if document.get(field).is_none_or(Value::is_null) {
            violations.push(whole(field, document, "is required"));
        }
    }
    violations.extend(document.get("metadata").into_iter().flat_map(check_metadata));
    violations
}

/// Checks that names, labels and annotations are text. In a file, `namespace: n` is the boolean `false`.
fn check_metadata(metadata: &Value) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut check = |path: String, value: &Value| {
        let rule = match value {
            Value::Bool(_) => {
                "must be text; write it in quotes: YAML takes y, n, yes, no, on and off for true and false"
            }
            Value::String(_) | Value::Null => return,
            _ => "must be text; write it in quotes",
        };
        violations.push(Violation {
            path,
            value: value.to_string(),
            rule: rule.to_owned(),
            environment: None,
            workload: None,
        });
    };
    for (field, value) in metadata.as_object().into_iter().flatten() {
        match field.as_str() {
            "name" | "namespace" | "generateName" => check(format!("metadata.{field}"), value),
            "labels" | "annotations" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    check(format!("metadata.{field}[{key}]"), value);
                }
            }
            _ => {}
        }
    }
    violations
}

/// A violation at a top-level field.
fn whole(field: &str, document: &Value, rule: &str) -> Violation {
    Violation {
        path: field.to_owned(),
        value: document.get(field).unwrap_or(&Value::Null).to_string(),
        rule: rule.to_owned(),
        environment: None,
        workload: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::rules::testing::base;

    fn document(spec: Value) -> Value {
        json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1",
            "kind": "VoiceAssistScaling",
            "metadata": {"name": "voiceassist"},
            "spec": spec,
        })
    }

    fn paths(document: &Value) -> Vec<String> {
        let violations = check(document, None).validation.violations;
        violations.into_iter().map(|violation| violation.path).collect()
    }

    #[test]
    fn a_valid_document_has_a_scaling_and_no_violations() {
        let checked = check(&document(base()), None);
        assert_eq!(checked.validation.violations, []);
        assert!(checked.validation.scaling.is_some());
        assert_eq!(checked.name, "voiceassist");
    }

    #[test]
    fn unknown_fields_and_broken_rules_are_reported_together() {
        let mut spec = base();
        spec["workloads"][0]["maxReplica"] = json!(5);
        spec["workloads"][0]["minReplicas"] = json!(11);
        assert_eq!(
            paths(&document(spec)),
            ["spec.workloads[0].maxReplica", "spec.workloads[0].minReplicas"]
        );
    }

    #[test]
    fn a_wrong_type_is_reported_at_its_field() {
        let mut spec = base();
        spec["workloads"][0]["maxReplicas"] = json!("ten");
        let checked = check(&document(spec), None);
        assert_eq!(checked.object, None);
        assert_eq!(
            checked.validation.violations[0].path,
            "spec.workloads[0].maxReplicas"
        );
        assert_eq!(checked.validation.violations.len(), 1);
    }

    #[test]
    fn names_labels_and_annotations_that_are_no_text_are_reported_at_their_fields() {
        let mut wrong = document(base());
        wrong["metadata"]["namespace"] = json!(false);
        wrong["metadata"]["labels"] = json!({"tier": 1, "app": "gateway"});
        wrong["metadata"]["annotations"] = json!({"example.com/on": true});
        assert_eq!(
            paths(&wrong),
            [
                "metadata.annotations[example.com/on]",
                "metadata.labels[tier]",
                "metadata.namespace"
            ]
        );
        let rules: Vec<String> = check(&wrong, None)
            .validation
            .violations
            .into_iter()
            .map(|violation| violation.rule)
            .collect();
        assert!(rules[2].contains("YAML takes y, n"), "{rules:?}");
    }

    #[test]
    fn the_envelope_is_checked() {
        let mut wrong = document(base());
        wrong["apiVersion"] = json!("scaling.voiceassist.io/v1");
        wrong["sepc"] = wrong.as_object_mut().unwrap().remove("spec").unwrap();
        assert!(is_ours(&wrong));
        assert_eq!(paths(&wrong), ["apiVersion", "sepc", "spec"]);
    }

    #[test]
    fn a_slip_in_group_or_kind_is_told_and_not_passed_over() {
        let mut kind = document(base());
        kind["kind"] = json!("VoiceAssistScalings");
        let mut group = document(base());
        group["apiVersion"] = json!("scaling.voiceassist.com/v1alpha1");
        for (slip, path) in [(kind, "kind"), (group, "apiVersion")] {
            assert!(is_ours(&slip));
            assert_eq!(paths(&slip), [path]);
        }
        assert!(!is_ours(&json!({"apiVersion": "apps/v1", "kind": "Deployment"})));
    }

    #[test]
    fn an_object_too_large_for_the_api_server_is_warned_of() {
        let mut large = document(base());
        large["metadata"]["annotations"] = json!({"note": "x".repeat(LARGE)});
        let warnings = check(&large, None).validation.warnings;
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].advice.contains("1.5 MiB"), "{}", warnings[0]);
    }

    #[test]
    fn another_environment_can_be_made_the_active_one() {
        let mut spec = base();
        spec["environments"] = json!([{"name": "dev", "workloads": [{"name": "api", "maxReplicas": 3}]}]);
        let checked = check(&document(spec), Some("dev"));
        let scaling = checked.validation.scaling.unwrap();
        assert_eq!(scaling.environment.as_deref(), Some("dev"));
        assert_eq!(scaling.workloads[0].base.max, 3);
    }
}
