//! Converts one rule and one series, for one metric of an HPA, into an entry or into the reason why there is
//! none.

use promql_parser::parser::Expr;

use super::{
    bound::{self, Reach},
    config::Rule,
    hpa_metric::HpaMetric,
    pods,
    subject::Subject,
    total,
};
use crate::{
    assemble, names,
    query::{self, Extra, Op, Selector},
};
use vas_api::v1alpha1::Metric;

/// What to do about a query over several namespaces.
const UNBOUND: &str = "give this Prometheus an entry with queryNamespaceMatcher: false in the --config of vas metrics-server, \
                       and use prometheus.query with that prometheusServer";

/// The input of one conversion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) rule: &'a Rule,
    pub(super) external: bool,
    pub(super) series: &'a str,
    pub(super) exposed: &'a str,
    pub(super) wanted: Option<&'a HpaMetric>,
}

/// An entry and the comments above it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Converted {
    pub(super) metric: Metric,
    pub(super) comments: Vec<String>,
}

/// The query that prometheus-adapter sends for one metric of one HPA.
pub(super) struct Query<'a> {
    /// The syntax tree, with a marker in place of the matchers of the request.
    pub(super) expr: Expr,
    pub(super) selectors: Vec<Selector>,
    /// The matchers of the request, without the one for the namespace.
    pub(super) added: Vec<Extra>,
    pub(super) reach: Reach<'a>,
    pub(super) wanted: Option<&'a HpaMetric>,
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

impl Query<'_> {
    /// Whether the matchers of the request apply to every selector.
    pub(super) fn takes_request(&self) -> bool {
        self.selectors.iter().all(|selector| selector.is_marked)
    }

    /// The matchers of the request if they apply to every selector, else none. In a selector without
    /// `<<.LabelMatchers>>` prometheus-adapter ignores them.
    pub(super) fn taken(&self) -> &[Extra] {
        if self.takes_request() { &self.added } else { &[] }
    }

    /// The labels that the request sets to a single value in every selector.
    pub(super) fn taken_equal(&self) -> impl Iterator<Item = String> + '_ {
        let equal = self.taken().iter().filter(|one| one.op == Op::Equal);
        equal.map(|one| one.label.clone())
    }

    /// The reason why a query with a selector outside the namespace of the request has no entry.
    pub(super) fn unmarked(&self) -> String {
        let mut open = self.selectors.iter();
        let open = open.find(|selector| !selector.is_marked && !self.reach.is_pinned(selector));
        // For an object, a selector may be in the right namespace and still not read this object only.
        let open = open.or_else(|| self.selectors.iter().find(|selector| !selector.is_marked));
        let shown = open.map_or("a selector", |selector| selector.shown.as_str());
        format!(
            "{shown} is without <<.LabelMatchers>>, so prometheus-adapter reads every namespace and ignores the HPA's \
             selector there; vas binds each selector to the namespace of the resource. If that is what you mean, write \
             <<.LabelMatchers>> into it; if not, {UNBOUND}"
        )
    }
}
