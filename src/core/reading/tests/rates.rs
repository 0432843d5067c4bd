//! Rates over gaps and over windows that empty.

use super::*;

#[test]
fn a_rate_whose_window_reaches_into_a_gap_is_missing_not_low() {
    let mut state = PollState::default();
    let shape = shape(Grouping::Pod, Some(Duration::from_secs(60)));
    let mut sampled_at = |second: i64, value: f64| {
        let sampled = SampleTime {
            at: Timestamp::from_second(second).unwrap(),
            age: Duration::ZERO,
        };
        let point = Point {
            value: Some(value),
            sampled: Some(sampled),
        };
        let answer = Answer::of(NOW, &[("a", "p", point)]);
        state.record(&shape, Ok(answer));
        let readings = pods(Some(&state), "a", &metric(OnMissing::Hold), NOW, &["p"]);
        readings.map(|readings| readings["p"].value.clone())
    };
    assert_eq!(sampled_at(0, 100.0), Ok("100".to_owned()));
    assert_eq!(sampled_at(5, 100.0), Ok("100".to_owned()));
    assert_eq!(sampled_at(51, 9.0), Err(Missing::Gap));
    assert_eq!(sampled_at(80, 60.0), Err(Missing::Gap));
    assert_eq!(sampled_at(111, 100.0), Ok("100".to_owned()));
}

#[test]
fn a_rate_sinks_into_missing_when_scraping_stops_but_not_between_slow_scrapes() {
    let rate = PrometheusMetric {
        series: Series::RequestRate {
            counter: "requests_total".to_owned(),
            match_labels: BTreeMap::new(),
            match_expressions: Vec::new(),
            window: Duration::from_secs(40),
        },
        ..metric(OnMissing::Zero)
    };
    let read = |state: &PollState| {
        pods(Some(state), "a", &rate, NOW, &["p"]).map(|readings| readings["p"].value.clone())
    };
    // Scraped every 20 s, half the window, and one scrape is late.
    assert_eq!(
        read(&polled(0, &[("a", "p", point(5.0, 22))])),
        Ok("5".to_owned())
    );
    assert_eq!(
        read(&polled(0, &[("a", "p", point(5.0, 30))])),
        Ok("5".to_owned())
    );
    let missing = read(&polled(2, &[("a", "p", point(5.0, 31))])).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "no sample for most of the rate's window: the last is 33s old"
    );
    assert_eq!(missing.cause(), "no sample for most of the rate's window");
    // A poll that is long ago does not make the rate sink.
    assert_eq!(
        read(&polled(30, &[("a", "p", point(5.0, 22))])),
        Ok("5".to_owned())
    );
}
