//! Makes the entry of a metric that has one value per pod: a request rate, a gauge, or a query.

use std::{collections::BTreeSet, time::Duration};

use super::{bound, sent_query::Query, target};
use crate::{
    assemble,
    query::{self, Asked, Count, Extra, Gathered},
};
use vas_api::v1alpha1::{Aggregation, Metric, PodGaugeSource, PodsTarget, RequestRateSource};
use vas_core::k8s::duration;

/// Longest window that `requestRate` accepts.
const MAX_WINDOW: Duration = Duration::from_hours(1);

/// Fills in the source of the metric. `pod` is the label that names pods.
///
/// # Errors
/// If the query fits no source; the text says why.
pub(super) fn convert(
    query: &Query<'_>,
    pod: &str,
    metric: &mut Metric,
    comments: &mut Vec<String>,
) -> Result<(), String> {
    // A query without any marker reads all namespaces, and prometheus-adapter picks the pods by name. Bound
    // to the namespace, it gives the same pods. With a marker in only some selectors, the others would change
    // their meaning.
    let is_bound = query.reach.all_bound(&query.selectors);
    let is_marked = query.selectors.iter().any(|selector| selector.is_marked);
    if !is_bound && is_marked {
        return Err(query.unmarked());
    }
    match query::asked(&query.expr) {
        Asked::Rate {
            series,
            window,
            by,
            extra,
        } if query.is_by_pod(pod, by.as_deref()) => {
            let rate = request_rate(query, series, window, &query.own(pod, &extra));
            if let Some(rate) = rate {
                metric.request_rate = Some(Box::new(rate));
                sums(by.is_none(), comments);
            }
        }
        Asked::Gauge {
            series,
            gathered,
            by,
            extra,
        } if query.is_by_pod(pod, by.as_deref()) => {
            let gauge = pod_gauge(query, series, gathered, &query.own(pod, &extra));
            if let Some(gauge) = gauge {
                metric.pod_gauge = Some(Box::new(gauge));
                sums(by.is_none(), comments);
            }
        }
        Asked::Rate { .. } | Asked::Gauge { .. } | Asked::Other => {}
    }
    if metric.request_rate.is_none() && metric.pod_gauge.is_none() {
        metric.pod_gauge = Some(Box::new(own_query(query, pod, comments)?));
    }
    if !is_bound {
        comments.push(
            "prometheus-adapter reads every namespace here and takes the pods by name; vas reads the namespace of the \
             resource alone"
                .to_owned(),
        );
    }
    Ok(())
}

impl Query<'_> {
    /// Whether the query sums to one series per pod, or does not aggregate at all.
    fn is_by_pod(&self, pod: &str, by: Option<&[String]>) -> bool {
        by.is_none_or(|by| by.iter().all(|label| label == pod || label == self.reach.label))
    }

    /// The matchers that the source must state: without those of the namespace and of the pods, which vas
    /// adds itself, and with those of the request.
    fn own(&self, pod: &str, extra: &[Extra]) -> Vec<Extra> {
        let mut own = self.reach.beyond(extra);
        own.retain(|one| !(one.label == pod && one.is_presence()));
        own.extend(self.taken().iter().cloned());
        own
    }

    fn pods_target(&self) -> PodsTarget {
        PodsTarget {
            average_value: target::average(self.wanted),
        }
    }
}

fn sums(is_sum: bool, comments: &mut Vec<String>) {
    if is_sum {
        comments.push(
            "the query does not sum; if a pod has several series, prometheus-adapter takes any one and vas their sum"
                .to_owned(),
        );
    }
}

/// The rate of a counter; `None` if `requestRate` does not accept its window or its matchers.
fn request_rate(
    query: &Query<'_>,
    counter: String,
    window: Duration,
    own: &[Extra],
) -> Option<RequestRateSource> {
    let (match_labels, match_expressions) = query::conditions(own)?;
    let source = RequestRateSource {
        counter,
        match_labels,
        match_expressions,
        window: Some(duration::format(window)),
        target: query.pods_target(),
    };
    let metric = Metric {
        name: "rate".to_owned(),
        request_rate: Some(Box::new(source.clone())),
        ..Metric::default()
    };
    let is_whole = window.subsec_nanos() == 0 && window <= MAX_WINDOW;
    let fits = is_whole && assemble::broken_metric(metric).is_none();
    fits.then_some(source)
}

fn pod_gauge(query: &Query<'_>, gauge: String, gathered: Gathered, own: &[Extra]) -> Option<PodGaugeSource> {
    let match_labels = query::equalities(own).ok()?;
    Some(PodGaugeSource {
        gauge: Some(gauge),
        match_labels,
        aggregation: Some(match gathered {
            Gathered::Sum => Aggregation::Sum,
            Gathered::Max => Aggregation::Max,
        }),
        query: None,
        target: query.pods_target(),
    })
}

/// The query itself as the source. It must return one series per pod.
fn own_query(query: &Query<'_>, pod: &str, comments: &mut Vec<String>) -> Result<PodGaugeSource, String> {
    let mut expr = query.expr.clone();
    query::fill(&mut expr, query.taken())?;
    let mut each: BTreeSet<String> = BTreeSet::from([pod.to_owned(), query.reach.label.to_owned()]);
    each.extend(query.taken_equal());
    match query::count(&expr, &each) {
        Count::One(_) => {}
        Count::Many => {
            return Err(
                "the query gives several series for a pod, of which prometheus-adapter takes any: sum by (<<.GroupBy>>) \
                 them, or name the one that is meant"
                    .to_owned(),
            );
        }
        Count::Unknown => comments.push(
            "the query has to give one series for each pod: of several, prometheus-adapter takes any and vas none"
                .to_owned(),
        ),
    }
    if bound::divides(&expr) {
        comments.push(bound::DIVISION.to_owned());
    }
    let (text, advice) = query::render(&expr)?;
    comments.extend(advice);
    Ok(PodGaugeSource {
        gauge: None,
        match_labels: None,
        aggregation: None,
        query: Some(text),
        target: query.pods_target(),
    })
}
