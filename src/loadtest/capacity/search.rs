//! The search for the highest load under which an objective holds: it decides which load to try next.
//!
//! Loads rise by a factor until one load fails twice in a row. Then the gap between the highest load that
//! held and the lowest that failed is halved until it is small enough. Example with a capacity of 30/s: 10,
//! 15, 22.5 hold, 33.8 fails twice, 28.1 holds, 30.9 fails twice, and so on. One failure proves nothing,
//! because a pause of the machine fails a step too. A step without a result is repeated a bounded number of
//! times.

use thiserror::Error;

/// Settings of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// First load to try, in requests per second; positive.
    pub start: f64,
    /// Factor from one load to the next while loads hold; more than 1.
    pub growth: f64,
    /// The search ends when the gap is at most this share of its lower end: 0.02 is 2 %.
    pub precision: f64,
    /// Highest load to try, in requests per second.
    pub most: f64,
    /// How often in a row a step may be inconclusive.
    pub repeats: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start: 10.0,
            growth: 1.5,
            precision: 0.02,
            most: 20_000.0,
            repeats: 5,
        }
    }
}

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The objective held.
    Held,
    /// The objective did not hold.
    Failed,
    /// The step proves nothing about the service.
    Inconclusive,
}

/// The result of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Highest load that held, in requests per second.
    pub held: f64,
    /// Lowest load that failed, in requests per second; `None` if even the highest allowed load held.
    pub failed: Option<f64>,
}

/// Why a search has no result.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum SearchError {
    /// Too many steps in a row were inconclusive.
    #[error("{repeats} steps in a row at {load:.1}/s proved nothing")]
    Inconclusive {
        /// The load, in requests per second.
        load: f64,
        /// The number of steps.
        repeats: u32,
    },
    /// Even a very small load fails.
    #[error("the objective is missed at {0:.2}/s already: is it one that an idle service meets?")]
    NothingHolds(f64),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Try this load, in requests per second.
    Try(f64),
    /// The search has ended.
    Found(Found),
}

/// A search in progress.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    settings: Settings,
    held: Option<f64>,
    failed: Option<f64>,
    load: f64,
    /// Failures in a row of the current load.
    failures: u32,
    inconclusive: u32,
}

/// This many failures in a row prove that a load is too high.
const PROOF: u32 = 2;
/// The search goes down to this share of its start before it gives up.
const LEAST: f64 = 1.0 / 1024.0;

