//! Answers in which some namespaces have no answer of their own.

use std::collections::BTreeSet;

use super::*;
use crate::metrics::promql::Unanswered;

/// A clean answer in which a namespace has no answer of its own.
fn without_answer(requested: Duration, namespace: &str) -> Answer {
    let mut answer = Answer {
        requested,
        ..Answer::default()
    };
    let unanswered = Unanswered {
        why: "too large".into(),
        requested: None,
    };
    answer.unanswered.insert(namespace.to_owned(), unanswered);
    answer
}

#[test]
fn a_namespace_without_an_answer_keeps_its_last_value_until_max_age_and_harms_no_other() {
    let shape = shape(Grouping::Namespace, None);
    let mut state = polled(10, &[("a", "", point(5.0, 5))]);
    for ago in [6, 3] {
        let mut answer = without_answer(NOW.saturating_sub(Duration::from_secs(ago)), "a");
        let other = ByName::from([("", point(7.0, 1))]);
        answer.points.insert("b".to_owned(), other);
        state.record(&shape, Ok(answer), NO_PODS);
    }
    let read = |namespace: &str, later: u64| {
        let now = NOW + Duration::from_secs(later);
        object(Some(&state), namespace, &metric(OnMissing::Zero), now)
            .map(|reading| reading.value)
            .map_err(|missing| missing.to_string())
    };
    assert_eq!(read("a", 45), Ok("5".to_owned()));
    assert_eq!(
        read("a", 46),
        Err("last sample 61s old, maxAge 1m; Prometheus: too large".to_owned())
    );
    assert_eq!(read("b", 0), Ok("7".to_owned()));
}

#[test]
fn a_namespace_that_never_had_an_answer_is_never_zero() {
    let shape = shape(Grouping::Namespace, None);
    let mut state = PollState::default();
    for second in (0..200).step_by(5) {
        state.record(
            &shape,
            Ok(without_answer(Duration::from_secs(second), "a")),
            NO_PODS,
        );
    }
    let now = Duration::from_secs(200);
    let missing = object(Some(&state), "a", &metric(OnMissing::Zero), now).unwrap_err();
    assert_eq!(missing.to_string(), "Prometheus: too large");
    let other = object(Some(&state), "b", &metric(OnMissing::Zero), now);
    assert_eq!(other.map(|reading| reading.value), Ok("0".to_owned()));
}

#[test]
fn a_namespace_that_was_not_asked_for_is_not_polled_yet_and_not_zero() {
    let mut state = polled(1, &[]);
    let scope = Some(BTreeSet::from(["b".to_owned()]));
    let answer = Answer {
        scope,
        requested: NOW,
        ..Answer::default()
    };
    state.record(&shape(Grouping::Namespace, None), Ok(answer), NO_PODS);
    assert_eq!(read(&state, OnMissing::Zero), Err(Missing::NotPolled));
}
