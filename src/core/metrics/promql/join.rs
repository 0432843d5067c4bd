//! Joins the values of a shape's answer with the times of their samples: series become points of namespaces and
//! pods.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::{Answer, ByName, Exporters, Grouping, Item, LabelName, Labels, Point, SampleTime, Shape, Vector};
use crate::spec::model::Series;
use vas_api::v1alpha1::Aggregation;

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
    /// Prometheus sent a number that is no time.
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
        requested: Duration,
    ) -> Result<Self, AnswerError> {
        Self::join_with_histograms(shape, values, &[], times, requested)
    }

    /// Like [`Answer::join`], where some series hold histograms instead of numbers: their namespaces and pods
    /// have no value, but they are not absent either.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn join_with_histograms(
        shape: &Shape,
        values: &[Item],
        histograms: &[ByName<Box<str>>],
        times: &[Item],
        requested: Duration,
    ) -> Result<Self, AnswerError> {
        if shape.grouping == Grouping::Single && values.len() > 1 {
            return Err(AnswerError::SeveralSeries(values.len()));
        }
        if shape.grouping == Grouping::PodOfOne {
            check_pods(&shape.labels.pod, values)?;
        }
        // Values come first. Several series of one point, such as those of two exporters, become one number.
        let mut points = BorrowedPoints::default();
        for item in values {
            if let Some(point) = point(&mut points, shape, &item.labels) {
                point.value = Some(match point.value {
                    Some(others) => together(shape, others, item.value),
                    None => item.value,
                });
                // An author's own query has no sample times, so its value is as old as the poll.
                if shape.age.is_none() {
                    point.sampled = Some(SampleTime {
                        at: timestamp(item.time)?,
                        age: Duration::ZERO,
                    });
                }
            }
        }
        // Then the times. A series that has a time and no value (the first sample of a rate) makes a point
        // too, so that its namespace does not count as absent.
        for item in times {
            if let Some(point) = point(&mut points, shape, &item.labels) {
                // The value of `timestamp(...)` is the sample's time, so evaluation time minus value is its
                // age. A value that is no time harms its own point alone, not the whole answer.
                let age = Duration::try_from_secs_f64((item.time - item.value).max(0.0));
                point.sampled = age
                    .ok()
                    .zip(timestamp(item.value).ok())
                    .map(|(age, at)| SampleTime { at, age });
            }
        }
        // Histograms come last: a point that has numbers and histograms is not usable, so its value is taken
        // away.
        for labels in histograms {
            if let Some(point) = point(&mut points, shape, labels) {
                *point = Point::default();
            }
        }
        // Prometheus evaluates all series of an answer at one time, so the first one tells it.
        let evaluated = |items: &[Item]| items.first().map(|item| item.time);
        let later = evaluated(values).zip(evaluated(times));
        let later = later.map(|(values, times)| Duration::try_from_secs_f64((values - times).max(0.0)));
        Ok(Self {
            values_later: later.and_then(Result::ok).unwrap_or_default(),
            exporters: Exporters::by_namespace(
                shape,
                values.iter().map(|item| &item.labels).chain(histograms),
            ),
            ..Self::with(requested, points)
        })
    }

    /// An answer with points by namespace and pod, for tests.
    #[cfg(test)]
    pub(crate) fn of(requested: Duration, points: &[(&str, &str, Point)]) -> Self {
        let mut by_namespace = BorrowedPoints::default();
        for (namespace, pod, point) in points {
            by_namespace.entry(namespace).or_default().insert(pod, *point);
        }
        Self::with(requested, by_namespace)
    }

    fn with(requested: Duration, points: BorrowedPoints<'_>) -> Self {
        let points = points.into_iter();
        Self {
            requested,
            points: points
                .map(|(namespace, pods)| (namespace.to_owned(), pods.into_iter().collect()))
                .collect(),
            ..Self::default()
        }
    }
}

impl Shape {
    /// Drops the series of namespaces that no resource needs, before more memory is spent on them: an answer
    /// for all namespaces has the series of the whole cluster.
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

/// Checks that each series of an author's query for pods names another pod.
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

/// Points by namespace and pod while they are joined, with names borrowed from the series.
type BorrowedPoints<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Point>>;

/// The point that a series belongs to; `None` for a series without the labels of namespace or pod.
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

/// Joins the values of two exporters of a gauge into one number, as Prometheus does: a sum with NaN is NaN,
/// and a maximum ignores NaN.
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
    use crate::metrics::promql::Matchers;

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
