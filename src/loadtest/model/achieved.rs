//! The rate that a service achieved: the answers that came while the load went on, over the time in which they could.
//!
//! ```text
//!     begin        first due    first due + lead                                      end of the load     last answer
//!       |-- pause ------|-- lead -----|-- answers come as fast as they ever will ---------|-- not counted ----|
//! ```
//!
//! What a service still answers after the load is a queue that it works off: it says nothing of the rate it carries.
//! Nor is a service slower because its first answer takes its time: that time, the lead, is not held against it. The lead
//! is the median latency of the requests that were due first, or that of all answered ones where it is shorter: an
//! overload makes later requests wait for earlier ones, a cold start the first ones.

use std::time::Duration;

use super::measured::{Measured, Requests, ratio};

/// Least part of the load in which answers must have come: of less a rate cannot be told.
const TOLD: u32 = 10;

/// Answered requests in a second of the load, as far as the service answered them in time. `None` where that cannot be
/// told: nothing was due, or answers take almost as long as the load lasted.
///
/// Users of the closed model wait for their answers, so that none is due at a moment of its own: theirs is the rate over
/// the whole load.
pub fn rate(requests: &Requests, measured: &Measured) -> Option<f64> {
    let whole = measured
        .elapsed
        .checked_sub(requests.first_due.unwrap_or_default())
        .filter(|whole| !whole.is_zero() && requests.due > 0)?;
    let flowing = whole
        .checked_sub(lead(requests))
        .filter(|flowing| *flowing >= whole / TOLD)?;
    let answered = ratio(requests.answered_in_time, 1) / flowing.as_secs_f64();
    // Within the load no more can be answered than was due: the rest is the chance of single answers.
    let most = ratio(requests.due, 1) / whole.as_secs_f64();
    Some(answered.min(most))
}

/// From the moment at which the first request was due until answers come as fast as they ever will.
fn lead(requests: &Requests) -> Duration {
    let Some(first) = requests.first_latency.quantile(0.5) else {
        return Duration::ZERO;
    };
    let all = requests.answered_latency().quantile(0.5);
    all.map_or(first, |all| first.min(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loadtest::judge::testing::{measured, requests};

    /// A load of ten seconds at 20/s, each request answered after what `latency` says of the moment it was due.
    fn load(latency: impl Fn(f64) -> f64) -> Option<f64> {
        let mut requests = Requests {
            first_due: Some(Duration::ZERO),
            ..Requests::default()
        };
        for number in 0..200_u32 {
            let due = f64::from(number) / 20.0;
            let took = Duration::from_secs_f64(latency(due));
            requests.due += 1;
            requests.answered += 1;
            requests.answered_in_time += u64::from(due + took.as_secs_f64() < 10.0);
            requests.latency.record(took);
            if due < 0.1 {
                requests.first_latency.record(took);
            }
        }
        rate(&requests, &measured(requests.clone()))
    }

    fn reads(expected: f64, rate: Option<f64>) -> bool {
        rate.is_some_and(|rate| (rate / expected - 1.0).abs() < 0.02)
    }

    #[test]
    fn it_is_that_of_the_service_however_long_an_answer_takes() {
        for (expected, rate) in [
            (20.0, load(|_| 0.001)),
            (20.0, load(|_| 0.5)),
            (20.0, load(|_| 3.0)),
            // Every other request takes longer.
            (20.0, load(|due| 0.2 + 0.4 * (due * 10.0).fract())),
            // A queue in front of a service that carries 10/s, or 16/s.
            (10.0, load(|due| 0.1 + due)),
            (16.0, load(|due| 0.1 + 0.25 * due)),
            // All that waited for a cold start is answered at once.
            (20.0, load(|due| (2.0 - due).max(0.05))),
        ] {
            assert!(reads(expected, rate), "{expected}: {rate:?}");
        }
    }

    #[test]
    fn a_load_that_is_over_before_answers_come_tells_no_rate() {
        for took in [9.5, 10.0, 60.0] {
            assert_eq!(load(|_| took), None, "{took}");
        }
        assert_eq!(rate(&Requests::default(), &measured(Requests::default())), None);
        let mut ended_at_once = measured(requests(10, 0));
        ended_at_once.elapsed = Duration::ZERO;
        assert_eq!(rate(&ended_at_once.total, &ended_at_once), None);
        let refused = measured(requests(0, 10));
        assert_eq!(rate(&refused.total, &refused), Some(0.0));
    }

    #[test]
    fn users_who_wait_have_the_rate_of_the_whole_load() {
        let mut requests = Requests {
            due: 30,
            answered: 30,
            answered_in_time: 30,
            ..Requests::default()
        };
        requests.latency.record(Duration::from_secs(3));
        assert_eq!(rate(&requests, &measured(requests.clone())), Some(3.0));
    }
}
