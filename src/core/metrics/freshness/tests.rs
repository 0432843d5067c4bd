mod parts;
mod rates;
mod remarkable;
mod simulation;
mod vanished;

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::*;
use crate::{
    metrics::promql::{ByName, Grouping, Labels, Matchers, SampleTime, Shape},
    spec::model::{ObjectTarget, Series},
};

const NOW: Duration = Duration::from_secs(1000);

/// No pod is live.
const NO_PODS: &LivePods<'_> = &|_, _| None;

fn metric(on_missing: OnMissing) -> PrometheusMetric {
    PrometheusMetric {
        series: Series::Query {
            query: "a".to_owned(),
        },
        external: false,
        target: ObjectTarget::Value(Quantity("1".to_owned())),
        on_missing,
        max_age: Duration::from_secs(60),
        server: "default".to_owned(),
    }
}

fn shape(grouping: Grouping, window: Option<Duration>) -> Shape {
    Shape {
        server: "default".to_owned(),
        grouping,
        value: String::new(),
        age: None,
        window,
        labels: Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        series: Series::Query { query: String::new() },
    }
}

fn point(value: f64, age: u64) -> Point {
    Point {
        value: Some(value),
        sampled: Some(SampleTime {
            at: Timestamp::UNIX_EPOCH,
            age: Duration::from_secs(age),
        }),
        uncovered: None,
    }
}

fn polled(seconds_ago: u64, points: &[(&str, &str, Point)]) -> PollState {
    let requested = NOW.saturating_sub(Duration::from_secs(seconds_ago));
    let answer = Answer::of(requested, points);
    PollState {
        answer: Some(Arc::new(answer)),
        absence: Absence {
            clean_since: Some(Duration::ZERO),
            ..Absence::default()
        },
        ..PollState::default()
    }
}

fn failed(state: PollState) -> PollState {
    PollState {
        failure: Some(Failure::Prometheus("connection refused".into())),
        ..state
    }
}

fn read(state: &PollState, on_missing: OnMissing) -> Result<String, Missing> {
    object(Some(state), "a", &metric(on_missing), NOW).map(|reading| reading.value)
}

fn read_pods(state: &PollState, on_missing: OnMissing) -> Result<Vec<(&'static str, String)>, Missing> {
    pods(Some(state), "a", &metric(on_missing), NOW, &["p1", "p2"]).map(|readings| {
        readings
            .into_iter()
            .map(|(pod, reading)| (pod, reading.value))
            .collect()
    })
}

#[test]
fn a_fresh_value_is_served() {
    assert_eq!(
        read(&polled(2, &[("a", "", point(12.5, 5))]), OnMissing::Hold),
        Ok("12500m".to_owned())
    );
}

#[test]
fn the_age_counts_from_the_sample_not_from_the_poll() {
    let state = polled(2, &[("a", "", point(12.0, 59))]);
    assert_eq!(
        read(&state, OnMissing::Hold),
        Err(Missing::TooOld {
            age: Duration::from_secs(61),
            max_age: Duration::from_secs(60),
            failure: None
        })
    );
}

#[test]
fn the_last_value_outlives_prometheus_until_max_age() {
    let state = failed(polled(55, &[("a", "", point(12.0, 5))]));
    assert_eq!(read(&state, OnMissing::Zero), Ok("12".to_owned()));
    let state = failed(polled(56, &[("a", "", point(12.0, 5))]));
    let missing = read(&state, OnMissing::Zero).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "last sample 61s old, maxAge 1m; Prometheus: connection refused"
    );
    assert_eq!(
        missing.cause(),
        "last sample older than maxAge 1m; Prometheus: connection refused"
    );
}

#[test]
fn no_series_is_zero_only_when_asked_for_and_only_after_a_clean_fresh_poll() {
    let clean = polled(1, &[]);
    assert_eq!(read(&clean, OnMissing::Hold), Err(Missing::NoSeries(None)));
    assert_eq!(read(&clean, OnMissing::Zero), Ok("0".to_owned()));
    for state in [
        failed(polled(1, &[])),
        polled(61, &[]),
        failed(PollState::default()),
    ] {
        assert!(read(&state, OnMissing::Zero).is_err(), "{state:?}");
    }
    assert_eq!(
        object(None, "a", &metric(OnMissing::Zero), NOW),
        Err(Missing::NotPolled)
    );
}

#[test]
fn over_age_data_is_never_turned_into_zero() {
    let state = polled(1, &[("a", "", point(12.0, 300))]);
    assert!(matches!(
        read(&state, OnMissing::Zero),
        Err(Missing::TooOld { .. })
    ));
}

#[test]
fn nan_infinite_and_negative_values_are_missing_even_where_no_data_means_zero() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        let state = polled(1, &[("a", "", point(value, 1))]);
        assert!(
            matches!(read(&state, OnMissing::Zero), Err(Missing::Unusable(_))),
            "{value}"
        );
    }
}

#[test]
fn another_namespace_is_not_read() {
    assert_eq!(
        read(&polled(1, &[("b", "", point(12.0, 1))]), OnMissing::Hold),
        Err(Missing::NoSeries(None))
    );
}

