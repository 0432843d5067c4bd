//! Notes on a metric for people: what they should know of it whether or not it has a value.

use std::time::Duration;

use super::{PollState, Reading, View, missing::name};
use crate::{
    k8s::duration,
    spec::model::{MetricType, PrometheusMetric, Series},
};

/// A rate is steady when its window is at least this many sample intervals long.
const STEADY: u32 = 4;

/// Notes on a metric, without numbers that change from poll to poll. The parameters are those of
/// [`super::object`].
#[must_use]
pub fn notes(
    state: Option<&PollState>,
    namespace: &str,
    metric: &PrometheusMetric,
    now: Duration,
) -> Vec<String> {
    let Some(state) = state else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    if is_zero(state, namespace, metric, now) {
        notes.push("no series, which onMissing: Zero takes for zero".to_owned());
    }
    if let Some((exporter, are_more)) = state.vanished.without(namespace, metric.max_age, now) {
        let others = if are_more { " and of others" } else { "" };
        notes.push(format!(
            "it counts without the series of {}{others}, which vanished longer ago than maxAge {}",
            name(exporter),
            duration::format(metric.max_age),
        ));
    }
    if let Series::RequestRate { window, .. } = &metric.series
        && let Some(interval) = state.spacing.interval(namespace)
        && *window < interval * 2
    {
        notes.push(format!(
            "the window {} is shorter than twice the {} between its samples; make it at least {}",
            duration::format(*window),
            seconds(interval),
            duration::format(interval * STEADY),
        ));
    }
    notes.extend(
        state
            .annotations
            .iter()
            .map(|annotation| format!("Prometheus remarks: {annotation}")),
    );
    notes
}

/// Whether the metric has a value that stands for the absence of all series.
fn is_zero(state: &PollState, namespace: &str, metric: &PrometheusMetric, now: Duration) -> bool {
    View::new(Some(state), namespace, metric, now).is_ok_and(|view| {
        let absent = view.answer.points.get(namespace).is_none_or(|points| {
            // The number of a namespace is filed under the empty pod name.
            metric.metric_type() != MetricType::Pods && points.get("").is_none()
        });
        absent && matches!(view.zero(), Ok(Reading { .. }))
    })
}

/// The interval as text, with one decimal where it is not a whole number of seconds: `30s`, `2.5s`.
fn seconds(interval: Duration) -> String {
    if interval.subsec_millis() == 0 {
        duration::format(interval)
    } else {
        format!("{:.1}s", interval.as_secs_f64())
    }
}
