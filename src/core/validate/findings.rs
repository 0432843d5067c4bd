//! Where rules put what they find: violations with the user's own paths, each once.

use std::{collections::BTreeSet, fmt::Display};

use serde_json::Value;

use super::{Violation, schema};
use crate::core::field_path::{FieldPath, Origin};

/// All violations of one resource so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    violations: Vec<Violation>,
    /// Paths that the schema refuses. One mistake is one violation: a rule about such a value adds none.
    beyond_schema: BTreeSet<String>,
}

/// Where rules look at the moment: one environment, and a workload in it or the resource as a whole.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    findings: &'a mut Findings,
    origin: Origin<'a>,
    environment: Option<&'a str>,
    workload: Option<&'a str>,
}

impl Findings {
    /// Adds a violation, unless another environment inherited the same one.
    pub(super) fn add(&mut self, violation: Violation) {
        let known = self.violations.iter().any(|known| {
            known.path == violation.path
                && known.value == violation.value
                && known.rule == violation.rule
                && known.workload == violation.workload
        });
        if !known {
            self.violations.push(violation);
        }
    }

    /// Adds what the schema refuses, each at the workload it stands in.
    pub(super) fn add_schema(&mut self, spec: &Value) {
        for broken in schema::check_spec(spec) {
            let (environment, workload) = broken.place(spec);
            let path = broken.path();
            self.beyond_schema.insert(path.clone());
            self.add(Violation {
                path,
                value: broken.value,
                rule: broken.rule,
                environment,
                workload,
            });
        }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(findings: &'a mut Findings, origin: Origin<'a>, environment: Option<&'a str>) -> Self {
        Self {
            findings,
            origin,
            environment,
            workload: None,
        }
    }

    /// The same environment, one workload of it.
    pub(super) fn of_workload<'b>(&'b mut self, workload: &'b str) -> Scope<'b> {
        Scope {
            findings: self.findings,
            origin: self.origin,
            environment: self.environment,
            workload: Some(workload),
        }
    }

    /// Reports a field that breaks a rule by itself.
    pub(super) fn refuse(&mut self, path: &FieldPath, rule: impl Display) {
        self.refuse_any(&[path], rule);
    }

    /// Reports fields that break a rule together: at the first that the environment changed, because that
    /// is where the mistake was made, else at the first.
    pub(super) fn refuse_any(&mut self, paths: &[&FieldPath], rule: impl Display) {
        let located: Vec<_> = paths.iter().map(|path| self.origin.locate(path)).collect();
        if located
            .iter()
            .any(|place| self.findings.beyond_schema.contains(&place.path))
        {
            return;
        }
        let changed_here = located.iter().find(|place| place.overridden);
        let Some(place) = changed_here.or(located.first()).cloned() else {
            return;
        };
        self.findings.add(Violation {
            path: place.path,
            value: place.value,
            rule: rule.to_string(),
            environment: self.environment.map(str::to_owned),
            workload: self.workload.map(str::to_owned),
        });
    }
}
