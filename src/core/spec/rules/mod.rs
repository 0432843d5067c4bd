//! The rules: they turn what a user wrote into a [`Scaling`], which cannot hold a wrong value.
//!
//! Every environment is merged and checked, not only the active one. So a mistake in `production` is found
//! while `dev` is active. Rules parse rather than check: each returns a value of the model's type, or nothing
//! and a [`Violation`] that points at the user's own line. A question that needs the cluster (does the target
//! exist, is there quota) is not a rule.
//!
//! A [`Warning`] is about something that no rule forbids and that is probably a mistake. Only `vas validate`
//! shows it. A rule adds one by `scope.warn` in place of `scope.refuse` (see `findings.rs`).
//!
//! ```text
//! schema      types, bounds, patterns, unique names: the CRD's own schema, for objects older than it
//! structure   environments, overrides and targets of the whole resource
//! workload -> replicas, schedules, metrics (-> series, target), behavior, vertical, disruption
//! limits      LimitRange and ResourceQuota
//! document    an object in a file, unknown fields and wrong types included
//! ```

mod behavior;
mod disruption;
pub mod document;
mod expressions;
mod findings;
mod limits;
mod match_labels;
mod metrics;
#[cfg(test)]
mod mistakes;
mod replicas;
mod schedules;
mod series;
mod structure;
mod target;
#[cfg(test)]
pub(crate) mod testing;
mod vertical;
mod workload;

use std::collections::BTreeSet;

use self::findings::{Findings, Scope};
use super::{
    environment,
    field_path::Origin,
    model::{Scaling, ScalingKey},
};
use vas_api::v1alpha1::{Environment, VoiceAssistScaling};

/// Largest number of characters of a value that one line shows.
const SHOWN_VALUE: usize = 60;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Path of the field in the object as the user wrote it, for example
    /// `spec.environments[1].workloads[0].maxReplicas`.
    pub path: String,
    /// The value of the field, as compact JSON.
    pub value: String,
    /// The rule, and the fix.
    pub rule: String,
    /// The environment whose merged result breaks the rule; `None` for the base values.
    pub environment: Option<String>,
    /// The workload that breaks the rule; `None` for a rule of the whole resource.
    pub workload: Option<String>,
}

/// Something that breaks no rule and that the user probably did not mean. It stops nothing: neither the
/// operator nor `SpecValid` looks at it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// Path of the field in the object as the user wrote it.
    pub path: String,
    /// The value of the field, as compact JSON.
    pub value: String,
    /// What will happen, and the fix.
    pub advice: String,
    /// The environment whose merged result has the mistake; `None` for the base values.
    pub environment: Option<String>,
    /// The workload that the warning is about; `None` for the whole resource.
    pub workload: Option<String>,
}

/// The result of the rules for one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// The active environment, with the workloads that obey every rule in every environment. `None` if a rule
    /// of the whole resource is broken. The children of a workload that is left out stay as they are.
    pub scaling: Option<Scaling>,
    /// All broken rules of every environment, in a stable order: schema, structure, base values, then each
    /// environment. A mistake that environments inherit from the base is reported once.
    pub violations: Vec<Violation>,
    /// Probable mistakes of every environment, each once.
    pub warnings: Vec<Warning>,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_line(
            f,
            &self.path,
            &self.value,
            &self.rule,
            self.environment.as_deref(),
        )
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_line(
            f,
            &self.path,
            &self.value,
            &self.advice,
            self.environment.as_deref(),
        )
    }
}

/// Writes `path: value: words (in environment e)`. Of a long value only the start is shown, because a whole
/// struct would hide the words behind it.
fn write_line(
    f: &mut std::fmt::Formatter<'_>,
    path: &str,
    value: &str,
    words: &str,
    environment: Option<&str>,
) -> std::fmt::Result {
    match value.char_indices().nth(SHOWN_VALUE) {
        None => write!(f, "{path}: {value}: {words}")?,
        Some((end, _)) => {
            let start = value.get(..end).unwrap_or_default();
            write!(f, "{path}: {start}...: {words}")?;
        }
    }
    match environment {
        Some(environment) => write!(f, " (in environment {environment})"),
        None => Ok(()),
    }
}

