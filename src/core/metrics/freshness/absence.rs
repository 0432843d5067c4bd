//! Since when Prometheus has said, in one clean answer after the other, that a namespace has no series.
//!
//! One such answer is not enough for a zero: a Prometheus that starts with empty storage answers cleanly and
//! without series until its first scrape.
//!
//! Two facts are enough for any number of namespaces. `clean_since` is the time of the first clean answer of
//! the present row; a failed poll ends the row. A namespace that never had series in this row is absent since
//! then. Only a namespace that is absent since another time has an entry of its own in `vanished`.
//!
//! An example: clean answers come at 5, 10 and 15 s. Namespace `a` has series in the first one only, and `b`
//! in none of them. Then `a` is absent since 10 s (its entry) and `b` since 5 s (`clean_since`).

use std::{collections::BTreeMap, time::Duration};

use crate::metrics::promql::Answer;

/// The greatest `maxAge`: all longer absences count alike.
const LONGEST: Duration = Duration::from_hours(1);

/// How long the series of a shape have been absent, by namespace. Times are our monotonic ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Absence {
    /// Time of the first clean answer of the present row; `None` after a failed poll.
    pub(super) clean_since: Option<Duration>,
    /// Namespaces whose absence began at another time than `clean_since`, with that time.
    pub(super) vanished: BTreeMap<String, Duration>,
}

impl Absence {
    /// Records a clean answer after the one `before`, which may lie before a failure. The absence of a
    /// namespace that was not in the query before, or has no answer of its own now, begins with this answer.
    pub fn observe(&mut self, before: Option<&Answer>, answer: &Answer) {
        let requested = answer.requested;
        // The query was for some namespaces and is for all again. Those keep the beginning of their absence,
        // now as an entry. Nobody asked about the others, so `clean_since`, which stands for them, begins
        // again.
        let all_again = before
            .and_then(|before| before.scope.as_ref())
            .filter(|_| answer.scope.is_none());
        if let (Some(scope), Some(since)) = (all_again, self.clean_since) {
            for namespace in scope {
                self.vanished.entry(namespace.clone()).or_insert(since);
            }
            self.clean_since = Some(requested);
        }
        let since = *self.clean_since.get_or_insert(requested);
        // Each of the next three loops begins an absence with this answer, also for namespaces that do have
        // series: their entries are removed below. First, a namespace that had series in the answer before.
        for namespace in before.into_iter().flat_map(|before| before.points.keys()) {
            self.vanished.insert(namespace.clone(), requested);
        }
        // Second, a namespace that is in the query for the first time.
        for namespace in answer.scope.iter().flatten() {
            if before.is_some_and(|before| !before.covers(namespace)) {
                self.vanished.insert(namespace.clone(), requested);
            }
        }
        // Third, a namespace of which the answer before said nothing, or this one says nothing: nobody knows
        // whether it had series then.
        let unanswered = before.into_iter().chain([answer]);
        for namespace in unanswered.flat_map(|answer| answer.unanswered.keys()) {
            self.vanished.insert(namespace.clone(), requested);
        }
        // What remains are namespaces of the query that have no series, where the entry says more than
        // `clean_since`. An entry of more than an hour ago says no more, because all longer absences count
        // alike. The exception is a `clean_since` that is later than the entry and within the hour: it would
        // make the absence shorter.
        let long_ago = |since: Duration| since.saturating_add(LONGEST) <= requested;
        self.vanished.retain(|namespace, vanished| {
            let says_more = !long_ago(*vanished) || (*vanished < since && !long_ago(since));
            !answer.points.contains_key(namespace) && answer.covers(namespace) && says_more
        });
    }

    /// Records a failed poll: every absence begins again with the next clean answer.
    pub fn interrupt(&mut self) {
        *self = Self::default();
    }

    /// Since when a namespace is absent. The caller knows that the latest answer has no series of it.
    #[must_use]
    pub fn since(&self, namespace: &str) -> Option<Duration> {
        self.vanished.get(namespace).copied().or(self.clean_since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::promql::Point;

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
        let unanswered = crate::metrics::promql::Unanswered {
            why: "too large".into(),
            requested: None,
        };
        large.unanswered.insert("a".to_owned(), unanswered);
        let absence = observed(&[answer(5, &["b"]), large, answer(15, &["b"]), answer(20, &["b"])]);
        assert_eq!(since(&absence, "a"), Some(15), "the first answer that says so");
    }
}