impl Search {
    /// Begins a search.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            held: None,
            failed: None,
            load: settings.start.min(settings.most),
            failures: 0,
            inconclusive: 0,
        }
    }

    /// The load to try now, in requests per second.
    pub fn load(&self) -> f64 {
        self.load
    }

    /// Takes the result of the step with the current load, and says what to do next.
    ///
    /// # Errors
    /// When the search cannot have a result.
    pub fn step(&mut self, outcome: Outcome) -> Result<Next, SearchError> {
        match outcome {
            Outcome::Inconclusive => {
                self.inconclusive += 1;
                if self.inconclusive > self.settings.repeats {
                    return Err(SearchError::Inconclusive {
                        load: self.load,
                        repeats: self.inconclusive,
                    });
                }
                return Ok(Next::Try(self.load));
            }
            Outcome::Held => self.held = Some(self.load),
            Outcome::Failed => {
                self.inconclusive = 0;
                self.failures += 1;
                if self.failures < PROOF {
                    return Ok(Next::Try(self.load));
                }
                self.failed = Some(self.load);
            }
        }
        (self.failures, self.inconclusive) = (0, 0);
        self.onward()
    }

    /// The next load. Failures and inconclusive steps of the old load do not count for it.
    fn onward(&mut self) -> Result<Next, SearchError> {
        let Settings {
            start,
            growth,
            precision,
            most,
            ..
        } = self.settings;
        self.load = match (self.held, self.failed) {
            // Both ends are known: halve the gap.
            (Some(held), Some(failed)) => {
                if failed - held <= precision * held {
                    let failed = Some(failed);
                    return Ok(Next::Found(Found { held, failed }));
                }
                f64::midpoint(held, failed)
            }
            (Some(held), None) if held >= most => {
                return Ok(Next::Found(Found { held, failed: None }));
            }
            // Nothing has failed yet: go up.
            (Some(held), None) => (held * growth).min(most),
            (None, Some(failed)) if failed <= start * LEAST => {
                return Err(SearchError::NothingHolds(failed));
            }
            // Nothing has held yet: the start was too high, go down.
            (None, Some(failed)) => failed / 2.0,
            (None, None) => start,
        };
        Ok(Next::Try(self.load))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs a search to its end. Returns its result and the number of steps.
    fn run(
        settings: Settings,
        mut outcome: impl FnMut(f64) -> Outcome,
    ) -> (Result<Found, SearchError>, Vec<f64>) {
        let mut search = Search::new(settings);
        let mut tried = Vec::new();
        loop {
            tried.push(search.load());
            assert!(tried.len() < 200, "{tried:?}");
            match search.step(outcome(search.load())) {
                Ok(Next::Try(load)) => assert!((load - search.load()).abs() < 1e-12),
                Ok(Next::Found(found)) => return (Ok(found), tried),
                Err(error) => return (Err(error), tried),
            }
        }
    }

    fn below(capacity: f64) -> impl Fn(f64) -> Outcome {
        move |load| {
            if load <= capacity {
                Outcome::Held
            } else {
                Outcome::Failed
            }
        }
    }

    #[test]
    fn it_rises_until_a_load_fails_twice_and_then_halves_the_gap() {
        let settings = Settings {
            start: 50.0,
            growth: 2.0,
            precision: 0.1,
            ..Settings::default()
        };
        let (found, tried) = run(settings, below(120.0));
        assert_eq!(
            tried,
            [
                50.0, 100.0, 200.0, 200.0, 150.0, 150.0, 125.0, 125.0, 112.5, 118.75
            ]
        );
        let failed = Some(125.0);
        assert_eq!(found.unwrap(), Found { held: 118.75, failed });
    }

    #[test]
    fn one_failure_alone_is_no_proof() {
        let mut calls = 0;
        let (found, _) = run(Settings::default(), |load| {
            calls += 1;
            // Every third step fails, whatever the load.
            if calls % 3 == 0 {
                Outcome::Failed
            } else {
                below(500.0)(load)
            }
        });
        assert!((found.unwrap().held / 500.0 - 1.0).abs() < 0.02);
    }

    #[test]
    fn steps_that_prove_nothing_are_repeated_so_often_and_no_more() {
        let mut calls = 0;
        let settings = Settings::default();
        let (found, _) = run(settings, |load| {
            calls += 1;
            if calls % 4 == 0 {
                below(300.0)(load)
            } else {
                Outcome::Inconclusive
            }
        });
        assert!((found.unwrap().held / 300.0 - 1.0).abs() < 0.02);
        let (found, tried) = run(settings, |_| Outcome::Inconclusive);
        assert_eq!(tried.len(), 6);
        assert_eq!(
            found,
            Err(SearchError::Inconclusive {
                load: 10.0,
                repeats: 6
            })
        );
    }

    #[test]
    fn what_holds_at_the_bound_is_at_least_that_and_what_never_holds_is_said() {
        let most = Settings {
            most: 100.0,
            ..Settings::default()
        };
        let held = 100.0;
        assert_eq!(run(most, below(1e9)).0, Ok(Found { held, failed: None }));
        let (found, tried) = run(Settings::default(), below(0.0));
        assert!(matches!(found, Err(SearchError::NothingHolds(_))), "{found:?}");
        assert_eq!(tried.len(), 22);
    }

    proptest! {
        #[test]
        fn it_finds_the_capacity_of_a_noisy_service(
            capacity in 0.5_f64..15_000.0,
            noise in prop::collection::vec(-0.02_f64..0.02, 200),
            spoiled in prop::collection::vec(0_u8..20, 200),
        ) {
            let mut steps = noise.into_iter().zip(spoiled);
            let (found, _) = run(Settings::default(), |load| match steps.next() {
                Some((_, 0)) => Outcome::Inconclusive,
                Some((noise, _)) => below(capacity * (1.0 + noise))(load),
                None => below(capacity)(load),
            });
            let found = found.unwrap();
            prop_assert!((found.held / capacity - 1.0).abs() < 0.05, "{:?} of {}", found, capacity);
        }
    }
}
