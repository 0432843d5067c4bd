//! What one poll of a shape brought: for each namespace and pod a value, and when it was sampled.
//!
//! Ages are taken on Prometheus' own clock (evaluation time minus sample time), so that a skew between its
//! clock and ours never makes data look fresh or stale.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{ByName, Exporters, Grouping, History, LabelName, Labels, Shape};
use crate::{api::v1alpha1::Aggregation, core::spec::model::Series};

/// One series of an instant answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its labels.
    pub labels: ByName<Box<str>>,
    /// Evaluation time, Unix seconds on Prometheus' clock.
    pub time: f64,
    /// Its value, which may be NaN or infinite.
    pub value: f64,
}

/// An instant answer without warnings. A scalar is one item without labels.
pub type Vector = Vec<Item>;

/// When a value was sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleTime {
    /// On Prometheus' clock.
    pub at: Timestamp,
    /// Its age when Prometheus answered.
    pub age: Duration,
}

/// What is known of one namespace or pod. Neither value nor time means that its series hold histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// The value; `None` when samples exist that give none yet, such as the first of a rate.
    pub value: Option<f64>,
    /// When it was sampled; `None` when the samples vanished between the two queries.
    pub sampled: Option<SampleTime>,
    /// Why a rate cannot be used although it has a value.
    pub uncovered: Option<Uncovered>,
}

/// Why the window of a rate is not known to be covered by samples, or not for half of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncovered {
    /// It begins in a gap.
    Gap,
    /// No sample has come for a while.
    Empties,
    /// The samples of the pod began a short time ago.
    Young,
    /// Nothing is known of the time before the first poll.
    Unknown,
}

/// A clean answer to a shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Our monotonic time just before it was asked for.
    pub asked: Duration,
    /// By namespace, then by pod; the key is empty where the shape does not tell them apart.
    pub points: BTreeMap<String, ByName<Point>>,
    /// The namespaces that were asked for; `None` means all.
    pub scope: Option<BTreeSet<String>>,
    /// Those of them that this answer says nothing of.
    pub unanswered: BTreeMap<String, Unanswered>,
    /// What Prometheus remarked, in its own words.
    pub infos: BTreeSet<Arc<str>>,
    /// How much later than the times the values were evaluated.
    pub values_later: Duration,
    /// What was asked about the past of namespaces, in addition; `None` where it could not be had. Gone once it has
    /// been taken in.
    pub histories: BTreeMap<String, Option<History>>,
    /// Namespaces whose past a later answer tells: there was no time to ask about it.
    pub owed: BTreeSet<String>,
    /// Whose series were made one number, by namespace. Gone once it has been taken in.
    pub exporters: BTreeMap<String, Exporters>,
}

/// Why an answer says nothing of a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    /// In words for users.
    pub why: Arc<str>,
    /// Our monotonic time just before its points, of an earlier answer, were asked for; `None` where there are
    /// none.
    pub asked: Option<Duration>,
}

/// Why an answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// An author's query gave several series.
    #[error(
        "the query returned {0} series instead of one; aggregate it, for example with sum(...) or max(...)"
    )]
    SeveralSeries(usize),
    /// An author's query for pods gave several series of one pod.
    #[error(
        "the query returned several series of pod {0}; aggregate it by ({1}), for example with sum by ({1}) (...)"
    )]
    SeveralSeriesOfPod(String, String),
    /// An author's query for pods gave series that name no pod.
    #[error(
        "the query returned series without the label {0}; aggregate it by that label, for example with sum by ({0}) (...)"
    )]
    WithoutPod(String),
    /// A time that is no time.
    #[error("Prometheus sent {0} as a time")]
    BadTime(String),
}

