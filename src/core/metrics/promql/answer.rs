//! The answer to one poll of a shape: for each namespace and pod a value, and the time of its sample.
//!
//! Ages are measured on Prometheus' own clock (evaluation time minus sample time), so that a skew between its
//! clock and ours never makes data look fresh or stale. An example: Prometheus evaluates at 12:00:30 on its
//! clock and the sample is of 12:00:25, so the sample is 5 s old, even if our clock says 12:03:00.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{ByName, Exporters, History};

/// One series of an instant answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Labels of the series.
    pub labels: ByName<Box<str>>,
    /// Evaluation time, Unix seconds on Prometheus' clock.
    pub time: f64,
    /// Value of the series, which may be NaN or infinite.
    pub value: f64,
}

/// An instant answer without warnings. A scalar is one item without labels.
pub type Vector = Vec<Item>;

/// The time of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleTime {
    /// Time of the sample on Prometheus' clock.
    pub at: Timestamp,
    /// Age of the sample when Prometheus evaluated the query.
    pub age: Duration,
}

/// The value of one namespace or pod, and the time of its sample. A point with neither stands for series that
/// hold histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// The value; `None` while samples exist that give no value yet, such as the first sample of a rate.
    pub value: Option<f64>,
    /// Time of the newest sample; `None` when the samples vanished between the query for values and that for
    /// times.
    pub sampled: Option<SampleTime>,
    /// Why a rate cannot be used although it has a value.
    pub uncovered: Option<Uncovered>,
}

/// Why the window of a rate is covered by samples for less than half, or not known to be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncovered {
    /// The window begins in a gap of the samples.
    Gap,
    /// No sample has come for a while, so the window is running empty.
    Empties,
    /// The samples of the pod began a short time ago.
    Young,
    /// Nothing is known of the time before the first poll.
    Unknown,
}

/// A clean answer to a shape: one without warnings of Prometheus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Our monotonic time just before the answer was requested.
    pub requested: Duration,
    /// The points by namespace, then by pod. A key is empty where the shape has no namespaces or no pods.
    pub points: BTreeMap<String, ByName<Point>>,
    /// The namespaces in the query; `None` means all.
    pub scope: Option<BTreeSet<String>>,
    /// The namespaces of the query of which this answer says nothing.
    pub unanswered: BTreeMap<String, Unanswered>,
    /// Prometheus' annotations on the query, from the field `infos`, in Prometheus' own words.
    pub annotations: BTreeSet<Arc<str>>,
    /// How much later than the query for times the query for values was evaluated.
    pub values_later: Duration,
    /// The histories that were requested with this answer, by namespace; `None` where Prometheus did not give
    /// one. Recording the answer empties this field.
    pub histories: BTreeMap<String, Option<History>>,
    /// Namespaces whose history a later poll requests, because this one had no time for it.
    pub owed: BTreeSet<String>,
    /// The exporters whose series were joined into the number of a namespace. Recording the answer empties
    /// this field.
    pub exporters: BTreeMap<String, Exporters>,
}

/// Greatest number of pods of a namespace that an answer keeps although they are not live.
const NOT_LIVE: usize = 100;

/// Why an answer says nothing of a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    /// The reason, as users read it.
    pub why: Arc<str>,
    /// Our monotonic time just before the earlier points of the namespace were requested; `None` where it has
    /// no earlier points.
    pub requested: Option<Duration>,
}

impl Answer {
    /// Removes the pods that are not live, but for the first `NOT_LIVE` of each namespace.
    ///
    /// A scrape target chooses the labels of its series, so it can invent any number of pods, and each pod
    /// costs memory in each shape. The HPA reads live pods alone. A few other pods are kept for two reasons:
    /// a namespace whose pods are gone still has series, and a pod may be scraped before the watch shows it.
    pub fn keep_live(&mut self, is_live: &dyn Fn(&str, &str) -> bool) {
        for (namespace, points) in &mut self.points {
            if points.count() <= NOT_LIVE {
                continue;
            }
            let mut others = 0;
            points.retain(|pod, _| {
                // A pod that is scraped before the watch shows it is dropped here if a hundred others are not
                // live either. Its trail then begins a poll late, so its first window counts as covered for
                // less than it is: the number comes later, and is too high rather than too low. To call such
                // pods unknown would be worse: a rollout of a hundred pods leaves a hundred that are not
                // live, and the new ones would have no number for a whole window.
                is_live(namespace, pod) || {
                    others += 1;
                    others <= NOT_LIVE
                }
            });
            if let Some(Some(history)) = self.histories.get_mut(namespace) {
                history
                    .0
                    .retain(|pod, _| points.get(pod).is_some() || is_live(namespace, pod));
            }
        }
    }

    /// Whether the namespace was in the query, so that the answer says something of it or should have.
    #[must_use]
    pub fn covers(&self, namespace: &str) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.contains(namespace))
    }

    /// Our monotonic time just before the points of a namespace were requested; `None` where it has none.
    #[must_use]
    pub fn requested_at(&self, namespace: &str) -> Option<Duration> {
        match self.unanswered.get(namespace) {
            None => Some(self.requested),
            Some(unanswered) => unanswered.requested,
        }
    }

    /// Adds the answer for other namespaces.
    pub fn absorb(&mut self, part: Self) {
        self.points.extend(part.points);
        self.annotations.extend(part.annotations);
        self.exporters.extend(part.exporters);
        self.values_later = self.values_later.max(part.values_later);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_pods_that_are_not_live_the_first_hundred_of_each_namespace_are_kept() {
        let pods = |count: usize| (0..count).map(|pod| (format!("p{pod:03}"), Point::default()));
        let past = |count| History(pods(count).map(|(pod, _)| (pod.into(), Vec::new())).collect());
        let mut answer = Answer {
            points: [("large", 500), ("small", 90)]
                .map(|(namespace, count)| (namespace.to_owned(), pods(count).collect()))
                .into(),
            histories: [("large", 500), ("small", 95)]
                .map(|(namespace, count)| (namespace.to_owned(), Some(past(count))))
                .into(),
            ..Answer::default()
        };
        answer.keep_live(&|namespace, pod| namespace == "large" && ["p007", "p400"].contains(&pod));
        let kept = |namespace| answer.points[namespace].count();
        assert_eq!((kept("large"), kept("small")), (102, 90));
        let large = &answer.points["large"];
        assert!(large.get("p400").is_some() && large.get("p100").is_some() && large.get("p101").is_none());
        let histories = answer.histories.values().flatten();
        let known: Vec<usize> = histories.map(|history| history.0.len()).collect();
        assert_eq!(known, [102, 95]);
    }
}
