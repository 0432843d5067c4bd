//! Which metrics of an HPA follow from the load, and what the controller reads of them.
//!
//! A metric's value is as old as a scrape and a poll. A pod has a value once it has been Ready for a scrape
//! interval at that moment; the value is then the mean over the metric's window, or over its life if that is shorter.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    Millis,
    fleet::{Fleet, Group},
    history::History,
    load::Load,
};
use crate::{
    hpa::{Cohort, Hpa, Metric, Phase, Pod, Readiness, Reading, Requests, Sample, Samples, Source},
    schedule::{Bounds, Schedules},
};

/// How a metric follows from the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Requests per second that pods answer: of each pod for a metric with a value per pod, else of all together.
    Rate {
        /// The time over which the rate is a mean.
        window: Millis,
    },
    /// Requests that wait.
    QueueDepth,
    /// Seconds that the oldest waiting request has waited.
    QueueAge,
    /// CPU of each pod, in proportion to the requests that it answers.
    Cpu {
        /// Core-seconds for one request: 0.005 is 5 ms of one core.
        per_request: f64,
        /// The time over which metrics-server takes the mean.
        window: Millis,
    },
}

/// An HPA, and how each of its metrics follows from the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    hpa: Hpa,
    kinds: Vec<Kind>,
    requests: Arc<Requests>,
    calendar: Option<Calendar>,
}

/// Bounds that change by a schedule.
#[derive(Clone, Debug, PartialEq)]
struct Calendar {
    base: Bounds,
    schedules: Schedules,
}

/// None of an HPA's metrics follows from the load, so nothing can be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of its metrics follows from the load")]
pub struct NoModel;

impl Model {
    /// The HPA with those metrics that have a kind, which are in the order of its `metrics`. A metric without a kind
    /// is left out, as if the HPA did not have it. `requests` are those of each pod, which a utilization of CPU is a
    /// percentage of.
    ///
    /// # Errors
    /// When no metric is left.
    pub fn new(mut hpa: Hpa, kinds: Vec<Option<Kind>>, requests: Requests) -> Result<Self, NoModel> {
        let mut wanted = kinds.iter();
        hpa.metrics
            .retain(|metric| wanted.next().is_some_and(|kind| kind.is_some() && metric.is_ok()));
        let kinds: Vec<Kind> = kinds.into_iter().flatten().collect();
        if hpa.metrics.is_empty() || hpa.metrics.len() != kinds.len() {
            return Err(NoModel);
        }
        Ok(Self {
            hpa,
            kinds,
            requests: Arc::new(requests),
            calendar: None,
        })
    }

    /// The same with bounds that a schedule changes; `base` are those while no entry is active.
    #[must_use]
    pub fn scheduled(self, base: Bounds, schedules: Schedules) -> Self {
        let calendar = Some(Calendar { base, schedules });
        Self { calendar, ..self }
    }

    /// The bounds at a moment, and the moment until which they surely stay; `None` without a schedule.
    pub(super) fn bounds(&self, at: Timestamp) -> Option<(Bounds, Option<Timestamp>)> {
        let Calendar { base, schedules } = self.calendar.as_ref()?;
        let walk = schedules.walk(at);
        Some((base.while_active(walk.active()), walk.next_boundary()))
    }

    /// The HPA with the metrics that are left.
    #[must_use]
    pub fn hpa(&self) -> &Hpa {
        &self.hpa
    }

    /// How far back the metrics look.
    pub(super) fn longest_window(&self) -> Millis {
        let windows = self.kinds.iter().map(|kind| match kind {
            Kind::Rate { window } | Kind::Cpu { window, .. } => *window,
            Kind::QueueDepth | Kind::QueueAge => 0,
        });
        windows.max().unwrap_or_default()
    }
}

