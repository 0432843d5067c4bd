//! A metric of each pod.

use std::time::Duration;

use super::{rule::Query, target};
use crate::{
    api::v1alpha1::{Metric, PodsTarget, RequestRateSource},
    core::{
        duration,
        import::query::{self, Asked},
    },
};

/// Longest window of a rate.
const MAX_WINDOW: Duration = Duration::from_hours(1);

/// Fills in the source; `pod` is the label that names pods.
///
/// # Errors
/// Why there is none.
pub(super) fn convert(
    query: &Query<'_>,
    pod: &str,
    metric: &mut Metric,
    comments: &mut Vec<String>,
) -> Result<(), String> {
    let is_bound = query.reach.all_bound(&query.selectors);
    let is_marked = query.selectors.iter().any(|selector| selector.is_marked);
    if !is_bound && is_marked {
        return Err(query.unmarked());
    }
    metric.request_rate = Some(Box::new(request_rate(query, pod, comments)?));
    if !is_bound {
        comments.push(
            "prometheus-adapter reads every namespace here and takes the pods by name; vas reads the namespace of the \
             resource alone"
                .to_owned(),
        );
    }
    Ok(())
}

fn request_rate(
    query: &Query<'_>,
    pod: &str,
    comments: &mut Vec<String>,
) -> Result<RequestRateSource, String> {
    let Asked::Rate {
        series,
        window,
        by,
        extra,
    } = query::asked(&query.expr)
    else {
        return Err(
            "a metric of each pod has to be sum by (pod) of the rate() of a counter here; for a total of the namespace use \
             queueDepth or prometheus.query, and an Object metric's target"
                .to_owned(),
        );
    };
    match by {
        Some(by) if by.iter().all(|label| label == pod || label == query.reach.label) => {}
        Some(by) => {
            return Err(format!(
                "it sums by ({}), which gives several series for a pod, of which prometheus-adapter takes any",
                by.join(", ")
            ));
        }
        None => comments.push(
            "the query does not sum; if a pod has several series, prometheus-adapter takes any one and vas their sum"
                .to_owned(),
        ),
    }
    if window.subsec_nanos() != 0 || window > MAX_WINDOW {
        return Err("its window has to be whole seconds, at most 1h".to_owned());
    }
    let mut own = query.reach.beyond(&extra);
    own.retain(|one| !(one.label == pod && one.is_presence()));
    own.extend(query.taken().iter().cloned());
    let match_labels = query::equalities(&own).map_err(|one| {
        format!("{one}: matchLabels of a metric by pod takes equality with other labels only")
    })?;
    Ok(RequestRateSource {
        counter: series,
        match_labels,
        match_expressions: None,
        window: Some(duration::format(window)),
        target: PodsTarget {
            average_value: target::average(query.wanted),
        },
    })
}
