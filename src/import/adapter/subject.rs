//! The object whose metric an HPA reads from a rule, and the matchers that the request adds to the query.

use promql_parser::parser::Expr;

use super::{
    case::Case,
    hpa_metric::About,
    template::{self, Request},
};
use crate::query::{self, Extra, Op};
use vas_core::metrics::promql::LabelName;

/// What the metric describes, with the label that the rule has for it.
#[derive(Debug)]
pub(super) enum Subject {
    Pods {
        label: String,
    },
    /// An object other than a namespace.
    Object {
        label: String,
        name: String,
    },
    /// The namespace itself; `name` if the HPA names it.
    Namespace {
        name: Option<String>,
    },
    External,
}

impl Case<'_> {
    /// What the metric describes. Without an HPA this is known only for pods and namespaces.
    pub(super) fn subject(&self) -> Result<Subject, String> {
        let resources = &self.rule.resources;
        let no_label = |kind: &str| {
            format!(
                "its resources name no label for a {kind}, so prometheus-adapter has no such metric of a {kind} \
                 either"
            )
        };
        let about = self.wanted.map(|wanted| &wanted.about);
        match about {
            _ if self.external => Ok(Subject::External),
            None => match resources.pod() {
                Some(label) => Ok(Subject::Pods { label }),
                None if resources.has_objects() => {
                    Err("which object it is read for stands in the HPA: give that with --hpa".to_owned())
                }
                None => Ok(Subject::Namespace { name: None }),
            },
            Some(About::Pods) => {
                let label = resources.pod().ok_or_else(|| no_label("pod"))?;
                Ok(Subject::Pods { label })
            }
            Some(About::Object { kind, name, .. }) if kind == "Namespace" => {
                let own = self.wanted.and_then(|wanted| wanted.namespace.as_ref());
                if own.is_some_and(|own| own != name) {
                    return Err(format!(
                        "the HPA reads it of namespace {name}; vas binds every query to the namespace of the resource"
                    ));
                }
                Ok(Subject::Namespace {
                    name: Some(name.clone()),
                })
            }
            Some(About::Object { group, kind, name }) => {
                let label = resources
                    .label(group, &kind.to_ascii_lowercase())
                    .ok_or_else(|| no_label(kind))?;
                Ok(Subject::Object {
                    label,
                    name: name.clone(),
                })
            }
            Some(About::External) => Ok(Subject::External),
        }
    }

    /// The text of the query for one request, with a marker in place of the matchers.
    pub(super) fn rendered(&self, subject: &Subject) -> Result<String, String> {
        let namespace_label = self.rule.resources.namespace();
        let group_by = match subject {
            Subject::Pods { label } | Subject::Object { label, .. } => label.as_str(),
            Subject::Namespace { .. } => namespace_label.as_deref().unwrap_or_default(),
            Subject::External => "",
        };
        let value = |label: &str| {
            if Some(label) == namespace_label.as_deref() {
                return self.own_namespace(subject).map(str::to_owned);
            }
            if let Subject::Object { label: own, name } = subject
                && own == label
            {
                return Some(name.clone());
            }
            let selected = self.wanted?.selected.as_ref().ok()?;
            let mut values = selected
                .iter()
                .filter(|one| one.label == label && one.op == Op::Equal);
            values.next().map(|one| one.value.clone())
        };
        template::render(
            &self.rule.metrics_query,
            Request {
                series: self.series,
                group_by,
                value: &value,
            },
        )
    }

    /// The namespace of the HPA, if the HPA or the metric names it.
    pub(super) fn own_namespace<'a>(&'a self, subject: &'a Subject) -> Option<&'a str> {
        let stated = self.wanted.and_then(|wanted| wanted.namespace.as_deref());
        match subject {
            Subject::Namespace { name: Some(name) } => stated.or(Some(name)),
            _ => stated,
        }
    }

    /// The matchers that the request adds to the query. The matcher for the namespace is left out: vas adds
    /// that itself.
    pub(super) fn added(
        &self,
        subject: &Subject,
        label: &str,
        namespace: Option<&str>,
    ) -> Result<Vec<Extra>, String> {
        let mut added = match self.wanted.map(|wanted| &wanted.selected) {
            None => Vec::new(),
            Some(Ok(selected)) => selected.clone(),
            Some(Err(why)) => return Err(format!("{why}, which prometheus-adapter refuses too")),
        };
        if let Some(other) = added.iter().find(|one| one.label.parse::<LabelName>().is_err()) {
            return Err(format!(
                "the selector of the HPA names {}, which is no label of Prometheus",
                other.label
            ));
        }
        // A matcher for the namespace is redundant if this namespace passes it, and is dropped below. Any
        // other one would make the result empty.
        let own = |one: &Extra| one.label == label;
        for one in added.iter().filter(|one| own(one)) {
            let reads_own =
                one.is_presence() || namespace.is_some_and(|namespace| one.passes(namespace) == Ok(true));
            if !reads_own {
                return Err(format!(
                    "the selector of the HPA says {one}; prometheus-adapter reads the namespace of the HPA besides, so \
                     it finds nothing, and vas reads the namespace of the resource alone"
                ));
            }
        }
        added.retain(|one| !own(one));
        if let Subject::Object { label, name } = subject {
            added.push(Extra::new(label, Op::Equal, name));
        }
        Ok(added)
    }
}

impl Subject {
    /// Checks that the result can carry the label in which prometheus-adapter looks for the name of the
    /// object.
    ///
    /// # Errors
    /// If no series of the result can carry that label.
    pub(super) fn check_result(&self, expr: &Expr, namespace_label: &str) -> Result<(), String> {
        let label = match self {
            Self::Pods { label } | Self::Object { label, .. } => label,
            Self::Namespace { .. } => namespace_label,
            Self::External => return Ok(()),
        };
        if !query::lacks(expr, label) {
            return Ok(());
        }
        Err(format!(
            "no series of its result carries the label {label}, by which prometheus-adapter finds the object, so the \
             metric has no value there: write by (<<.GroupBy>>) if a value for each object is meant"
        ))
    }
}
