//! Answers of Prometheus. What holds for every input, whoever sent it: `make fuzz` searches for inputs that break it, and the unit
//! tests of `src/prometheus` check the inputs that fuzzing has kept.

use vas_prometheus::parse_answer;

/// An answer of Prometheus. Half an answer is never taken for a whole one.
pub(super) fn check(input: &[u8]) {
    let Ok(whole) = parse_answer(input) else {
        return;
    };
    let end = input.trim_ascii_end().len();
    for cut in [end / 4, end / 2, end.saturating_sub(1)] {
        let part = parse_answer(&input[..cut]);
        assert!(part.is_err(), "{cut} of {end} bytes were taken for {part:?}");
    }
    for item in &whole.vector {
        assert!(!item.time.is_nan(), "a sample without a time");
    }
}
