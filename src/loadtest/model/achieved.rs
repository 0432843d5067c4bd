//! The rate that a service achieved: answers that came before the load ended, divided by the time in which
//! answers could come.
//!
//! ```text
//!     begin        first due    first due + lead                                      end of the load     last answer
//!       |-- pause ------|-- lead -----|-- answers come as fast as they ever will ---------|-- not counted ----|
//! ```
//!
//! Answers that come after the load has ended are a queue that the service works off. They do not show which
//! rate the service carries, so they are not counted. A service is also not slower because its first answer
//! takes time: that time, the lead, is taken off the divisor. The lead is the smaller of two medians: the
//! latency of the requests that were due first, and the latency of all answered requests. Under overload
//! later requests wait for earlier ones, so the first median is the smaller one; after a cold start the first
//! requests wait, so the second one is.
//!
//! Example: 100 requests per second are due for 10 s, and the lead is 2 s. 800 answers come before the end.
//! The rate is 800 / (10 s - 2 s) = 100/s, where 800 / 10 s would say 80/s.

use std::time::Duration;

use super::measured::{Measured, Requests, ratio};

/// The time in which answers can come must be at least one tenth of the load. With less, no rate can be
/// computed.
const LEAST_PART: u32 = 10;

/// Requests answered per second while the load went on. `None` where that cannot be computed: nothing was
/// due, or the lead takes more than nine tenths of the load.
///
/// In the closed model users wait for their answers, so no request is due at a fixed moment and there is no
/// lead. The rate is then taken over the whole load.
pub fn rate(requests: &Requests, measured: &Measured) -> Option<f64> {
    let whole = measured
        .elapsed
        .checked_sub(requests.first_due.unwrap_or_default())
        .filter(|whole| !whole.is_zero() && requests.due > 0)?;
    let flowing = whole
        .checked_sub(lead(requests))
        .filter(|flowing| *flowing >= whole / LEAST_PART)?;
    let answered = ratio(requests.answered_in_time, 1) / flowing.as_secs_f64();
    // Cap at the rate that was due: during the load no more can be answered. A higher value comes from the
    // lead being a median and not the lead of each single answer.
    let most = ratio(requests.due, 1) / whole.as_secs_f64();
    Some(answered.min(most))
}

/// Time from the moment at which the first request was due until answers come at their full rate.
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
    use crate::judge::testing::{measured, requests};

    /// The rate of a load of ten seconds at 20/s. `latency` gives the latency in seconds for the second at
    /// which a request was due.
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
            // A cold start of two seconds: all requests that waited for it are answered at its end.
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
