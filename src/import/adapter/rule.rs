//! Converts one rule and one series, for one metric of an HPA, into an entry or into the reason why there is
//! none.

use promql_parser::parser::Expr;

use super::{
    bound::{self, Reach},
    case::Case,
    pods,
    sent_query::{Query, UNBOUND},
    subject::Subject,
    total,
};
use crate::{assemble, names, query};
use vas_api::v1alpha1::Metric;

/// An entry and the comments above it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Converted {
    pub(super) metric: Metric,
    pub(super) comments: Vec<String>,
}

impl Case<'_> {
    /// Converts the rule.
    ///
    /// # Errors
    /// If there is no entry; the text says why, and what the user can do.
    pub(super) fn convert(&self) -> Result<Converted, String> {
        if !self.rule.label_value_replacements.is_empty() {
            return Err(
                "labelValueReplacements has no counterpart; label values are matched as they are".to_owned(),
            );
        }
        let subject = self.subject()?;
        let text = self.rendered(&subject)?;
        let expr = query::parse(&text, "metricsQuery")?;
        if self.external && self.rule.resources.namespaced == Some(false) {
            return Err(self.across_namespaces(expr));
        }
        let namespace_label = self.rule.resources.namespace().ok_or_else(|| {
            "its resources name no label for the namespace, without which prometheus-adapter answers no HPA: add \
             {resource: namespace} to resources.overrides"
                .to_owned()
        })?;
        let namespace = self.own_namespace(&subject);
        let query = Query {
            selectors: query::selectors(&expr)?,
            added: self.added(&subject, &namespace_label, namespace)?,
            reach: Reach {
                label: &namespace_label,
                namespace,
            },
            wanted: self.wanted,
            expr,
        };
        query.reach.check_pins(&query.selectors)?;
        bound::check_contradictions(&query.selectors, &query.added)?;
        subject.check_result(&query.expr, &namespace_label)?;
        let mut metric = Metric {
            name: names::metric_name(self.exposed),
            ..Metric::default()
        };
        let mut comments = Vec::new();
        match &subject {
            Subject::Pods { label } => pods::convert(&query, label, &mut metric, &mut comments)?,
            _ => total::convert(&query, &subject, &mut metric, &mut comments)?,
        }
        match assemble::broken_metric(metric.clone()) {
            None => Ok(Converted { metric, comments }),
            Some(rule) => Err(format!("the resource does not take it: {rule}")),
        }
    }

    /// The reason why an External metric over all namespaces has no entry.
    fn across_namespaces(&self, mut expr: Expr) -> String {
        let selected = self
            .wanted
            .and_then(|wanted| wanted.selected.clone().ok())
            .unwrap_or_default();
        let text = match query::fill(&mut expr, &selected) {
            Ok(()) => format!("; the query is sum({expr})"),
            Err(_) => String::new(),
        };
        format!(
            "namespaced: false reads across namespaces, and vas binds every query to the namespace of the resource: \
             {UNBOUND}{text}"
        )
    }
}
