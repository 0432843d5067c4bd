//! Compares the CustomResourceDefinition of the cluster with the one that this binary was built with.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::doctor::{Finding, observed::Observed};
use vas_api::v1alpha1;
use vas_core::{k8s::read::Unread, wording::and_more};

const OBJECT: &str = "CustomResourceDefinition voiceassistscalings.scaling.voiceassist.io";
const VERSION: &str = "v1alpha1";
const APPLY: &str = "vas crd | kubectl apply --server-side -f -";

/// Whether the CRD exists.
pub(in crate::doctor) fn installed(observed: &Observed) -> Vec<Finding> {
    vec![match &observed.crd {
        Ok(_) => Finding::ok(OBJECT, "is installed"),
        Err(Unread::NotFound) => Finding::problem(OBJECT, "does not exist").fix(APPLY),
        Err(why) => Finding::skipped(OBJECT, why.to_string()),
    }]
}

/// Whether the API server accepted the CRD.
pub(in crate::doctor) fn established(observed: &Observed) -> Vec<Finding> {
    let crd = match &observed.crd {
        Ok(crd) => crd,
        Err(why) => return vec![Finding::skipped(OBJECT, why.to_string())],
    };
    let conditions = crd.pointer("/status/conditions").and_then(Value::as_array);
    let text = |condition: &Value, field: &str| {
        let text = condition.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let mut findings: Vec<Finding> = conditions
        .into_iter()
        .flatten()
        .filter(|condition| {
            let wanted = match text(condition, "type").as_str() {
                "Established" | "NamesAccepted" => "True",
                "Terminating" | "NonStructuralSchema" => "False",
                _ => return false,
            };
            text(condition, "status") != wanted
        })
        .map(|condition| {
            let message = format!(
                "status.conditions: {}={} {}: {}",
                text(condition, "type"),
                text(condition, "status"),
                text(condition, "reason"),
                text(condition, "message")
            );
            Finding::problem(OBJECT, message).fix(format!("remove what the condition names, then {APPLY}"))
        })
        .collect();
    let known = conditions
        .into_iter()
        .flatten()
        .any(|condition| text(condition, "type") == "Established");
    if !known {
        findings.push(Finding::problem(
            OBJECT,
            "status.conditions has no Established yet: the API server does not serve it",
        ));
    }
    if crd.pointer("/spec/conversion/strategy").and_then(Value::as_str) == Some("Webhook") {
        findings.push(
            Finding::warning(
                OBJECT,
                "spec.conversion.strategy is Webhook, and vas has no conversion webhook",
            )
            .fix(APPLY),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok(OBJECT, "is established"));
    }
    findings
}

/// Whether the API server serves the version that this binary uses.
pub(in crate::doctor) fn version_served(observed: &Observed) -> Vec<Finding> {
    let crd = match &observed.crd {
        Ok(crd) => crd,
        Err(why) => return vec![Finding::skipped(OBJECT, why.to_string())],
    };
    let served = version(crd)
        .and_then(|version| version.get("served"))
        .and_then(Value::as_bool);
    vec![match served {
        Some(true) => Finding::ok(OBJECT, format!("{VERSION} is served")),
        Some(false) => Finding::problem(OBJECT, format!("spec.versions: {VERSION} is not served")).fix(APPLY),
        None => Finding::problem(OBJECT, format!("spec.versions has no {VERSION}")).fix(APPLY),
    }]
}

/// Whether the schema is the one of this binary. The API server drops fields that its schema lacks without
/// telling.
pub(in crate::doctor) fn schema_current(observed: &Observed) -> Vec<Finding> {
    let crd = match &observed.crd {
        Ok(crd) => crd,
        Err(why) => return vec![Finding::skipped(OBJECT, why.to_string())],
    };
    let ours = v1alpha1::crd();
    let (Some(here), Some(there)) = (schema(&ours), schema(crd)) else {
        return vec![Finding::problem(OBJECT, format!("{VERSION} has no schema")).fix(APPLY)];
    };
    let (here_fields, there_fields) = (fields(here), fields(there));
    let missing: Vec<&String> = here_fields.difference(&there_fields).collect();
    let unknown: Vec<&String> = there_fields.difference(&here_fields).collect();
    vec![if let Some(first) = missing.first() {
        Finding::problem(
            OBJECT,
            format!(
                "its schema is older than this vas: it lacks {}{}, which the API server would drop",
                first,
                and_more(missing.len().saturating_sub(1))
            ),
        )
        .fix(APPLY)
    } else if let Some(first) = unknown.first() {
        Finding::warning(
            OBJECT,
            format!(
                "its schema is newer than this vas, which does not know {first}{}",
                and_more(unknown.len().saturating_sub(1))
            ),
        )
        .fix("use the vas of the installation for this check")
    } else if rules(here) != rules(there) {
        Finding::warning(
            OBJECT,
            "its fields are those of this vas, but bounds or rules differ",
        )
        .fix(APPLY)
    } else {
        Finding::ok(OBJECT, "its schema is that of this vas")
    }]
}

fn version(crd: &Value) -> Option<&Value> {
    let versions = crd.pointer("/spec/versions")?.as_array()?;
    versions
        .iter()
        .find(|version| version.get("name").and_then(Value::as_str) == Some(VERSION))
}

fn schema(crd: &Value) -> Option<&Value> {
    version(crd)?.pointer("/schema/openAPIV3Schema")
}

/// The paths of all fields of a schema, such as `spec.workloads[].name`.
fn fields(schema: &Value) -> BTreeSet<String> {
    fn walk(path: &str, schema: &Value, found: &mut BTreeSet<String>) {
        for (name, schema) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            walk(&path, schema, found);
            found.insert(path);
        }
        if let Some(items) = schema.get("items") {
            walk(&format!("{path}[]"), items, found);
        }
        if let Some(values) = schema.get("additionalProperties") {
            walk(&format!("{path}{{}}"), values, found);
        }
    }
    let mut found = BTreeSet::new();
    walk("", schema, &mut found);
    found
}

