//! What the HPA is told about a metric: a value that is fresh, or why there is none.
//!
//! Missing data is never zero. A value is served while the age of its sample is at most `maxAge`, whether
//! or not Prometheus still answers; NaN, infinities and negative values count as missing. Zero is said only
//! under `onMissing: Zero`, and only on the word of the latest polls: clean, fresh and without any series for as
//! long as `maxAge`.

mod absence;
mod gaps;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

pub use self::{absence::Absence, gaps::Gaps};
use super::{
    model::{PrometheusMetric, Series},
    promql::{Answer, Point, Shape},
    quantity,
};
use crate::api::v1alpha1::OnMissing;

/// What is known of a shape: the latest clean answer, and the failure of the latest poll if it failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PollState {
    /// Kept when later polls fail: it is served until its samples are too old.
    pub answer: Option<Arc<Answer>>,
    /// `None` once a poll is clean.
    pub failure: Option<Failure>,
    /// Gaps in the samples behind a rate.
    pub gaps: Gaps,
    /// Since when there are no series.
    pub absence: Absence,
}

impl PollState {
    /// Takes in the outcome of a poll. A failure keeps the last answer: its age decides how long it is
    /// served. True if what is wrong changed.
    pub fn record(&mut self, shape: &Shape, outcome: Result<Answer, Failure>) -> bool {
        let failure = match outcome {
            Ok(answer) => {
                if let Some(window) = shape.window {
                    let before = self.answer.as_ref().filter(|_| self.failure.is_none());
                    let since_clean = before.map(|before| answer.asked.saturating_sub(before.asked));
                    self.gaps.observe(window, since_clean, &answer);
                }
                self.absence.observe(self.answer.as_deref(), &answer);
                self.answer = Some(Arc::new(answer));
                None
            }
            Err(failure) => {
                self.absence.interrupt();
                Some(failure)
            }
        };
        let changed = self.failure != failure;
        self.failure = failure;
        changed
    }
}

/// Why a poll brought no data, in words for users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Prometheus did not answer, or answered with an error.
    #[error("Prometheus: {0}")]
    Prometheus(Arc<str>),
    /// It answered, but not what the metric asks for.
    #[error("{0}")]
    Unsuitable(Arc<str>),
}

/// A value for the HPA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Decimal quantity.
    pub value: String,
    /// When it was sampled. For a zero that stands for no series, unknown.
    pub sampled: Option<Timestamp>,
}

/// Why there is no value. `Display` is for the HPA and carries ages; [`Missing::cause`] is for conditions
/// and changes only when the cause does.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Missing {
    /// The metric is new.
    #[error("not polled yet")]
    NotPolled,
    /// No poll was ever clean.
    #[error("{0}")]
    Failed(Failure),
    /// There is no series, and the metric does not say that means zero.
    #[error("Prometheus has no series for it{}", suffix(.0.as_ref()))]
    NoSeries(Option<Failure>),
    /// There is no series, which means zero once it has lasted.
    #[error("Prometheus has no series for it; that is zero once it has lasted for maxAge {}", super::duration::format(*.0))]
    NotZeroYet(Duration),
    /// There are samples but no value yet.
    #[error("no value yet: a rate needs two samples within its window{}", suffix(.0.as_ref()))]
    NoValueYet(Option<Failure>),
    /// The window of the rate reaches back into a gap, so the rate is too low.
    #[error("the rate is not whole again after a gap in Prometheus' samples")]
    Gap,
    /// No sample came for most of the window of the rate, so the rate sinks by itself.
    #[error("no sample for most of the rate's window: the last is {}s old{}", .age.as_secs(), suffix(.failure.as_ref()))]
    WindowEmpties {
        /// Age of the newest sample.
        age: Duration,
        /// Why no newer one came, where polls fail.
        failure: Option<Failure>,
    },
    /// NaN, infinite, negative or beyond what the HPA can hold.
    #[error("its value {0} is not usable")]
    Unusable(f64),
    /// The newest sample is older than `maxAge`.
    #[error("last sample {}s old, maxAge {}{}", .age.as_secs(), super::duration::format(*.max_age), suffix(.failure.as_ref()))]
    TooOld {
        /// Age of the newest sample.
        age: Duration,
        /// Limit of the metric.
        max_age: Duration,
        /// Why no newer one came, where polls fail.
        failure: Option<Failure>,
    },
    /// No live pod matches the request.
    #[error("no live pod matches the selector")]
    NoPods,
}

