//! Makes the entry of a metric that is a single number: for the namespace, an object, or the selector of the
//! HPA.

use std::collections::BTreeSet;

use super::{bound, sent_query::Query, subject::Subject, target};
use crate::query::{self, Asked, Count, Gathered};
use vas_api::v1alpha1::{Aggregation, Metric, PrometheusSource, QueueDepthSource};

/// Fills in the source of the metric.
///
/// # Errors
/// If the query fits no source; the text says why.
pub(super) fn convert(
    query: &Query<'_>,
    subject: &Subject,
    metric: &mut Metric,
    comments: &mut Vec<String>,
) -> Result<(), String> {
    let is_bound = match subject {
        // The matcher for the object is one of the request, so a selector must take in the request to read
        // this object.
        Subject::Object { .. } => query.takes_request(),
        _ => query.reach.all_bound(&query.selectors),
    };
    if !is_bound {
        return Err(query.unmarked());
    }
    let mut pinned: BTreeSet<String> = BTreeSet::from([query.reach.label.to_owned()]);
    pinned.extend(query.taken_equal());
    match queue(query, subject, &pinned) {
        Some(source) => metric.queue_depth = Some(Box::new(source)),
        None => metric.prometheus = Some(Box::new(own_query(query, subject, &pinned, comments)?)),
    }
    Ok(())
}

/// The query as a `queueDepth`; `None` if the query is not a gauge.
fn queue(query: &Query<'_>, subject: &Subject, pinned: &BTreeSet<String>) -> Option<QueueDepthSource> {
    let Asked::Gauge {
        series,
        gathered,
        by,
        extra,
    } = query::asked(&query.expr)
    else {
        return None;
    };
    let mut own = query.reach.beyond(&extra);
    if let Subject::Object { label, .. } = subject {
        own.retain(|one| !(one.label == *label && one.is_presence()));
    }
    own.extend(query.taken().iter().cloned());
    // The HPA controller sums the series of an External metric, but a metric of an object must be a single
    // series.
    let sums = matches!(subject, Subject::External) && gathered == Gathered::Sum;
    let by = by?;
    let is_one = sums || by.iter().all(|label| pinned.contains(label));
    let match_labels = query::equalities(&own).ok().filter(|_| is_one)?;
    Some(QueueDepthSource {
        gauge: series,
        match_labels,
        aggregation: Some(match gathered {
            Gathered::Sum => Aggregation::Sum,
            Gathered::Max => Aggregation::Max,
        }),
        target: target::object(query.wanted),
    })
}

/// The query itself as the source.
fn own_query(
    query: &Query<'_>,
    subject: &Subject,
    pinned: &BTreeSet<String>,
    comments: &mut Vec<String>,
) -> Result<PrometheusSource, String> {
    let mut expr = query.expr.clone();
    query::fill(&mut expr, &query.added)?;
    let is_external = matches!(subject, Subject::External);
    match query::count(&expr, pinned) {
        Count::One(_) => {}
        _ if is_external => expr = query::parse(&format!("sum({expr})"), "metricsQuery")?,
        Count::Many => {
            return Err(
                "the query gives more than one series for the object, of which prometheus-adapter takes any; \
                 prometheus.query needs one: sum() them, or name the one that is meant"
                    .to_owned(),
            );
        }
        Count::Unknown => comments.push(
            "the query has to give one series: of several, prometheus-adapter takes any and vas none; put sum() or \
             max() around it if there are several"
                .to_owned(),
        ),
    }
    let (text, advice) = query::render(&expr)?;
    comments.extend(advice);
    if bound::divides(&expr) && !is_external {
        comments.push(bound::DIVISION.to_owned());
    }
    Ok(PrometheusSource {
        query: text,
        target: target::object(query.wanted),
    })
}
