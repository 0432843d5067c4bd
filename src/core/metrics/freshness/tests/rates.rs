//! Rates whose windows are not covered by samples.

use super::*;
use crate::metrics::promql::Uncovered;

#[test]
fn a_rate_whose_window_is_not_covered_is_missing_and_says_why() {
    let read = |uncovered| {
        let point = Point {
            uncovered: Some(uncovered),
            ..point(5.0, 22)
        };
        let state = polled(2, &[("a", "p1", point)]);
        read_pods(&state, OnMissing::Zero).unwrap_err()
    };
    for (uncovered, words) in [
        (
            Uncovered::Gap,
            "the rate is not whole again after a gap in Prometheus' samples",
        ),
        (
            Uncovered::Young,
            "no rate yet: its samples are younger than half of the rate's window",
        ),
        (
            Uncovered::Unknown,
            "no rate yet: whether Prometheus has a gap in the rate's window is known one window after the first poll",
        ),
    ] {
        assert_eq!(read(uncovered).to_string(), words);
        assert_eq!(read(uncovered).cause(), words);
    }
    let missing = read(Uncovered::Empties);
    assert_eq!(
        missing.to_string(),
        "no sample for most of the rate's window: the last is 24s old"
    );
    assert_eq!(missing.cause(), "no sample for most of the rate's window");
}
