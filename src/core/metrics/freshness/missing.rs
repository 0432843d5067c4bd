//! The reasons why a metric has no value, with their texts for the HPA and for conditions.

use std::{sync::Arc, time::Duration};

use crate::{
    k8s::duration,
    metrics::promql::{Exporter, Refusal},
};

/// Why a poll brought no data. `Display` is the text that users read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Prometheus did not answer, or answered with an error.
    #[error("Prometheus: {0}")]
    Prometheus(Arc<str>),
    /// Prometheus answered, but its answer does not fit the metric: for example, several series instead of
    /// one.
    #[error("{0}")]
    Unsuitable(Arc<str>),
}

/// Why there is no value. `Display` is the text for the HPA and contains ages. [`Missing::cause`] is the text
/// for conditions and changes only when the cause does.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Missing {
    /// The metric is new: no poll has ended yet.
    #[error("not polled yet")]
    NotPolled,
    /// The query is never sent to Prometheus, because there are too many different queries.
    #[error("{0}")]
    Refused(Refusal),
    /// All polls so far failed.
    #[error("{0}")]
    Failed(Failure),
    /// There is no series, and the metric does not say that no series means zero.
    #[error("Prometheus has no series for it{}", suffix(.0.as_ref()))]
    NoSeries(Option<Failure>),
    /// There is no series. That will mean zero once it has lasted for `maxAge`.
    #[error("Prometheus has no series for it; that is zero once it has lasted for maxAge {}", duration::format(*.0))]
    NotZeroYet(Duration),
    /// There are samples but no value yet.
    #[error("no value yet: a rate needs two samples within its window{}", suffix(.0.as_ref()))]
    NoValueYet(Option<Failure>),
    /// The series are native histograms, or their samples have no time.
    #[error("its series hold histograms or samples without a time; name a series of numbers")]
    Histogram,
    /// The window of the rate begins in a gap of the samples, and less than half of the window is covered.
    #[error("the rate is not whole again after a gap in Prometheus' samples")]
    Gap,
    /// The pod's samples cover less than half of the window.
    #[error("no rate yet: its samples are younger than half of the rate's window")]
    Young,
    /// The time before the first poll is not known, and Prometheus did not answer the question about it.
    #[error(
        "no rate yet: whether Prometheus has a gap in the rate's window is known one window after the first poll"
    )]
    UnknownPast,
    /// No sample came for most of the rate's window, so the rate sinks although load may not have fallen.
    #[error("no sample for most of the rate's window: the last is {}s old{}", .age.as_secs(), suffix(.failure.as_ref()))]
    WindowEmpties {
        /// Age of the newest sample.
        age: Duration,
        /// The failure of the latest poll, if it failed.
        failure: Option<Failure>,
    },
    /// An exporter vanished that should still be there, and the last number that included it is too old.
    #[error(
        "the series of {} vanished; without them the number counts once that has lasted for maxAge {}",
        name(.exporter),
        duration::format(*.max_age)
    )]
    Vanished {
        /// The exporter that vanished; of several, the first by name.
        exporter: Exporter,
        /// `maxAge` of the metric.
        max_age: Duration,
    },
    /// The value is NaN, infinite, negative or beyond what the HPA can hold.
    #[error("its value {0} is not usable")]
    Unusable(f64),
    /// The newest sample is older than `maxAge`.
    #[error("last sample {}s old, maxAge {}{}", .age.as_secs(), duration::format(*.max_age), suffix(.failure.as_ref()))]
    TooOld {
        /// Age of the newest sample.
        age: Duration,
        /// `maxAge` of the metric.
        max_age: Duration,
        /// The failure of the latest poll, if it failed.
        failure: Option<Failure>,
    },
    /// No live pod matches the selector of the request.
    #[error("no live pod matches the selector")]
    NoPods,
}

/// The name of an exporter in messages.
pub(super) fn name(exporter: &Exporter) -> String {
    match exporter {
        Exporter::Pod(pod) => format!("pod {pod}"),
        Exporter::Instance(instance) if instance.is_empty() => {
            "an exporter without pod and instance".to_owned()
        }
        Exporter::Instance(instance) => format!("instance {instance}"),
    }
}

fn suffix(failure: Option<&Failure>) -> String {
    failure.map(|failure| format!("; {failure}")).unwrap_or_default()
}

impl Missing {
    /// The cause, without numbers that change from poll to poll.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::TooOld { max_age, failure, .. } => format!(
                "last sample older than maxAge {}{}",
                duration::format(*max_age),
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

    /// The reason as one word, for labels.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::NotPolled => "not-polled-yet",
            Self::Refused(_) => "too-many-queries",
            Self::Failed(Failure::Prometheus(_)) => "prometheus",
            Self::Failed(Failure::Unsuitable(_)) => "unsuitable",
            Self::NoSeries(_) => "no-series",
            Self::NotZeroYet(_) => "not-zero-yet",
            Self::NoValueYet(_) => "no-value-yet",
            Self::Histogram => "histograms",
            Self::Gap => "gap",
            Self::Young => "young",
            Self::UnknownPast => "unknown-past",
            Self::WindowEmpties { .. } => "window-empties",
            Self::Vanished { .. } => "exporter-vanished",
            Self::Unusable(_) => "unusable",
            Self::TooOld { .. } => "too-old",
            Self::NoPods => "no-pods",
        }
    }

    /// The failure of the latest poll, where it is the reason or adds to it.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::NoSeries(failure)
            | Self::NoValueYet(failure)
            | Self::WindowEmpties { failure, .. }
            | Self::TooOld { failure, .. } => failure.as_ref(),
            Self::NotPolled
            | Self::Refused(_)
            | Self::Histogram
            | Self::NotZeroYet(_)
            | Self::Gap
            | Self::Young
            | Self::UnknownPast
            | Self::Vanished { .. }
            | Self::Unusable(_)
            | Self::NoPods => None,
        }
    }

    /// Chooses between the reasons of two pods: a reason other than [`Missing::TooOld`] wins, and of two such
    /// the one with the younger sample.
    pub(super) fn nearer(self, other: Self) -> Self {
        // Any other reason belongs to a pod with recent samples, which may have a value with the next one.
        match (&self, &other) {
            (Self::TooOld { age: first, .. }, Self::TooOld { age: second, .. }) if second < first => other,
            (Self::TooOld { .. }, Self::TooOld { .. }) => self,
            (Self::TooOld { .. }, _) => other,
            _ => self,
        }
    }
}
