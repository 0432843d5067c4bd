//! Collects the violations and warnings that rules find, with the user's own paths and each once.
//!
//! A rule that stops the workload calls [`Scope::refuse`]. A rule that only advises calls [`Scope::warn`]:
//!
//! ```text
//! scope.refuse(&path.field("window"), "must be at most 1h");
//! scope.warn(&path.field("window"), "a rate over less than 15s rarely has two samples; use at least ...");
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use serde_json::Value;

use super::{Violation, Warning};
use crate::{
    document::schema,
    metrics::promql::{Advice, QueryError},
    spec::field_path::{FieldPath, Located, Origin},
};

/// Largest number of different queries of one resource, which bounds the cost of checking: 16 workloads with
/// 16 metrics each.
const MAX_QUERIES: usize = 256;

/// All violations and warnings of one resource so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The namespace of the resource, if the object names one.
    namespace: Option<String>,
    violations: Vec<Violation>,
    warnings: Vec<Warning>,
    /// Paths of values that the schema refuses. Rules report nothing about such a value, so that one mistake
    /// is one finding.
    beyond_schema: BTreeSet<String>,
    /// The result for each query text. Checking queries costs the most, and most environments inherit theirs.
    queries: BTreeMap<String, Result<Vec<Advice>, QueryError>>,
}

/// The part that rules check at the moment: one environment, and in it one workload or the resource as a
/// whole.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    findings: &'a mut Findings,
    origin: Origin<'a>,
    environment: Option<&'a str>,
    workload: Option<&'a str>,
}

impl Findings {
    /// No findings yet, for a resource in this namespace.
    pub(super) fn of(namespace: Option<&str>) -> Self {
        Self {
            namespace: namespace.map(str::to_owned),
            ..Self::default()
        }
    }

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

    /// Adds a warning, unless another environment inherited the same one.
    pub(super) fn add_warning(&mut self, warning: Warning) {
        let known = self.warnings.iter().any(|known| {
            known.path == warning.path
                && known.value == warning.value
                && known.advice == warning.advice
                && known.workload == warning.workload
        });
        if !known {
            self.warnings.push(warning);
        }
    }

    /// Adds a violation for each value that the schema refuses, with its environment and workload.
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

    /// The violations and the warnings, each in the order in which they were found.
    pub(super) fn into_parts(self) -> (Vec<Violation>, Vec<Warning>) {
        (self.violations, self.warnings)
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

    /// The scope of one workload in the same environment.
    pub(super) fn of_workload<'b>(&'b mut self, workload: &'b str) -> Scope<'b> {
        Scope {
            findings: self.findings,
            origin: self.origin,
            environment: self.environment,
            workload: Some(workload),
        }
    }

    /// The namespace of the resource, if the object names one.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.findings.namespace.as_deref()
    }

    /// The result of `judge` for a query. `judge` runs once for each different text.
    pub(super) fn judged(
        &mut self,
        query: &str,
        judge: impl FnOnce(&str) -> Result<Vec<Advice>, QueryError>,
    ) -> Result<Vec<Advice>, QueryError> {
        // Ten environments that inherit a query ask about the same text ten times; it is parsed once.
        let queries = &mut self.findings.queries;
        if let Some(known) = queries.get(query) {
            return known.clone();
        }
        if queries.len() >= MAX_QUERIES {
            return Err(QueryError::TooComplex {
                most: MAX_QUERIES,
                what: "different queries in one resource",
            });
        }
        let judged = judge(query);
        queries.insert(query.to_owned(), judged.clone());
        judged
    }

    /// Reports a field that breaks a rule by itself.
    pub(super) fn refuse(&mut self, path: &FieldPath, rule: impl Display) {
        self.refuse_any(&[path], rule);
    }

    /// Reports fields that break a rule together. The violation points at the first field that the
    /// environment changed, because the mistake was made there. If the environment changed none, it points at
    /// the first field.
    pub(super) fn refuse_any(&mut self, paths: &[&FieldPath], rule: impl Display) {
        if let Some(place) = self.locate(paths) {
            self.findings.add(Violation {
                path: place.path,
                value: place.value,
                rule: rule.to_string(),
                environment: self.environment.map(str::to_owned),
                workload: self.workload.map(str::to_owned),
            });
        }
    }

    /// Warns of a field that obeys every rule and that the user probably did not mean. The advice says what
    /// will happen, and the fix. It stops nothing.
    pub(super) fn warn(&mut self, path: &FieldPath, advice: impl Display) {
        self.warn_any(&[path], advice);
    }

    /// Warns of fields that are probably wrong together. The place is chosen as in [`Scope::refuse_any`].
    pub(super) fn warn_any(&mut self, paths: &[&FieldPath], advice: impl Display) {
        if let Some(place) = self.locate(paths) {
            self.findings.add_warning(Warning {
                path: place.path,
                value: place.value,
                advice: advice.to_string(),
                environment: self.environment.map(str::to_owned),
                workload: self.workload.map(str::to_owned),
            });
        }
    }

    /// The place to report; `None` if the schema already refuses one of the values.
    fn locate(&self, paths: &[&FieldPath]) -> Option<Located> {
        // A value that the schema refuses is not what the user meant, so a rule about it would mislead.
        let located: Vec<_> = paths.iter().map(|path| self.origin.locate(path)).collect();
        if located
            .iter()
            .any(|place| self.findings.beyond_schema.contains(&place.path))
        {
            return None;
        }
        let changed_here = located.iter().find(|place| place.overridden);
        changed_here.or(located.first()).cloned()
    }
}