impl Answer {
    /// Joins the values with the times of their samples.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn join(
        shape: &Shape,
        values: &[Item],
        times: &[Item],
        asked: Duration,
    ) -> Result<Self, AnswerError> {
        Self::join_with_histograms(shape, values, &[], times, asked)
    }

    /// The same, where some series hold histograms instead of numbers: their namespaces and pods have no value, but
    /// are not absent either.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn join_with_histograms(
        shape: &Shape,
        values: &[Item],
        histograms: &[ByName<Box<str>>],
        times: &[Item],
        asked: Duration,
    ) -> Result<Self, AnswerError> {
        if shape.grouping == Grouping::Single && values.len() > 1 {
            return Err(AnswerError::SeveralSeries(values.len()));
        }
        if shape.grouping == Grouping::PodOfOne {
            check_pods(&shape.labels.pod, values)?;
        }
        let mut points = BorrowedPoints::default();
        for item in values {
            if let Some(point) = point(&mut points, shape, &item.labels) {
                point.value = Some(match point.value {
                    Some(others) => together(shape, others, item.value),
                    None => item.value,
                });
                if shape.age.is_none() {
                    point.sampled = Some(SampleTime {
                        at: timestamp(item.time)?,
                        age: Duration::ZERO,
                    });
                }
            }
        }
        for item in times {
            if let Some(point) = point(&mut points, shape, &item.labels) {
                // A time that is none harms its own point alone.
                let age = Duration::try_from_secs_f64((item.time - item.value).max(0.0));
                point.sampled = age
                    .ok()
                    .zip(timestamp(item.value).ok())
                    .map(|(age, at)| SampleTime { at, age });
            }
        }
        for labels in histograms {
            if let Some(point) = point(&mut points, shape, labels) {
                *point = Point::default();
            }
        }
        let evaluated = |items: &[Item]| items.first().map(|item| item.time);
        let later = evaluated(values).zip(evaluated(times));
        let later = later.map(|(values, times)| Duration::try_from_secs_f64((values - times).max(0.0)));
        Ok(Self {
            values_later: later.and_then(Result::ok).unwrap_or_default(),
            exporters: Exporters::by_namespace(
                shape,
                values.iter().map(|item| &item.labels).chain(histograms),
            ),
            ..Self::with(asked, points)
        })
    }

    /// An answer with points by namespace and pod, for tests.
    #[cfg(test)]
    pub(crate) fn of(asked: Duration, points: &[(&str, &str, Point)]) -> Self {
        let mut by_namespace = BorrowedPoints::default();
        for (namespace, pod, point) in points {
            by_namespace.entry(namespace).or_default().insert(pod, *point);
        }
        Self::with(asked, by_namespace)
    }

    fn with(asked: Duration, points: BorrowedPoints<'_>) -> Self {
        let points = points.into_iter();
        Self {
            asked,
            points: points
                .map(|(namespace, pods)| (namespace.to_owned(), pods.into_iter().collect()))
                .collect(),
            ..Self::default()
        }
    }

    /// Whether it says, or was to say, anything of a namespace.
    #[must_use]
    pub fn covers(&self, namespace: &str) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.contains(namespace))
    }

    /// Our monotonic time just before what it says of a namespace was asked for; `None` where that is nothing.
    #[must_use]
    pub fn asked_for(&self, namespace: &str) -> Option<Duration> {
        match self.unanswered.get(namespace) {
            None => Some(self.asked),
            Some(unanswered) => unanswered.asked,
        }
    }

    /// Takes in the answer for other namespaces.
    pub fn absorb(&mut self, part: Self) {
        self.points.extend(part.points);
        self.infos.extend(part.infos);
        self.exporters.extend(part.exporters);
        self.values_later = self.values_later.max(part.values_later);
    }
}

impl Shape {
    /// Drops the series of namespaces that no resource needs, before anything is made of them: an answer for all
    /// namespaces holds those of the whole cluster, whoever asks.
    pub fn keep_needed(&self, series: &mut Vector, needed: &BTreeSet<String>) {
        if self.grouping.is_of_one_namespace() {
            return;
        }
        let namespace = self.labels.namespace.as_str();
        series.retain(|item| {
            let namespace = item.labels.get(namespace);
            namespace.is_some_and(|namespace| needed.contains(&**namespace))
        });
        series.shrink_to_fit();
    }
}

