//! Queries of panels, and the selectors and expressions of which they are made.
//!
//! Invariant: a selector is narrowed by every variable whose label its family has.

use super::panel::Unit;
use crate::monitoring::families::{Family, Kind, metrics_server::POD_INFO};

/// The labels that tell a resource.
pub(super) const RESOURCE: &str = "namespace, scaling";
/// The labels that tell a workload.
pub(super) const WORKLOAD: &str = "namespace, scaling, workload";
/// The labels that tell a metric of a workload.
pub(super) const METRIC: &str = "namespace, scaling, workload, metric";
/// The legend of a workload.
pub(super) const OF_WORKLOAD: &str = "{{namespace}}/{{scaling}}/{{workload}}";
/// The window of a rate: Grafana makes it wide enough for the interval at which the targets are scraped.
pub(super) const WINDOW: &str = "$__rate_interval";
/// The step between two points of a panel. A window as long sees each event once.
pub(super) const STEP: &str = "$__interval";
/// The whole time that the viewer looks at.
pub(super) const RANGE: &str = "$__range";

/// Variables that narrow what is shown, each with the label of its name.
pub(super) const NARROWING: [&str; 4] = ["namespace", "workload", "pod", "scenario"];

/// A query of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The expression, in PromQL with Grafana's variables.
    pub expr: String,
    /// The name of each series, with its labels in double braces; in a table, the heading of the column with values.
    pub legend: &'static str,
    /// How its series differ from the others of the panel.
    pub style: Style,
}

/// How the series of a query are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the panel says.
    Usual,
    /// As a broken line: a bound, a target or a plan.
    Dashed,
    /// On an axis of its own at the right.
    RightAxis(Unit),
    /// As a count that is red from 1 on, whatever the unit and colours of the panel.
    Alarm,
}

impl Query {
    pub(super) fn new(expr: impl Into<String>, legend: &'static str) -> Self {
        Self {
            expr: expr.into(),
            legend,
            style: Style::Usual,
        }
    }

    pub(super) fn dashed(expr: impl Into<String>, legend: &'static str) -> Self {
        Self {
            style: Style::Dashed,
            ..Self::new(expr, legend)
        }
    }

    pub(super) fn alarm(expr: impl Into<String>, legend: &'static str) -> Self {
        Self {
            style: Style::Alarm,
            ..Self::new(expr, legend)
        }
    }

    pub(super) fn at_right(unit: Unit, expr: impl Into<String>, legend: &'static str) -> Self {
        Self {
            style: Style::RightAxis(unit),
            ..Self::new(expr, legend)
        }
    }
}

/// The series of a family that the viewer has chosen.
pub(super) fn chosen(family: Family) -> String {
    chosen_where(family, "")
}

/// The chosen series of a family with further matchers; of a histogram those that count its observations.
pub(super) fn chosen_where(family: Family, matchers: &str) -> String {
    let name = match family.kind {
        Kind::Counter | Kind::Gauge => family.series(),
        Kind::Histogram => format!("{}_count", family.name),
    };
    selector(&name, family, matchers)
}

fn selector(name: &str, family: Family, matchers: &str) -> String {
    let narrowed = NARROWING.iter().filter(|label| family.labels.contains(*label));
    let narrowed = narrowed.map(|label| format!("{label}=~\"${label}\""));
    let further = (!matchers.is_empty()).then(|| matchers.to_owned());
    let all: Vec<String> = narrowed.chain(further).collect();
    if all.is_empty() {
        name.to_owned()
    } else {
        format!("{name}{{{}}}", all.join(", "))
    }
}

/// One series for each value of the labels, where several replicas export the same.
pub(super) fn once(labels: &str, family: Family) -> String {
    format!("max by ({labels}) ({})", chosen(family))
}

/// The same with further matchers.
pub(super) fn once_where(labels: &str, family: Family, matchers: &str) -> String {
    format!("max by ({labels}) ({})", chosen_where(family, matchers))
}

/// The sum of the rates of a counter.
pub(super) fn rate(labels: &str, counter: Family) -> String {
    rate_where(labels, counter, "")
}

/// The same with further matchers.
pub(super) fn rate_where(labels: &str, counter: Family, matchers: &str) -> String {
    sum(
        labels,
        &format!("rate({}[{WINDOW}])", chosen_where(counter, matchers)),
    )
}

/// By how much a counter grew in the time that the viewer looks at.
pub(super) fn growth_where(labels: &str, counter: Family, matchers: &str) -> String {
    sum(
        labels,
        &format!("increase({}[{RANGE}])", chosen_where(counter, matchers)),
    )
}

/// Series of pods, each with the resource and workload that its pod belongs to. A pod that seems to belong to two counts
/// for one of them: two series would break the whole panel.
pub(super) fn with_workload(pods: &str) -> String {
    let workloads = once(&format!("{WORKLOAD}, pod"), POD_INFO);
    format!(
        "{pods} * on (namespace, pod) group_left (scaling, workload) topk by (namespace, pod) (1, {workloads})"
    )
}

/// The sum of an expression by labels; of everything where there are none.
pub(super) fn sum(labels: &str, of: &str) -> String {
    if labels.is_empty() {
        format!("sum({of})")
    } else {
        format!("sum by ({labels}) ({of})")
    }
}

/// A quantile of what a histogram counted within a window, of all processes together.
pub(super) fn quantile(quantile: &str, labels: &str, histogram: Family, window: &str) -> String {
    quantile_where(quantile, labels, histogram, window, "")
}

/// The same with further matchers.
pub(super) fn quantile_where(
    quantile: &str,
    labels: &str,
    histogram: Family,
    window: &str,
    matchers: &str,
) -> String {
    let buckets = selector(&format!("{}_bucket", histogram.name), histogram, matchers);
    let by = if labels.is_empty() {
        "le".to_owned()
    } else {
        format!("le, {labels}")
    };
    format!("histogram_quantile({quantile}, sum by ({by}) (rate({buckets}[{window}])))")
}

/// The part of a counter's events that have the matchers. It is absent while there are no events.
pub(super) fn share(labels: &str, counter: Family, matchers: &str) -> String {
    part_of(&rate_where(labels, counter, matchers), &rate(labels, counter))
}

/// The part of those of a counter's events with the matchers `of` that have further ones.
pub(super) fn share_where(labels: &str, counter: Family, of: &str, matchers: &str) -> String {
    let part = rate_where(labels, counter, &format!("{of}, {matchers}"));
    part_of(&part, &rate_where(labels, counter, of))
}

fn part_of(part: &str, whole: &str) -> String {
    format!("({part} or 0 * {whole}) / ({whole} > 0)")
}

/// How many series of `found` there are; 0 only where `of` has any, and absent where nothing is known.
pub(super) fn count_of(found: &str, of: &str) -> String {
    format!("count({found}) or 0 * count({of})")
}
