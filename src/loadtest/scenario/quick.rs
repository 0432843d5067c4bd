//! The scenario of a run without a file: one request, again and again.

use std::{collections::BTreeMap, time::Duration};

use super::{
    duration,
    inputs::Inputs,
    model::{Abort, Action, Journey, Load, Request, Scenario, Statuses, Step, Think, Threshold},
    part::Part,
    payload::Payload,
    rate::Profile,
    template::Template,
};

/// Longest wait for one answer unless an option says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// When a run is given up unless its scenario says otherwise: more than 90 % of the requests fail for ten
/// seconds.
pub(super) const ABORT: Abort = Abort {
    errors: 0.9,
    over: Duration::from_secs(10),
};

/// How much load a quick scenario brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// Requests per second.
    Rate(f64),
    /// Users, each of whom sends the next request after an answer and a pause.
    Users(f64, Think),
}

/// How long a quick run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// This long at the level of the load.
    Time(Duration),
    /// This many requests, the ramp included. Users stop after `limit` at the latest.
    Requests {
        /// Number of requests.
        count: u64,
        /// Longest time at the level of the load; of no use at a rate, which says how long the requests take.
        limit: Duration,
    },
}

/// Why a quick run cannot be planned.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum QuickError {
    /// The ramp alone sends so many requests.
    #[error("--requests {count}: a ramp of {} to {rate}/s sends more; shorten --ramp, or give more --requests", duration::format(*.ramp))]
    Ramp {
        /// Number of requests.
        count: u64,
        /// Rate after the ramp, per second.
        rate: f64,
        /// Length of the ramp.
        ramp: Duration,
    },
    /// The requests take no time that can be measured, or more than a year.
    #[error(
        "--requests {count} at {rate}/s would take less than 1us or more than a year; choose another --rate"
    )]
    Length {
        /// Number of requests.
        count: u64,
        /// Rate, per second.
        rate: f64,
    },
}

/// A run without a file: one request, again and again.
#[derive(Clone, Debug)]
pub struct Quick {
    /// How much load.
    pub level: Level,
    /// Time in which the load rises from 0 to its level; zero to begin with the level.
    pub ramp: Duration,
    /// How long requests are sent at the level.
    pub length: Length,
    /// HTTP method, in upper case.
    pub method: String,
    /// Body, sent as it is.
    pub body: Option<String>,
    /// Statuses that count as answered; empty for 200 to 399.
    pub expect: Vec<u16>,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// What must hold for the run to pass.
    pub thresholds: Vec<Threshold>,
}

impl Quick {
    /// `GET`, without a ramp.
    pub fn new(level: Level, duration: Duration, thresholds: Vec<Threshold>) -> Self {
        Self {
            level,
            ramp: Duration::ZERO,
            length: Length::Time(duration),
            method: "GET".to_owned(),
            body: None,
            expect: Vec::new(),
            timeout: TIMEOUT,
            thresholds,
        }
    }

    /// The scenario: requests of the path and query in the target's URL where that has some (`has_path`), of
    /// `/` otherwise.
    ///
    /// # Errors
    /// When the number of requests fits neither the rate nor the ramp.
    pub fn scenario(self, has_path: bool) -> Result<Scenario, QuickError> {
        let (duration, iterations) = match (self.level, self.length) {
            (_, Length::Time(duration)) => (duration, None),
            (Level::Rate(rate), Length::Requests { count, .. }) => (time_of(count, rate, self.ramp)?, None),
            (Level::Users(..), Length::Requests { count, limit }) => (limit, Some(count)),
        };
        Ok(self.lasting(duration, iterations, has_path))
    }