/// Each series of an author's query for pods names another pod.
fn check_pods(label: &LabelName, values: &[Item]) -> Result<(), AnswerError> {
    let mut seen = BTreeSet::new();
    for item in values {
        let pod = item.labels.get(label.as_str());
        let pod = pod.ok_or_else(|| AnswerError::WithoutPod(label.to_string()))?;
        if !seen.insert(pod) {
            return Err(AnswerError::SeveralSeriesOfPod(
                pod.to_string(),
                label.to_string(),
            ));
        }
    }
    Ok(())
}

/// Points while they are joined, by namespace and pod.
type BorrowedPoints<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Point>>;

/// The point a series belongs to; `None` for series without the labels that would tell.
fn point<'a, 'p>(
    points: &'p mut BorrowedPoints<'a>,
    shape: &Shape,
    labels: &'a ByName<Box<str>>,
) -> Option<&'p mut Point> {
    let label = |name: &LabelName| labels.get(name.as_str()).map(|value| &**value);
    let Labels { namespace, pod, .. } = &shape.labels;
    let (namespace, pod) = match shape.grouping {
        Grouping::Pod => (label(namespace)?, label(pod)?),
        Grouping::Namespace => (label(namespace)?, ""),
        Grouping::PodOfOne => ("", label(pod)?),
        Grouping::Single => ("", ""),
    };
    Some(points.entry(namespace).or_default().entry(pod).or_default())
}

/// What two exporters of a gauge say as one number, as Prometheus would make it: NaN is in a sum, and never the greater.
fn together(shape: &Shape, one: f64, other: f64) -> f64 {
    match &shape.series {
        Series::Gauge {
            aggregation: Aggregation::Sum,
            ..
        } => one + other,
        Series::Gauge {
            aggregation: Aggregation::Max,
            ..
        } => one.max(other),
        Series::RequestRate { .. }
        | Series::PodGauge { .. }
        | Series::PodQuery { .. }
        | Series::Query { .. } => other,
    }
}