/// What the controller reads at each sync. Its lists are filled again at each sync and not allocated.
#[derive(Debug, Default)]
pub(super) struct Readings {
    pub(super) cohorts: Vec<Cohort>,
    pub(super) answers: Vec<Option<Reading>>,
    /// The groups that the cohorts are made of.
    groups: Vec<Group>,
}

/// The moments that one reading is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct When<'a> {
    /// The load, whose first value begins at the moment 0.
    pub(super) load: &'a Load,
    /// The moment of the sync.
    pub(super) now: Millis,
    /// How old values are: a scrape and a poll.
    pub(super) age: Millis,
    /// The scrape interval.
    pub(super) scrape: Millis,
}

impl Readings {
    /// Reads pods and metrics at this moment.
    pub(super) fn read(&mut self, model: &Model, fleet: &Fleet<'_>, history: &History, when: When<'_>) {
        self.groups.clear();
        self.groups.extend(fleet.groups());
        self.cohorts.clear();
        let cohorts = self
            .groups
            .iter()
            .map(|group| cohort(group, &model.requests, when));
        self.cohorts.extend(cohorts);
        self.answers.resize(model.kinds.len(), None);
        let metrics = model.hpa.metrics.iter().zip(&model.kinds);
        for ((metric, kind), answer) in metrics.zip(&mut self.answers) {
            if let Ok(metric) = metric {
                fill(answer, metric, *kind, &self.groups, history, when);
            }
        }
    }
}

fn cohort(group: &Group, requests: &Arc<Requests>, when: When<'_>) -> Cohort {
    let ready = group.ready <= when.now;
    let pod = Pod {
        phase: if ready { Phase::Running } else { Phase::Pending },
        deleting: false,
        started: Some(when.load.time(group.created)),
        ready: Some(if ready {
            (Readiness::True, when.load.time(group.ready))
        } else {
            (Readiness::False, when.load.time(group.created))
        }),
        requests: Arc::clone(requests),
    };
    Cohort {
        pod,
        count: usize::try_from(group.count).unwrap_or(usize::MAX),
    }
}

/// Writes the value of one metric in the place of the last one.
fn fill(
    answer: &mut Option<Reading>,
    metric: &Metric,
    kind: Kind,
    groups: &[Group],
    history: &History,
    when: When<'_>,
) {
    let at = when.now - when.age;
    let total = match kind {
        Kind::QueueDepth => history.waiting(at).map(|waiting| waiting.backlog),
        Kind::QueueAge => history.waiting(at).map(|waiting| waiting.wait),
        Kind::Rate { window } if matches!(metric.source, Source::Object | Source::External) => {
            history.rate(at - window, at)
        }
        Kind::Rate { window } => return per_pod(answer, 1.0, window, groups, history, when),
        Kind::Cpu { per_request, window } => {
            return per_pod(answer, per_request, window, groups, history, when);
        }
    };
    *answer = total.map(|total| Reading::Total(milli(total)));
}

/// The values of pods: the rate of each, times a factor.
fn per_pod(
    answer: &mut Option<Reading>,
    factor: f64,
    window: Millis,
    groups: &[Group],
    history: &History,
    when: When<'_>,
) {
    let at = when.now - when.age;
    let mut samples = match answer.take() {
        Some(Reading::PerPod(samples)) => samples,
        Some(Reading::Total(_)) | None => Samples::default(),
    };
    samples.of_cohorts.clear();
    samples.of_cohorts.extend(groups.iter().map(|group| {
        let from = group.ready.max(at - window);
        (at - from >= when.scrape).then_some(())?;
        Some(Sample {
            value: milli(history.rate_of_one(from, at)? * factor),
            at: when.load.time(at),
            window: Duration::from_millis(u64::try_from(at - from).unwrap_or_default()),
        })
    }));
    // Without any value the API has no answer.
    let some = samples.of_cohorts.iter().any(Option::is_some);
    *answer = some.then_some(Reading::PerPod(samples));
}

/// Milli-units, rounded as the metrics server rounds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rates are at most a thousand million"
)]
fn milli(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}
