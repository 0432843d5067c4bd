//! Since when Prometheus says, cleanly and without a break, that there are no series.
//!
//! One such answer is not enough for a zero: a Prometheus that started with nothing stored answers cleanly
//! and without series until its first scrape.

use std::{collections::BTreeMap, time::Duration};

use crate::core::promql::Answer;

/// Nobody asks about a longer absence: the greatest `maxAge`.
const LONGEST: Duration = Duration::from_hours(1);

/// What is known of the absence of the series of a shape, by namespace. Times are our monotonic ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Absence {
    /// The first of the clean answers in a row.
    pub(super) clean_since: Option<Duration>,
    /// When the series of a namespace vanished within that row.
    pub(super) vanished: BTreeMap<String, Duration>,
}

impl Absence {
    /// Takes in a clean answer after the one `before`, which may lie before a failure.
    pub fn observe(&mut self, before: Option<&Answer>, answer: &Answer) {
        self.clean_since.get_or_insert(answer.asked);
        for namespace in before.into_iter().flat_map(|before| before.points.keys()) {
            self.vanished.insert(namespace.clone(), answer.asked);
        }
        self.vanished.retain(|namespace, since| {
            !answer.points.contains_key(namespace) && since.saturating_add(LONGEST) > answer.asked
        });
    }

    /// A failed poll: what comes after it counts anew.
    pub fn interrupt(&mut self) {
        *self = Self::default();
    }

    /// Since when a namespace that the latest answer does not hold is absent.
    #[must_use]
    pub fn since(&self, namespace: &str) -> Option<Duration> {
        self.vanished.get(namespace).copied().or(self.clean_since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::promql::Point;

    fn answer(second: u64, namespaces: &[&str]) -> Answer {
        let points = BTreeMap::from([(String::new(), Point::default())]);
        Answer {
            asked: Duration::from_secs(second),
            points: namespaces
                .iter()
                .map(|name| ((*name).to_owned(), points.clone()))
                .collect(),
        }
    }

    fn observed(answers: &[Answer]) -> Absence {
        let mut absence = Absence::default();
        let mut before = None;
        for answer in answers {
            absence.observe(before, answer);
            before = Some(answer);
        }
        absence
    }

    fn since(absence: &Absence, namespace: &str) -> Option<u64> {
        absence.since(namespace).map(|since| since.as_secs())
    }

    #[test]
    fn a_namespace_never_seen_is_absent_since_the_first_clean_answer() {
        let absence = observed(&[answer(5, &["b"]), answer(10, &["b"])]);
        assert_eq!(since(&absence, "a"), Some(5));
        assert_eq!(since(&Absence::default(), "a"), None);
    }

    #[test]
    fn a_namespace_whose_series_vanish_is_absent_since_the_first_answer_without_them() {
        let absence = observed(&[answer(5, &["a", "b"]), answer(10, &["b"]), answer(15, &["b"])]);
        assert_eq!(since(&absence, "a"), Some(10));
    }

    #[test]
    fn series_that_appear_in_between_start_the_absence_again() {
        let absence = observed(&[
            answer(5, &["a"]),
            answer(10, &[]),
            answer(15, &["a"]),
            answer(20, &[]),
        ]);
        assert_eq!(since(&absence, "a"), Some(20));
    }

    #[test]
    fn a_failure_starts_the_absence_again() {
        let mut absence = observed(&[answer(5, &[]), answer(10, &[])]);
        absence.interrupt();
        assert_eq!(since(&absence, "a"), None);
        absence.observe(Some(&answer(10, &[])), &answer(30, &[]));
        assert_eq!(since(&absence, "a"), Some(30));
    }

    #[test]
    fn an_absence_is_not_remembered_for_ever() {
        let absence = observed(&[answer(5, &["a"]), answer(10, &[]), answer(4000, &[])]);
        assert_eq!(absence.vanished.len(), 0);
        assert_eq!(since(&absence, "a"), Some(5), "longer ago, never shorter");
    }
}
