//! The notes on a metric.

use super::*;

fn rate_of(window: u64) -> PrometheusMetric {
    PrometheusMetric {
        series: Series::RequestRate {
            counter: "requests_total".to_owned(),
            match_labels: BTreeMap::new(),
            match_expressions: Vec::new(),
            window: Duration::from_secs(window),
        },
        ..metric(OnMissing::Hold)
    }
}

/// The state after five minutes of polls every 5 s, with pods that are scraped every `interval` milliseconds.
fn scraped_every(interval: u64) -> PollState {
    let (mut state, shape) = (
        PollState::default(),
        shape(Grouping::Pod, Some(Duration::from_secs(60))),
    );
    for second in (0..300).step_by(5) {
        let newest = second * 1000 / interval * interval;
        let sampled = SampleTime {
            at: Timestamp::from_millisecond(i64::try_from(newest).unwrap()).unwrap(),
            age: Duration::from_millis(second * 1000 - newest),
        };
        let point = Point {
            value: Some(1.0),
            sampled: Some(sampled),
            uncovered: None,
        };
        let answer = Answer::of(Duration::from_secs(second), &[("a", "p", point)]);
        state.record(&shape, Ok(answer), NO_PODS);
    }
    state
}

#[test]
fn a_window_shorter_than_twice_the_scrape_interval_is_pointed_out_with_the_fix() {
    let noted = |interval, window| notes(Some(&scraped_every(interval)), "a", &rate_of(window), NOW);
    assert_eq!(
        noted(30_000, 59),
        ["the window 59s is shorter than twice the 30s between its samples; make it at least 2m"]
    );
    assert!(noted(30_000, 60).is_empty());
    assert!(
        noted(30_001, 60).is_empty(),
        "a scrape is never on time to the millisecond"
    );
    assert!(
        noted(1000, 2).is_empty(),
        "polls are further apart than these samples"
    );
}

#[test]
fn a_zero_that_stands_for_no_series_is_noted() {
    let noted = |state: &PollState, on_missing| notes(Some(state), "a", &metric(on_missing), NOW);
    let empty = polled(1, &[]);
    assert_eq!(
        noted(&empty, OnMissing::Zero),
        ["no series, which onMissing: Zero takes for zero"]
    );
    assert!(noted(&empty, OnMissing::Hold).is_empty());
    assert!(noted(&failed(empty), OnMissing::Zero).is_empty());
    assert!(noted(&polled(1, &[("a", "", point(0.0, 1))]), OnMissing::Zero).is_empty());
}

#[test]
fn what_prometheus_remarks_is_noted_and_takes_no_value_away() {
    let mut state = polled(1, &[]);
    let answer = Answer {
        annotations: ["metric might not be a counter".into()].into(),
        ..Answer::of(NOW, &[("a", "", point(5.0, 1))])
    };
    state.record(&shape(Grouping::Namespace, None), Ok(answer), NO_PODS);
    assert_eq!(read(&state, OnMissing::Hold), Ok("5".to_owned()));
    assert_eq!(
        notes(Some(&state), "a", &metric(OnMissing::Hold), NOW),
        ["Prometheus remarks: metric might not be a counter"]
    );
}