    fn lasting(self, duration: Duration, iterations: Option<u64>, has_path: bool) -> Scenario {
        let (level, think) = match self.level {
            Level::Rate(rate) => (rate, Think::default()),
            Level::Users(users, think) => (users, think),
        };
        let mut profile = Profile::default();
        profile.line(0.0, level, self.ramp);
        profile.line(level, level, duration);
        let load = match self.level {
            Level::Rate(_) => Load::Open(profile),
            Level::Users(..) => Load::Closed(profile),
        };
        let request = Request {
            method: self.method.clone(),
            path: Template::text(if has_path { "" } else { "/" }),
            headers: Vec::new(),
            body: self.body.map(|body| vec![Payload::Binary(body.into_bytes())]),
            expect: Statuses::of(self.expect),
            extract: BTreeMap::new(),
            checks: Vec::new(),
            follow: None,
        };
        Scenario {
            name: "quick".to_owned(),
            description: "one request, again and again".to_owned(),
            load,
            iterations,
            setup: None,
            teardown: None,
            hosts: BTreeMap::new(),
            journeys: vec![Journey {
                name: "request".to_owned(),
                weight: 1,
                think,
                cookies: false,
                headers: Vec::new(),
                steps: vec![Step {
                    name: self.method,
                    once: false,
                    weight: None,
                    batch: None,
                    host: None,
                    action: Action::Request(request),
                    think: None,
                }],
            }],
            thresholds: self.thresholds,
            timeout: self.timeout,
            abort: Some(ABORT),
            inputs: Inputs::default(),
            part: Part::default(),
        }
    }
}

/// One `GET` of the target, again and again; see [`Quick::scenario`].
pub fn scenario(level: Level, duration: Duration, has_path: bool, thresholds: Vec<Threshold>) -> Scenario {
    Quick::new(level, duration, thresholds).lasting(duration, None, has_path)
}

/// The time in which this many requests become due at the rate, after the ramp. Example: 100 requests at 10/s
/// take 10 s; after a ramp of 4 s, which sends 20, they take another 8 s.
fn time_of(count: u64, rate: f64, ramp: Duration) -> Result<Duration, QuickError> {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let all = count as f64;
    let left = all - rate * ramp.as_secs_f64() / 2.0;
    if left <= 0.0 {
        return Err(QuickError::Ramp { count, rate, ramp });
    }
    let refused = QuickError::Length { count, rate };
    let seconds = left / rate;
    if seconds > duration::LONGEST {
        return Err(refused);
    }
    let step = Duration::from_micros(1);
    let mut time = Duration::try_from_secs_f64(seconds).map_err(|_| refused)?;
    // Rounding must not make one request more due. The last one is due long before the end.
    while !time.is_zero() && rate * time.as_secs_f64() > left {
        time = time.saturating_sub(step);
    }
    if time < step { Err(refused) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_requests_at_a_rate_is_a_time() {
        for (count, rate, ramp) in [
            (100, 10.0, 0),
            (100, 10.0, 4),
            (3, 0.1, 0),
            (10, 3.0, 0),
            (1, 0.3, 0),
            (7919, 97.3, 5),
        ] {
            let quick = Quick {
                ramp: Duration::from_secs(ramp),
                length: Length::Requests {
                    count,
                    limit: Duration::ZERO,
                },
                ..Quick::new(Level::Rate(rate), Duration::ZERO, Vec::new())
            };
            let scenario = quick.scenario(false).unwrap();
            let moments = scenario.load.profile().moments(0, 1).count();
            assert_eq!(u64::try_from(moments).unwrap(), count, "{rate} {ramp}");
        }
        let time = |count, rate, ramp| time_of(count, rate, Duration::from_secs(ramp));
        assert_eq!(time(100, 10.0, 4), Ok(Duration::from_secs(8)));
        assert!(time(10, 10.0, 4).unwrap_err().to_string().contains("--ramp"));
        assert!(time(1, 1e-300, 0).is_err() && time(1, 1e300, 0).is_err());
    }

    #[test]
    fn a_ramp_comes_before_the_level_and_users_end_with_their_requests() {
        let quick = Quick {
            ramp: Duration::from_secs(10),
            length: Length::Requests {
                count: 7,
                limit: Duration::from_secs(600),
            },
            ..Quick::new(Level::Users(4.0, Think::default()), Duration::ZERO, Vec::new())
        };
        let scenario = quick.scenario(true).unwrap();
        let profile = scenario.load.profile();
        assert_eq!(scenario.iterations, Some(7));
        assert!((profile.level(5.0) - 2.0).abs() < 1e-9 && (profile.level(300.0) - 4.0).abs() < 1e-9);
    }
}
