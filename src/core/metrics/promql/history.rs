//! The history of a rate: the time of each pod's newest sample at moments of the past. It is what polls would
//! have seen if there had been any.
//!
//! One query brings it: the query for the times of samples, as a subquery. It is sent when nothing else can
//! show whether the window of a rate is covered by samples: when polling begins, when it continues after a
//! failure, or when another Prometheus answers than before. The step of the subquery is a thirtieth of the
//! window. Samples that are closer together than that leave no part of the window uncovered that matters.
//!
//! An example: the window is 60 s, so the step is 2 s and the range 64 s. For a pod that is scraped every 5
//! s, the answer has about 32 pairs of a moment and the time of the newest sample then: (12:00:10, 12:00:06),
//! (12:00:12, 12:00:11), (12:00:14, 12:00:11) and so on.

use std::{collections::BTreeMap, time::Duration};

use super::{ByName, Labels, Shape};

/// Number of steps in a window.
const STEPS: u32 = 30;
/// A step is never shorter than this, so that a short window has fewer steps.
const SHORTEST_STEP: Duration = Duration::from_millis(250);
/// Greatest number of pods in the namespaces of one query. It keeps the answer small: each pod has about 32
/// numbers.
pub const MAX_PODS: usize = 2000;
/// One series in the answer to a subquery.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Labels of the series.
    pub labels: ByName<Box<str>>,
    /// Pairs of a moment and the value at that moment, both in Unix seconds, in the order of time.
    pub points: Vec<(f64, f64)>,
}

/// The past of one namespace: for each pod, the moments at which it had a sample that was not stale, each
/// with the time of the newest sample then. Both are in milliseconds on Prometheus' clock, in the order of
/// time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(pub BTreeMap<Box<str>, Vec<(i64, i64)>>);

/// The step of the history for a rate with this window: a thirtieth of it, for example 2 s for 60 s.
#[must_use]
pub fn history_step(window: Duration) -> Duration {
    (window / STEPS).max(SHORTEST_STEP)
}

impl Shape {
    /// The query for the history of some namespaces, which begins two steps before the window. `None` where
    /// the shape is no rate.
    #[must_use]
    pub fn history_for<'a>(&self, namespaces: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let window = self.window?;
        let step = history_step(window).as_millis();
        let age = self.queries_for(namespaces).age?;
        Some(format!("{age}[{}ms:{step}ms]", window.as_millis() + 2 * step))
    }
}

impl History {
    /// Sorts the series of an answer into histories by namespace. Series without the labels of namespace and
    /// pod are dropped.
    #[must_use]
    pub fn join(labels: &Labels, tracks: &[Track]) -> BTreeMap<String, Self> {
        let mut histories = BTreeMap::<String, Self>::new();
        for track in tracks {
            let namespace = track.labels.get(labels.namespace.as_str());
            let pod = track.labels.get(labels.pod.as_str());
            let (Some(namespace), Some(pod)) = (namespace, pod) else {
                continue;
            };
            // A pair with a number that is no time is dropped alone; the other moments of the pod still
            // count.
            let points = track
                .points
                .iter()
                .filter_map(|(at, newest)| Some((millis(*at)?, millis(*newest)?)));
            let pods = &mut histories.entry(namespace.to_string()).or_default().0;
            pods.insert(pod.clone(), points.collect());
        }
        histories
    }
}

/// Unix seconds in milliseconds; `None` where the number is no time, such as NaN.
fn millis(seconds: f64) -> Option<i64> {
    let since_epoch = Duration::try_from_secs_f64(seconds).ok()?;
    i64::try_from(since_epoch.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::promql::{Grouping, Matchers},
        spec::model::Series,
    };

    fn labels() -> Labels {
        Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        }
    }

    #[test]
    fn the_history_is_that_of_the_times_over_a_little_more_than_the_window() {
        let shape = Shape {
            server: "default".to_owned(),
            grouping: Grouping::Pod,
            value: String::new(),
            age: Some(String::new()),
            window: Some(Duration::from_mins(1)),
            labels: labels(),
            series: Series::RequestRate {
                counter: "c".to_owned(),
                match_labels: BTreeMap::new(),
                match_expressions: Vec::new(),
                window: Duration::from_mins(1),
            },
        };
        assert_eq!(
            shape.history_for(["a", "b"]).as_deref(),
            Some(r#"max by (namespace, pod) (timestamp({__name__="c",namespace=~"a|b"}))[64000ms:2000ms]"#)
        );
        assert_eq!(
            Shape {
                window: None,
                ..shape
            }
            .history_for(["a"]),
            None
        );
    }

    #[test]
    fn a_history_is_told_apart_by_namespace_and_pod_and_holds_no_times_that_are_none() {
        let track = |labels: &[(&str, &str)], points: &[(f64, f64)]| Track {
            labels: labels
                .iter()
                .map(|(name, value)| (*name, (*value).into()))
                .collect(),
            points: points.to_vec(),
        };
        let tracks = [
            track(
                &[("namespace", "a"), ("pod", "p")],
                &[(10.0, 9.5), (12.0, f64::NAN), (14.0, 1e300)],
            ),
            track(&[("namespace", "a")], &[(10.0, 9.0)]),
        ];
        let history = History(BTreeMap::from([("p".into(), vec![(10_000, 9500)])]));
        assert_eq!(
            History::join(&labels(), &tracks),
            BTreeMap::from([("a".to_owned(), history)])
        );
    }
}