fn suffix(failure: Option<&Failure>) -> String {
    failure.map(|failure| format!("; {failure}")).unwrap_or_default()
}

impl Missing {
    /// The cause without moving numbers.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::TooOld { max_age, failure, .. } => format!(
                "last sample older than maxAge {}{}",
                super::duration::format(*max_age),
                suffix(failure.as_ref())
            ),
            Self::WindowEmpties { failure, .. } => format!(
                "no sample for most of the rate's window{}",
                suffix(failure.as_ref())
            ),
            Self::Unusable(value) if value.is_nan() => "its value is NaN".to_owned(),
            Self::Unusable(_) => "its value is infinite, negative or too large".to_owned(),
            _ => self.to_string(),
        }
    }

    /// The failed poll behind this, if one failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::NoSeries(failure)
            | Self::NoValueYet(failure)
            | Self::WindowEmpties { failure, .. }
            | Self::TooOld { failure, .. } => failure.as_ref(),
            Self::NotPolled | Self::NotZeroYet(_) | Self::Gap | Self::Unusable(_) | Self::NoPods => None,
        }
    }
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
        Some(point) => view.value(point),
        None => view.zero(),
    }
}

/// The numbers of a metric that describes pods: one for each pod of `selected` that has fresh data, all
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
        match points.get(*pod).map(|point| view.value(point)) {
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

impl Missing {
    /// Of two pods' reasons the one with the younger sample.
    fn nearer(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::TooOld { age: first, .. }, Self::TooOld { age: second, .. }) if second < first => other,
            (Self::TooOld { .. }, Self::TooOld { .. }) => self,
            (Self::TooOld { .. }, _) => other,
            _ => self,
        }
    }
}

/// A state that holds an answer, seen for one metric at one time.
struct View<'a> {
    state: &'a PollState,
    answer: &'a Answer,
    namespace: &'a str,
    metric: &'a PrometheusMetric,
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
        Ok(Self {
            state,
            answer,
            namespace,
            metric,
            since_poll: now.saturating_sub(answer.asked),
        })
    }

    fn failure(&self) -> Option<Failure> {
        self.state.failure.clone()
    }

    /// What the absence of all series means.
    fn zero(&self) -> Result<Reading, Missing> {
        let max_age = self.metric.max_age;
        let fresh = self.state.failure.is_none() && self.since_poll <= max_age;
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

    fn value(&self, point: &Point) -> Result<Reading, Missing> {
        let (Some(value), Some(sampled)) = (point.value, point.sampled) else {
            return Err(Missing::NoValueYet(self.failure()));
        };
        let age = sampled.age.saturating_add(self.since_poll);
        if age > self.metric.max_age {
            return Err(Missing::TooOld {
                age,
                max_age: self.metric.max_age,
                failure: self.failure(),
            });
        }
        // As old as it was when the rate was taken: a rate does not sink while it waits here.
        if let Series::RequestRate { window, .. } = &self.metric.series
            && gaps::empties(*window, sampled.age)
        {
            return Err(Missing::WindowEmpties {
                age,
                failure: self.failure(),
            });
        }
        if self.state.gaps.reach(self.namespace, sampled.at) {
            return Err(Missing::Gap);
        }
        let is_of_a_pod = matches!(self.metric.series, Series::RequestRate { .. });
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
