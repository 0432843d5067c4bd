//! The annotations of Prometheus on a query, from the field `infos` of its answers. Such an annotation does
//! not make the answer incomplete: for example, "metric might not be a counter".
//!
//! An annotation is kept for 15 minutes after Prometheus last sent it. It may come and go with the series of
//! the moment, but the condition that shows it must not.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::metrics::promql::Answer;

/// How long an annotation is kept after Prometheus last sent it.
const STAYS: Duration = Duration::from_mins(15);
/// Greatest number of annotations that are kept of one shape.
const KEPT: usize = 3;

/// The annotations on a shape. The value is our monotonic time of the latest answer that had the annotation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations(BTreeMap<Arc<str>, Duration>);

impl Annotations {
    /// Records the annotations of a clean answer.
    pub fn observe(&mut self, answer: &Answer) {
        self.0
            .retain(|_, made| answer.requested.saturating_sub(*made) < STAYS);
        for annotation in &answer.annotations {
            if self.0.len() < KEPT || self.0.contains_key(annotation) {
                self.0.insert(annotation.clone(), answer.requested);
            }
        }
    }

    /// The annotations in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(second: u64, texts: &[&str]) -> Answer {
        Answer {
            requested: Duration::from_secs(second),
            annotations: texts.iter().map(|text| (*text).into()).collect(),
            ..Answer::default()
        }
    }

    fn annotations(answers: &[Answer]) -> Vec<String> {
        let mut annotations = Annotations::default();
        for answer in answers {
            annotations.observe(answer);
        }
        annotations.iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_remark_that_comes_and_goes_stays() {
        assert_eq!(
            annotations(&[answer(0, &["b", "a"]), answer(899, &[])]),
            ["a", "b"]
        );
        assert_eq!(
            annotations(&[answer(0, &["a"]), answer(600, &["a"]), answer(1499, &[])]),
            ["a"]
        );
    }

    #[test]
    fn a_remark_that_is_not_made_any_more_is_forgotten() {
        assert!(annotations(&[answer(0, &["a"]), answer(900, &[])]).is_empty());
    }

    #[test]
    fn remarks_are_few_however_many_are_made() {
        let many: Vec<Answer> = (0..100).map(|n| answer(n, &[&n.to_string()])).collect();
        assert_eq!(annotations(&many), ["0", "1", "2"]);
    }
}