/// The schema without its descriptions. All numbers become floats, so that `1` and `1.0` are equal.
fn rules(schema: &Value) -> Value {
    match schema {
        Value::Object(entries) => entries
            .iter()
            // A field may be called `description` too, but its schema is an object and no text.
            .filter(|(name, value)| !(value.is_null() || *name == "description" && value.is_string()))
            .map(|(name, value)| (name.clone(), rules(value)))
            .collect(),
        Value::Array(items) => items.iter().map(rules).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities},
    };

    fn changed(change: impl Fn(&mut Value)) -> Observed {
        let mut observed = healthy();
        let mut crd = observed.crd.unwrap();
        change(&mut crd);
        observed.crd = Ok(crd);
        observed
    }

    const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";

    #[test]
    fn a_missing_crd_is_a_problem_and_leaves_the_rest_unknown() {
        let mut observed = healthy();
        observed.crd = Err(Unread::NotFound);
        assert_eq!(severities(&installed(&observed)), [Severity::Problem]);
        for check in [established, version_served, schema_current] {
            assert_eq!(severities(&check(&observed)), [Severity::Skipped]);
        }
    }

    #[test]
    fn a_schema_that_lacks_a_field_is_older_and_names_it() {
        let observed = changed(|crd| {
            crd.pointer_mut(SPEC)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove("suspend");
        });
        let found = schema_current(&observed);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(found[0].message.contains("spec.suspend"), "{}", found[0].message);
    }

    #[test]
    fn a_schema_with_another_field_is_newer() {
        let observed = changed(|crd| {
            crd.pointer_mut(SPEC).unwrap()["forecast"] = json!({"type": "string"});
        });
        let found = schema_current(&observed);
        assert_eq!(severities(&found), [Severity::Warning]);
        assert!(found[0].message.contains("spec.forecast"));
    }

    #[test]
    fn another_bound_is_seen_and_another_description_is_not() {
        let bound = changed(|crd| crd.pointer_mut(SPEC).unwrap()["workloads"]["maxItems"] = json!(99));
        assert_eq!(severities(&schema_current(&bound)), [Severity::Warning]);
        let words = changed(|crd| crd.pointer_mut(SPEC).unwrap()["suspend"]["description"] = json!("x"));
        assert_eq!(severities(&schema_current(&words)), [Severity::Ok]);
    }

    #[test]
    fn conditions_and_served_versions_are_read() {
        let names = changed(|crd| {
            crd["status"]["conditions"][1] = json!({"type": "NamesAccepted", "status": "False", "reason": "ShortNamesConflict", "message": "vas is taken"});
        });
        let found = established(&names);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(found[0].message.contains("ShortNamesConflict: vas is taken"));
        let unserved = changed(|crd| crd["spec"]["versions"][0]["served"] = json!(false));
        assert_eq!(severities(&version_served(&unserved)), [Severity::Problem]);
    }
}
