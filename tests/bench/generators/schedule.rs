//! Computes how far arrivals were from their schedule.

use std::time::Duration;

/// Seconds at the beginning of a run that are not judged: connections are made, and generators warm up in
/// different ways.
const WARM_UP: f64 = 1.0;

/// Seconds by which each arrival was later than a constant rate requires, in ascending order. Arrivals are in
/// seconds, from any origin.
///
/// Request `k` is due at `t0 + k / rate`. Nobody outside a generator knows its `t0`, so it is chosen such
/// that no arrival was early: the smallest error is zero. A request that is never sent shifts all later ones,
/// as it should.
pub(crate) fn errors(mut arrivals: Vec<f64>, rate: f64) -> Vec<f64> {
    arrivals.sort_by(f64::total_cmp);
    let first = arrivals.first().copied().unwrap_or(0.0);
    let mut number = 0.0;
    let mut errors = Vec::new();
    for at in arrivals.into_iter().filter(|at| *at >= first + WARM_UP) {
        errors.push(at - number / rate);
        number += 1.0;
    }
    errors.sort_by(f64::total_cmp);
    let zero = errors.first().copied().unwrap_or(0.0);
    for error in &mut errors {
        *error -= zero;
    }
    errors
}

/// Arrivals per second from the first to the last; `None` for fewer than two.
pub(crate) fn rate(arrivals: &[f64]) -> Option<f64> {
    let first = arrivals.iter().copied().min_by(f64::total_cmp)?;
    let last = arrivals.iter().copied().max_by(f64::total_cmp)?;
    let gaps = f64::from(u32::try_from(arrivals.len().checked_sub(1)?).ok()?);
    (last > first).then(|| gaps / (last - first))
}

/// The value that `percent` of the ascending values do not exceed.
pub(crate) fn percentile(ascending: &[f64], percent: usize) -> Option<Duration> {
    let rank = (ascending.len() * percent).div_ceil(100).max(1);
    ascending
        .get(rank - 1)
        .map(|value| Duration::from_secs_f64(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(ascending: &[f64], percent: usize) -> f64 {
        percentile(ascending, percent).unwrap().as_secs_f64() * 1e3
    }

    #[test]
    fn a_schedule_that_is_kept_has_no_error_wherever_it_begins() {
        let arrivals: Vec<f64> = (0..5000).map(|k| 77.0 + f64::from(k) / 1000.0).collect();
        assert!((rate(&arrivals).unwrap() - 1000.0).abs() < 1e-6);
        let errors = errors(arrivals, 1000.0);
        assert_eq!(errors.len(), 4000);
        assert!(millis(&errors, 100) < 1e-6);
    }

    #[test]
    fn late_arrivals_are_as_late_as_they_were() {
        // Every 50th request comes 3 ms late, after the two that follow it.
        let late = |k: u32| if k.is_multiple_of(50) { 0.003 } else { 0.0 };
        let arrivals = (0..5000).map(|k| f64::from(k) / 1000.0 + late(k)).collect();
        let errors = errors(arrivals, 1000.0);
        // Arrivals do not show which request was late, so three in fifty are off by 1 ms.
        assert!(
            (millis(&errors, 99) - 1.0).abs() < 0.01,
            "{}",
            millis(&errors, 99)
        );
        assert!(millis(&errors, 50) <= 1.0 + 1e-6);
    }

    #[test]
    fn a_pause_and_a_wrong_rate_are_errors() {
        let arrivals = (0..4000)
            .map(|k| f64::from(k) / 1000.0)
            .map(|at| if at < 2.0 { at } else { at + 0.5 });
        assert!((millis(&errors(arrivals.collect(), 1000.0), 99) - 500.0).abs() < 1.0);
        let slow = (0..4000).map(|k| f64::from(k) / 990.0).collect();
        assert!(millis(&errors(slow, 1000.0), 99) > 20.0);
    }

    #[test]
    fn nothing_has_no_percentile_and_no_rate() {
        assert_eq!((percentile(&[], 99), rate(&[]), rate(&[1.0])), (None, None, None));
    }
}
