//! Decides what the HPA reads for a metric: a fresh value, or the reason why there is none.
//!
//! Invariant: missing data is never zero. A value is served while its sample is at most `maxAge` old, whether
//! or not Prometheus still answers. NaN, infinities and negative values count as missing. Zero is served only
//! under `onMissing: Zero`, and only after polls that succeeded and found no series for as long as `maxAge`.
//!
//! An example with `maxAge: 60s`: a poll at 12:00:00 brings a sample that is 5 s old, then Prometheus goes
//! away. The value is served until 12:00:55, when its sample is 60 s old. After that the metric is missing
//! and the HPA holds.
//!
//! Each poll goes through [`PollState::record`], which lets five observers look at the answer: [`Coverage`]
//! corrects rates whose window lacks samples, [`Spacing`] measures how far apart samples are, [`Absence`]
//! times how long there have been no series, [`Vanished`] notices exporters that disappear from a sum, and
//! [`Annotations`] collects Prometheus' annotations. A read of the HPA ([`object`], [`pods`]) then looks at that
//! state and changes nothing.

mod absence;
mod annotations;
mod coverage;
mod missing;
mod notes;
mod spacing;
mod state;
mod vanished;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

pub use self::{
    absence::Absence,
    annotations::Annotations,
    coverage::Coverage,
    missing::{Failure, Missing},
    notes::notes,
    spacing::Spacing,
    state::PollState,
    vanished::{LivePods, Vanished},
};
use super::promql::{Answer, Point, Unanswered, Uncovered};
use crate::{
    k8s::quantity,
    spec::model::{MetricType, PrometheusMetric},
};
use vas_api::v1alpha1::OnMissing;

/// A value that the HPA reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The value as a Kubernetes quantity, for example `12500m` for 12.5.
    pub value: String,
    /// Time of the sample on Prometheus' clock; `None` for a zero that stands for the absence of all series.
    pub sampled: Option<Timestamp>,
}

/// The one value of a metric that describes an object in `namespace`. `namespace` is empty for an author's
/// own query, whose answer belongs to one namespace already. `now` is our monotonic time.
///
/// # Errors
/// The reason why there is no usable value.
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

/// The values of a metric that describes pods of `namespace` (empty for an author's own query): one value for
/// each pod of `selected` that has fresh data. Other pods are left out. No zero is served while any pod of
/// the namespace has data, even a pod of another workload or a deleted one: what was scraped once may come
/// back.
///
/// # Errors
/// When no selected pod has a usable value: the reason of the pod that is nearest to having one.
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
    // The whole namespace has no series, so a zero is decided once and is the same for every pod.
    let Some(points) = view.answer.points.get(namespace) else {
        let zero = view.zero()?;
        return Ok(selected.iter().map(|pod| (*pod, zero.clone())).collect());
    };
    // A pod without a point is left out without a reason: the controller treats it as missing. A pod whose
    // point cannot be used gives the reason, if no other pod has a value.
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

/// Age of the newest sample of a metric, whether or not it has a value; `None` where no sample is known. `pods` are
/// those of a metric that describes pods, and `None` for a single number.
pub fn age(
    state: Option<&PollState>,
    namespace: &str,
    metric: &PrometheusMetric,
    now: Duration,
    pods: Option<&[&str]>,
) -> Option<Duration> {
    let view = View::new(state, namespace, metric, now).ok()?;
    let points = view.answer.points.get(namespace)?;
    let of = pods.unwrap_or(&[""]).iter().filter_map(|pod| points.get(pod));
    let ages = of.filter_map(|point| Some(point.sampled?.age.saturating_add(view.since_poll)));
    ages.min()
}

/// The state of a shape as one metric sees it at one moment. It exists only where the state holds an answer
/// that covers the namespace.
struct View<'a> {
    state: &'a PollState,
    answer: &'a Answer,
    unanswered: Option<&'a Unanswered>,
    namespace: &'a str,
    metric: &'a PrometheusMetric,
    now: Duration,
    /// Time since the points of this namespace were requested. It is added to the age that each sample had
    /// then.
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
        // A namespace without an answer of its own keeps its earlier points, which are older than the answer.
        let unanswered = answer.unanswered.get(namespace);
        let requested = match unanswered {
            None => answer.requested,
            Some(unanswered) => unanswered
                .requested
                .ok_or_else(|| Missing::Failed(Failure::Prometheus(unanswered.why.clone())))?,
        };
        Ok(Self {
            state,
            answer,
            unanswered,
            namespace,
            metric,
            now,
            since_poll: now.saturating_sub(requested),
        })
    }

    /// Why the latest poll brought nothing for this namespace, if it failed.
    fn failure(&self) -> Option<Failure> {
        let why = || self.unanswered.map(|unanswered| unanswered.why.clone());
        self.state
            .failure
            .clone()
            .or_else(|| why().map(Failure::Prometheus))
    }

    /// The value of a namespace without series: zero where `onMissing: Zero` applies and the absence has
    /// lasted for `maxAge`, else missing.
    fn zero(&self) -> Result<Reading, Missing> {
        let max_age = self.metric.max_age;
        let fresh = self.failure().is_none() && self.since_poll <= max_age;
        if self.metric.on_missing != OnMissing::Zero || !fresh {
            return Err(Missing::NoSeries(self.failure()));
        }
        match self.state.absence.since(self.namespace) {
            // The length of the absence counts up to the latest answer, not up to now: time without polls
            // proves nothing.
            Some(since) if self.answer.requested.saturating_sub(since) >= max_age => Ok(Reading {
                value: "0".to_owned(),
                sampled: None,
            }),
            _ => Err(Missing::NotZeroYet(max_age)),
        }
    }

    /// The value of a point, or an earlier and greater one while an exporter is missed that should still be
    /// there. So the value never falls because an exporter vanished. [`Vanished`] has an example.
    fn whole(&self, point: &Point) -> Result<Reading, Missing> {
        let reading = self.value(point)?;
        let max_age = self.metric.max_age;
        let vanished = &self.state.vanished;
        let Some(exporter) = vanished.missed(self.namespace, max_age, self.now) else {
            return Ok(reading);
        };
        // Each earlier number must itself be fresh: it is judged like any other value, with its own age.
        let earlier = vanished.earlier_numbers(self.namespace).filter_map(|number| {
            let since = self.now.saturating_sub(number.requested);
            let reading = self.value_after(&number.point, since).ok()?;
            Some((number.point.value?, reading))
        });
        match earlier.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
            Some((value, earlier)) if point.value.is_none_or(|others| others < value) => Ok(earlier),
            Some(_) => Ok(reading),
            None => Err(Missing::Vanished {
                exporter: exporter.clone(),
                max_age,
            }),
        }
    }

    /// The value of a point of the latest answer.
    fn value(&self, point: &Point) -> Result<Reading, Missing> {
        self.value_after(point, self.since_poll)
    }

    /// The value of a point that was requested `since_poll` ago. The order of the checks decides which reason
    /// users read: too old comes before a window that is not covered, and both before an unusable value.
    fn value_after(&self, point: &Point, since_poll: Duration) -> Result<Reading, Missing> {
        // A point with neither value nor time stands for series that hold histograms.
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
        // The HPA adds up the values of all pods in 64 bits, so the value of one pod has a lower limit.
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
