//! What the HPA is told about a metric: a value that is fresh, or why there is none.
//!
//! Missing data is never zero. A value is served while the age of its sample is at most `maxAge`, whether
//! or not Prometheus still answers; NaN, infinities and negative values count as missing. Zero is said only
//! under `onMissing: Zero`, and only on the word of the latest polls: clean, fresh and without any series for as
//! long as `maxAge`.

mod absence;
mod coverage;
mod missing;
mod notes;
mod remarks;
mod spacing;
mod state;
mod vanished;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

pub use self::{
    absence::Absence,
    coverage::Coverage,
    missing::{Failure, Missing},
    notes::notes,
    remarks::Remarks,
    spacing::Spacing,
    state::PollState,
    vanished::{LivePods, Vanished},
};
use super::promql::{Answer, Point, Unanswered, Uncovered};
use crate::{
    api::v1alpha1::OnMissing,
    core::{
        k8s::quantity,
        spec::model::{MetricType, PrometheusMetric},
    },
};

/// A value for the HPA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Decimal quantity.
    pub value: String,
    /// When it was sampled. For a zero that stands for no series, unknown.
    pub sampled: Option<Timestamp>,
}

/// The one number of a metric that describes an object in `namespace` (empty for an author's own query,
/// whose answer belongs to one namespace already). `now` is our monotonic time.
///
/// # Errors
/// Why there is no usable value.
pub fn object(
    state: Option<&PollState>,
    namespace: &str,
    metric: &PrometheusMetric,
    now: Duration,
) -> Result<Reading, Missing> {
    let view = View::new(state, namespace, metric, now)?;
    match view
        .answer
        .points
        .get(namespace)
        .and_then(|points| points.get(""))
    {
        Some(point) => view.whole(point),
        None => view.zero(),
    }
}

/// The numbers of a metric that describes pods of `namespace` (empty for an author's own query): one for each pod of `selected` that has fresh data, all
/// others left out. Data of any pod of the namespace, of another workload or gone, stands in the way of a
/// zero: what was scraped once may come back.
///
/// # Errors
/// When no selected pod has a usable value: why the best of them has none.
pub fn pods<'a>(
    state: Option<&PollState>,
    namespace: &str,
    metric: &PrometheusMetric,
    now: Duration,
    selected: &[&'a str],
) -> Result<BTreeMap<&'a str, Reading>, Missing> {
    let view = View::new(state, namespace, metric, now)?;
    if selected.is_empty() {
        return Err(Missing::NoPods);
    }
    let Some(points) = view.answer.points.get(namespace) else {
        let zero = view.zero()?;
        return Ok(selected.iter().map(|pod| (*pod, zero.clone())).collect());
    };
    let mut readings = BTreeMap::new();
    let mut missing: Option<Missing> = None;
    for pod in selected {
        match points.get(pod).map(|point| view.value(point)) {
            Some(Ok(reading)) => {
                readings.insert(*pod, reading);
            }
            Some(Err(error)) => missing = Some(missing.map_or(error.clone(), |first| first.nearer(error))),
            None => {}
        }
    }
    if readings.is_empty() {
        return Err(missing.unwrap_or_else(|| Missing::NoSeries(view.failure())));
    }
    Ok(readings)
}

/// A state that holds an answer, seen for one metric at one time.
struct View<'a> {
    state: &'a PollState,
    answer: &'a Answer,
    unanswered: Option<&'a Unanswered>,
    namespace: &'a str,
    metric: &'a PrometheusMetric,
    now: Duration,
    since_poll: Duration,
}

