//! The query that prometheus-adapter sends, and what the matchers of the request mean for its selectors.

use promql_parser::parser::Expr;

use super::{bound::Reach, hpa_metric::HpaMetric};
use crate::query::{Extra, Op, Selector};

/// What to do about a query over several namespaces.
pub(super) const UNBOUND: &str = "give this Prometheus an entry with queryNamespaceMatcher: false in the --config of vas metrics-server, \
                       and use prometheus.query with that prometheusServer";

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