#[test]
fn pods_without_data_and_pods_that_are_gone_are_left_out() {
    let state = polled(
        1,
        &[
            ("a", "p1", point(3.0, 1)),
            ("a", "gone", point(9.0, 1)),
            ("a", "other", point(9.0, 1)),
        ],
    );
    assert_eq!(
        read_pods(&state, OnMissing::Hold),
        Ok(vec![("p1", "3".to_owned())])
    );
    assert_eq!(
        read_pods(&state, OnMissing::Zero),
        Ok(vec![("p1", "3".to_owned())])
    );
}

#[test]
fn a_pod_whose_data_is_too_old_is_left_out() {
    let state = polled(1, &[("a", "p1", point(3.0, 1)), ("a", "p2", point(9.0, 100))]);
    assert_eq!(
        read_pods(&state, OnMissing::Zero),
        Ok(vec![("p1", "3".to_owned())])
    );
}

#[test]
fn every_selected_pod_is_zero_only_when_no_pod_of_the_namespace_has_data() {
    let clean = polled(1, &[("b", "p1", point(9.0, 1))]);
    assert_eq!(
        read_pods(&clean, OnMissing::Zero),
        Ok(vec![("p1", "0".to_owned()), ("p2", "0".to_owned())])
    );
    assert_eq!(read_pods(&clean, OnMissing::Hold), Err(Missing::NoSeries(None)));
}

#[test]
fn data_of_a_pod_that_is_gone_or_not_selected_stands_in_the_way_of_zero() {
    // During a rollout the old pods' series outlive them while the new ones have no rate yet.
    let state = polled(1, &[("a", "gone", point(9.0, 1))]);
    assert_eq!(read_pods(&state, OnMissing::Zero), Err(Missing::NoSeries(None)));
}

#[test]
fn no_series_is_zero_only_after_clean_answers_for_as_long_as_max_age() {
    let shape = shape(Grouping::Namespace, None);
    let mut state = PollState::default();
    let mut polled_at = |second: u64, clean: bool| {
        let requested = Duration::from_secs(second);
        let empty = Answer {
            requested,
            ..Answer::default()
        };
        let outcome = if clean {
            Ok(empty)
        } else {
            Err(Failure::Prometheus("connection refused".into()))
        };
        state.record(&shape, outcome, NO_PODS);
        object(Some(&state), "a", &metric(OnMissing::Zero), requested).map(|reading| reading.value)
    };
    let not_yet = Err(Missing::NotZeroYet(Duration::from_secs(60)));
    assert_eq!(polled_at(100, true), not_yet);
    assert_eq!(polled_at(159, true), not_yet);
    assert_eq!(polled_at(160, true), Ok("0".to_owned()));
    assert!(polled_at(165, false).is_err());
    assert_eq!(polled_at(170, true), not_yet);
    assert_eq!(polled_at(230, true), Ok("0".to_owned()));
}

#[test]
fn a_single_sample_is_no_rate_yet_and_not_zero() {
    let first = Point {
        value: None,
        ..point(0.0, 1)
    };
    let state = polled(1, &[("a", "p1", first)]);
    assert_eq!(read_pods(&state, OnMissing::Zero), Err(Missing::NoValueYet(None)));
}

#[test]
fn no_live_pod_is_an_error_not_an_empty_list() {
    let state = polled(1, &[]);
    assert_eq!(
        pods(Some(&state), "a", &metric(OnMissing::Zero), NOW, &[]),
        Err(Missing::NoPods)
    );
}

#[test]
fn of_several_stale_pods_the_youngest_sample_is_named() {
    let state = polled(0, &[("a", "p1", point(3.0, 200)), ("a", "p2", point(9.0, 100))]);
    let missing = read_pods(&state, OnMissing::Hold).unwrap_err();
    assert!(
        missing.to_string().starts_with("last sample 100s old"),
        "{missing}"
    );
}

#[test]
fn values_that_no_client_can_hold_are_refused_and_never_cut_off() {
    let number = |value: f64| read(&polled(0, &[("a", "", point(value, 1))]), OnMissing::Zero);
    assert_eq!(number(9.2e15), Ok("9200000000000000".to_owned()));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5, 9.3e15] {
        let missing = number(value).unwrap_err();
        assert_eq!(missing.to_string(), format!("its value {value} is not usable"));
    }
    // The HPA adds up the values of all pods, so one pod has a lower limit.
    let rate = PrometheusMetric {
        series: Series::RequestRate {
            counter: "requests_total".to_owned(),
            match_labels: BTreeMap::new(),
            match_expressions: Vec::new(),
            window: Duration::from_secs(40),
        },
        ..metric(OnMissing::Hold)
    };
    let of_a_pod = |value: f64| {
        let state = polled(0, &[("a", "p", point(value, 1))]);
        pods(Some(&state), "a", &rate, NOW, &["p"]).map(|readings| readings["p"].value.clone())
    };
    assert_eq!(of_a_pod(9.2e12), Ok("9200000000000".to_owned()));
    assert_eq!(of_a_pod(9.3e12), Err(Missing::Unusable(9.3e12)));
}
