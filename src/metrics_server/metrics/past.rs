//! A past for answers of tests: without one, a rate over a window that nobody watched is missing.

use vas_core::metrics::promql::{Answer, History, Shape, history_step};

/// Milliseconds between two samples of a pod.
const APART: i64 = 5000;

/// The answer with a past in which every pod had a sample every five seconds.
pub(super) fn with_past(mut answer: Answer, shape: &Shape) -> Answer {
    let Some(window) = shape.window else {
        return answer;
    };
    let step = i64::try_from(history_step(window).as_millis()).unwrap();
    for (namespace, pods) in &answer.points {
        let mut history = History::default();
        for (pod, point) in pods.entries() {
            let Some(sampled) = point.sampled else {
                continue;
            };
            let newest = sampled.at.as_millisecond();
            let now = newest + i64::try_from(sampled.age.as_millis()).unwrap();
            let moments = (0..33).rev().map(|back| now - back * step);
            let points = moments.map(|at| {
                let missing = (newest - at).max(0);
                (at, newest - (missing + APART - 1) / APART * APART)
            });
            history.0.insert(pod.into(), points.collect());
        }
        answer.histories.insert(namespace.clone(), Some(history));
    }
    answer
}