/// Checks the merged result of every environment and returns the active one.
pub fn validate(object: &VoiceAssistScaling) -> Validation {
    let spec = &object.spec;
    // These types always serialize to JSON. With Null, violations would only lack the values of their fields.
    let written = serde_json::to_value(spec).unwrap_or_default();
    let mut findings = Findings::of(object.metadata.namespace.as_deref());

    findings.add_schema(&written);
    structure::check(object, &written, &mut findings);

    let base = Environment::default();
    let environments = spec.environments.as_deref().unwrap_or_default();
    let mut active = None;
    // The base comes first, so that a mistake which environments inherit is reported for the base values.
    for (position, environment) in std::iter::once((None, &base)).chain(
        environments
            .iter()
            .enumerate()
            .map(|(position, environment)| (Some(position), environment)),
    ) {
        let name = position.map(|_| environment.name.as_str());
        let merged = environment::merge(spec, environment);
        let mut scope = Scope::new(&mut findings, Origin::new(&written, position), name);
        let limits = limits::check(merged.limits.as_ref(), &mut scope);
        let suspended = merged.suspend.unwrap_or(false);
        let workloads: Vec<_> = merged
            .workloads
            .iter()
            .filter_map(|workload| workload::check(workload, suspended, limits.as_ref(), &mut scope))
            .collect();
        limits::check_room(limits.as_ref(), &workloads, &mut scope);
        if name == spec.environment.as_deref() && active.is_none() {
            active = Some((workloads, limits));
        }
    }

    let (violations, warnings) = findings.into_parts();
    // A workload that breaks a rule in any environment is left out, also while another environment is active:
    // to switch environments must never be what shows the mistake.
    let refused: BTreeSet<&str> = violations
        .iter()
        .filter_map(|violation| violation.workload.as_deref())
        .collect();
    // A violation without a workload breaks a rule of the whole resource, and then no workload is written.
    let whole = violations.iter().all(|violation| violation.workload.is_some());
    let scaling = active.filter(|_| whole).map(|(mut workloads, limits)| Scaling {
        // A file may leave the namespace out, and then no child names one either. A missing name broke a rule.
        key: ScalingKey {
            namespace: object.metadata.namespace.clone().unwrap_or_default(),
            name: object.metadata.name.clone().unwrap_or_default(),
        },
        environment: spec.environment.clone(),
        workloads: {
            workloads.retain(|workload| !refused.contains(workload.name.as_str()));
            workloads
        },
        limits,
    });
    Validation {
        scaling,
        violations,
        warnings,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        testing::{base, object, violations, with_workload},
        validate,
    };

    #[test]
    fn what_every_environment_inherits_is_reported_once() {
        let mut spec = with_workload(json!({"minReplicas": 11}));
        spec["environments"] = json!([{"name": "dev"}, {"name": "staging", "suspend": true}]);
        let found = violations(&spec);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].path, "spec.workloads[0].minReplicas");
        assert_eq!(found[0].environment, None);
    }

    #[test]
    fn a_mistake_in_an_inactive_environment_stops_the_workload_too() {
        let mut spec = base();
        spec["environment"] = json!("dev");
        spec["environments"] =
            json!([{"name": "dev"}, {"name": "prod", "workloads": [{"name": "api", "maxReplicas": 1}]}]);
        let validation = validate(&object(&spec));
        assert_eq!(validation.violations.len(), 1);
        assert_eq!(
            validation.violations[0].path,
            "spec.environments[1].workloads[0].maxReplicas"
        );
        assert_eq!(validation.violations[0].environment.as_deref(), Some("prod"));
        assert_eq!(validation.scaling.unwrap().workloads, []);
    }

    #[test]
    fn one_bad_workload_stops_only_itself() {
        let mut spec = base();
        let mut second = spec["workloads"][0].clone();
        second["name"] = json!("worker");
        second["scaleTargetRef"]["name"] = json!("worker");
        spec["workloads"].as_array_mut().unwrap().push(second);
        spec["workloads"][0]["minReplicas"] = json!(11);
        let scaling = validate(&object(&spec)).scaling.unwrap();
        assert_eq!(scaling.workloads.len(), 1);
        assert_eq!(scaling.workloads[0].name, "worker");
    }

    #[test]
    fn the_active_environment_is_the_one_that_is_returned() {
        let mut spec = base();
        spec["environment"] = json!("prod");
        spec["environments"] = json!([{"name": "dev"}, {"name": "prod", "suspend": true, "workloads": [{"name": "api", "maxReplicas": 15}]}]);
        let scaling = validate(&object(&spec)).scaling.unwrap();
        assert_eq!(scaling.environment.as_deref(), Some("prod"));
        assert_eq!(scaling.workloads[0].base.max, 15);
        assert!(scaling.workloads[0].suspended);
    }

    #[test]
    fn a_warning_stops_nothing_and_is_given_once_for_all_environments_that_inherit_it() {
        let mut spec = with_workload(json!({"metrics": [
            {"name": "rate", "requestRate": {"counter": "c", "window": "10s", "target": {"averageValue": "5"}}},
        ]}));
        spec["environments"] = json!([{"name": "dev"}, {"name": "prod", "suspend": true}]);
        let validation = validate(&object(&spec));
        assert_eq!(validation.violations, []);
        assert_eq!(validation.scaling.unwrap().workloads.len(), 1);
        let lines: Vec<_> = validation.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(
            lines[0].starts_with(r#"spec.workloads[0].metrics[0].requestRate.window: "10s": "#),
            "{lines:?}"
        );
    }

    #[test]
    fn a_query_for_another_namespace_is_valid_and_warned_of_where_the_namespace_is_written() {
        let query = r#"sum(x{namespace="other"})"#;
        let spec = with_workload(json!({"metrics": [
            {"name": "q", "prometheus": {"query": query, "target": {"value": "5"}}},
        ]}));
        let mut object = object(&spec);
        let validation = validate(&object);
        assert_eq!(validation.violations, []);
        let lines: Vec<_> = validation.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(
            lines[0]
                .contains(r#"it selects namespace="other", but is shown only series with namespace="prod""#),
            "{lines:?}"
        );
        object.metadata.namespace = None;
        assert_eq!(validate(&object).warnings, []);
    }

    #[test]
    fn what_the_schema_refuses_gets_no_warning_beside() {
        let spec = with_workload(json!({"metrics": [
            {"name": "rate", "requestRate": {"counter": "c", "window": "5s5s5s5s5s5s5s5s5s", "target": {"averageValue": "5"}}},
        ]}));
        let validation = validate(&object(&spec));
        assert_eq!(validation.violations.len(), 1);
        assert_eq!(validation.warnings, []);
    }

    #[test]
    fn a_long_value_does_not_hide_the_rule() {
        let spec = with_workload(json!({"vertical": {"updateMode": "Recreate", "containers": [
            {"name": "app", "mode": "Auto"}, {"name": "sidecar", "mode": "Auto"},
        ]}}));
        let line = violations(&spec)[0].to_string();
        assert!(
            line.starts_with(r#"spec.workloads[0].vertical: {"containers":["#),
            "{line}"
        );
        assert!(line.contains("...: the HPA scales on cpu"), "{line}");
    }
}