fn timestamp(seconds: f64) -> Result<Timestamp, AnswerError> {
    let bad = || AnswerError::BadTime(seconds.to_string());
    let since_epoch = Duration::try_from_secs_f64(seconds).map_err(|_| bad())?;
    let millis = i64::try_from(since_epoch.as_millis()).map_err(|_| bad())?;
    Timestamp::from_millisecond(millis).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::metrics::promql::Matchers;

    fn labels() -> Labels {
        Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        }
    }

    fn shape(grouping: Grouping) -> Shape {
        Shape {
            server: "default".to_owned(),
            labels: labels(),
            series: Series::Query { query: String::new() },
            grouping,
            value: "v".to_owned(),
            age: (!grouping.is_of_one_namespace()).then(|| "a".to_owned()),
            window: None,
        }
    }

    fn item(labels: &[(&str, &str)], time: f64, value: f64) -> Item {
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).into()))
            .collect();
        Item { labels, time, value }
    }

    #[test]
    fn a_value_carries_the_age_of_its_sample_on_the_clock_of_prometheus() {
        let pod = [("namespace", "a"), ("pod", "p")];
        let answer = Answer::join(
            &shape(Grouping::Pod),
            &[item(&pod, 1000.5, 7.0)],
            &[item(&pod, 1000.0, 990.0)],
            Duration::from_secs(3),
        )
        .unwrap();
        let point = answer.points["a"].get("p").unwrap();
        assert_eq!(point.value, Some(7.0));
        let sampled = point.sampled.unwrap();
        assert_eq!(sampled.age, Duration::from_secs(10));
        assert_eq!(sampled.at, Timestamp::from_second(990).unwrap());
    }

    #[test]
    fn an_own_query_is_as_old_as_the_poll() {
        let answer = Answer::join(
            &shape(Grouping::Single),
            &[item(&[], 50.0, 1.0)],
            &[],
            Duration::ZERO,
        );
        assert_eq!(
            answer.unwrap().points[""].get("").unwrap().sampled.unwrap().age,
            Duration::ZERO
        );
    }

    #[test]
    fn several_series_of_an_own_query_are_an_error_not_the_first_one() {
        let items = [item(&[("a", "1")], 1.0, 1.0), item(&[("a", "2")], 1.0, 2.0)];
        assert_eq!(
            Answer::join(&shape(Grouping::Single), &items, &[], Duration::ZERO),
            Err(AnswerError::SeveralSeries(2))
        );
    }

    #[test]
    fn an_own_query_for_pods_names_each_pod_once() {
        let join = |items: &[Item]| Answer::join(&shape(Grouping::PodOfOne), items, &[], Duration::ZERO);
        let a = item(&[("pod", "a")], 1.0, 1.0);
        let b = item(&[("pod", "b")], 1.0, 2.0);
        let answer = join(&[a.clone(), b]).unwrap();
        assert_eq!(answer.points[""].get("b").unwrap().value, Some(2.0));
        let again = item(&[("pod", "a"), ("x", "y")], 1.0, 3.0);
        assert!(matches!(
            join(&[a, again]),
            Err(AnswerError::SeveralSeriesOfPod(pod, _)) if pod == "a"
        ));
        assert!(matches!(
            join(&[item(&[], 1.0, 1.0)]),
            Err(AnswerError::WithoutPod(_))
        ));
    }

    #[test]
    fn series_without_the_labels_belong_to_nobody() {
        let answer = Answer::join(
            &shape(Grouping::Pod),
            &[
                item(&[("namespace", "a")], 1.0, 1.0),
                item(&[("pod", "p")], 1.0, 1.0),
            ],
            &[],
            Duration::ZERO,
        );
        assert!(answer.unwrap().points.is_empty());
    }

    #[test]
    fn series_of_namespaces_that_nobody_needs_are_dropped() {
        let namespaces = ["a", "b", "a"].map(|namespace| item(&[("namespace", namespace)], 1.0, 1.0));
        let mut series: Vector = namespaces
            .into_iter()
            .chain([item(&[("pod", "p")], 1.0, 1.0)])
            .collect();
        let needed = BTreeSet::from(["a".to_owned()]);
        shape(Grouping::Namespace).keep_needed(&mut series, &needed);
        assert_eq!((series.len(), series.capacity()), (2, 2));
        let mut own = vec![item(&[], 1.0, 1.0)];
        shape(Grouping::Single).keep_needed(&mut own, &needed);
        assert_eq!(own.len(), 1, "an own query is that of its namespace already");
    }

    #[test]
    fn a_time_that_is_no_time_harms_its_own_point_alone() {
        for value in [f64::NAN, -1.0, f64::INFINITY, 1e300] {
            let values = ["a", "b"].map(|namespace| item(&[("namespace", namespace)], 2.0, 7.0));
            let times = [
                item(&[("namespace", "a")], 2.0, value),
                item(&[("namespace", "b")], 2.0, 1.0),
            ];
            let answer = Answer::join(&shape(Grouping::Namespace), &values, &times, Duration::ZERO).unwrap();
            let sampled = ["a", "b"].map(|namespace| answer.points[namespace].get("").unwrap().sampled);
            assert!(
                sampled[0].is_none() && sampled[1].is_some(),
                "{value}: {sampled:?}"
            );
        }
    }

    #[test]
    fn a_histogram_makes_its_own_pod_unusable_and_no_other() {
        let (one, other) = (
            [("namespace", "a"), ("pod", "p")],
            [("namespace", "a"), ("pod", "q")],
        );
        let answer = Answer::join_with_histograms(
            &shape(Grouping::Pod),
            &[item(&one, 2.0, 7.0)],
            &[item(&other, 2.0, 0.0).labels],
            &[item(&one, 2.0, 1.0), item(&other, 2.0, 1.0)],
            Duration::ZERO,
        )
        .unwrap();
        assert_eq!(answer.points["a"].get("q"), Some(&Point::default()));
        assert_eq!(answer.points["a"].get("p").unwrap().value, Some(7.0));
    }
}
