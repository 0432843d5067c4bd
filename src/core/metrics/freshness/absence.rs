//! Since when Prometheus says, cleanly and without a break, that there are no series.
//!
//! One such answer is not enough for a zero: a Prometheus that started with nothing stored answers cleanly
//! and without series until its first scrape.

use std::{collections::BTreeMap, time::Duration};

use crate::core::metrics::promql::Answer;

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
    /// Takes in a clean answer after the one `before`, which may lie before a failure. A namespace that was not
    /// asked for, or not answered, is absent only from the next answer on.
    pub fn observe(&mut self, before: Option<&Answer>, answer: &Answer) {
        let asked = answer.asked;
        let all_again = before
            .and_then(|before| before.scope.as_ref())
            .filter(|_| answer.scope.is_none());
        if let (Some(scope), Some(since)) = (all_again, self.clean_since) {
            for namespace in scope {
                self.vanished.entry(namespace.clone()).or_insert(since);
            }
            self.clean_since = Some(asked);
        }
        let since = *self.clean_since.get_or_insert(asked);
        for namespace in before.into_iter().flat_map(|before| before.points.keys()) {
            self.vanished.insert(namespace.clone(), asked);
        }
        for namespace in answer.scope.iter().flatten() {
            if before.is_some_and(|before| !before.covers(namespace)) {
                self.vanished.insert(namespace.clone(), asked);
            }
        }
        for namespace in answer.unanswered.keys() {
            self.vanished.insert(namespace.clone(), asked);
        }
        let long_ago = |since: Duration| since.saturating_add(LONGEST) <= asked;
        self.vanished.retain(|namespace, vanished| {
            let says_more = !long_ago(*vanished) || (*vanished < since && !long_ago(since));
            !answer.points.contains_key(namespace) && answer.covers(namespace) && says_more
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
    use crate::core::metrics::promql::Point;

    fn answer(second: u64, namespaces: &[&str]) -> Answer {
        let points: Vec<_> = namespaces
            .iter()
            .map(|name| (*name, "", Point::default()))
            .collect();
        Answer::of(Duration::from_secs(second), &points)
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

    fn scoped(second: u64, scope: &[&str], namespaces: &[&str]) -> Answer {
        Answer {
            scope: Some(scope.iter().map(|name| (*name).to_owned()).collect()),
            ..answer(second, namespaces)
        }
    }

    #[test]
    fn a_namespace_that_was_not_asked_for_is_absent_from_when_it_is() {
        let absence = observed(&[scoped(5, &["a"], &[]), scoped(10, &["a", "b"], &[])]);
        assert_eq!((since(&absence, "a"), since(&absence, "b")), (Some(5), Some(10)));
        let all_again = observed(&[
            answer(5, &[]),
            scoped(10, &["a"], &[]),
            answer(15, &[]),
            answer(20, &[]),
        ]);
        assert_eq!(
            (since(&all_again, "a"), since(&all_again, "b")),
            (Some(5), Some(15))
        );
    }

    #[test]
    fn a_namespace_without_an_answer_is_not_absent() {
        let mut large = answer(10, &["b"]);
        let unanswered = crate::core::metrics::promql::Unanswered {
            why: "too large".into(),
            asked: None,
        };
        large.unanswered.insert("a".to_owned(), unanswered);
        let absence = observed(&[answer(5, &["b"]), large, answer(15, &["b"])]);
        assert_eq!(since(&absence, "a"), Some(10));
    }
}