impl<'a> View<'a> {
    fn new(
        state: Option<&'a PollState>,
        namespace: &'a str,
        metric: &'a PrometheusMetric,
        now: Duration,
    ) -> Result<Self, Missing> {
        let state = state.ok_or(Missing::NotPolled)?;
        let Some(answer) = state.answer.as_deref() else {
            return Err(state.failure.clone().map_or(Missing::NotPolled, Missing::Failed));
        };
        if !answer.covers(namespace) {
            return Err(Missing::NotPolled);
        }
        let unanswered = answer.unanswered.get(namespace);
        let asked = match unanswered {
            None => answer.asked,
            Some(unanswered) => unanswered
                .asked
                .ok_or_else(|| Missing::Failed(Failure::Prometheus(unanswered.why.clone())))?,
        };
        Ok(Self {
            state,
            answer,
            unanswered,
            namespace,
            metric,
            now,
            since_poll: now.saturating_sub(asked),
        })
    }

    fn failure(&self) -> Option<Failure> {
        let why = || self.unanswered.map(|unanswered| unanswered.why.clone());
        self.state
            .failure
            .clone()
            .or_else(|| why().map(Failure::Prometheus))
    }

    /// What the absence of all series means.
    fn zero(&self) -> Result<Reading, Missing> {
        let max_age = self.metric.max_age;
        let fresh = self.failure().is_none() && self.since_poll <= max_age;
        if self.metric.on_missing != OnMissing::Zero || !fresh {
            return Err(Missing::NoSeries(self.failure()));
        }
        match self.state.absence.since(self.namespace) {
            Some(since) if self.answer.asked.saturating_sub(since) >= max_age => Ok(Reading {
                value: "0".to_owned(),
                sampled: None,
            }),
            _ => Err(Missing::NotZeroYet(max_age)),
        }
    }

    /// A number that does not fall because an exporter vanished who should still be there.
    fn whole(&self, point: &Point) -> Result<Reading, Missing> {
        let reading = self.value(point)?;
        let max_age = self.metric.max_age;
        let vanished = &self.state.vanished;
        let Some(exporter) = vanished.missed(self.namespace, max_age, self.now) else {
            return Ok(reading);
        };
        let fuller = vanished.fuller(self.namespace).filter_map(|fuller| {
            let since = self.now.saturating_sub(fuller.asked);
            let reading = self.value_after(&fuller.point, since).ok()?;
            Some((fuller.point.value?, reading))
        });
        match fuller.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
            Some((value, fuller)) if point.value.is_none_or(|others| others < value) => Ok(fuller),
            Some(_) => Ok(reading),
            None => Err(Missing::Vanished {
                exporter: exporter.clone(),
                max_age,
            }),
        }
    }

    fn value(&self, point: &Point) -> Result<Reading, Missing> {
        self.value_after(point, self.since_poll)
    }

    /// The value of a point that was asked for so long ago.
    fn value_after(&self, point: &Point, since_poll: Duration) -> Result<Reading, Missing> {
        if point.value.is_none() && point.sampled.is_none() {
            return Err(Missing::Histogram);
        }
        let (Some(value), Some(sampled)) = (point.value, point.sampled) else {
            return Err(Missing::NoValueYet(self.failure()));
        };
        let age = sampled.age.saturating_add(since_poll);
        if age > self.metric.max_age {
            return Err(Missing::TooOld {
                age,
                max_age: self.metric.max_age,
                failure: self.failure(),
            });
        }
        match point.uncovered {
            None => {}
            Some(Uncovered::Gap) => return Err(Missing::Gap),
            Some(Uncovered::Young) => return Err(Missing::Young),
            Some(Uncovered::Unknown) => return Err(Missing::UnknownPast),
            Some(Uncovered::Empties) => {
                return Err(Missing::WindowEmpties {
                    age,
                    failure: self.failure(),
                });
            }
        }
        let is_of_a_pod = self.metric.metric_type() == MetricType::Pods;
        if is_of_a_pod && value > quantity::MAX_VALUE_PER_POD {
            return Err(Missing::Unusable(value));
        }
        let quantity = quantity::from_measurement(value).ok_or(Missing::Unusable(value))?;
        Ok(Reading {
            value: quantity,
            sampled: Some(sampled.at),
        })
    }
}

#[cfg(test)]
mod tests;
