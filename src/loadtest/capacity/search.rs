//! The search for the highest load under which an objective holds: which load to try next.
//!
//! Loads rise by a factor until one fails twice in a row; then the gap between the highest that held and the lowest
//! that failed is halved until it is small enough. Once failed is no proof anywhere: a pause of the machine fails a step
//! too. A step that proves nothing is done again, a bounded number of times.

use thiserror::Error;

/// Settings of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// First load to try; positive.
    pub start: f64,
    /// Factor from one load to the next on the way up; more than 1.
    pub growth: f64,
    /// Width of the last gap, relative to its lower end: 0.02 is 2 %.
    pub precision: f64,
    /// Highest load to try.
    pub most: f64,
    /// How often in a row a step may prove nothing.
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

/// What a step brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The objective held.
    Held,
    /// It did not.
    Failed,
    /// The step proves nothing.
    Inconclusive,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Highest load that held.
    pub held: f64,
    /// Lowest load that failed; `None` where even the highest that may be tried held.
    pub failed: Option<f64>,
}

/// Why nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum SearchError {
    /// Steps that prove nothing.
    #[error("{repeats} steps in a row at {load:.1}/s proved nothing")]
    Inconclusive {
        /// The load.
        load: f64,
        /// How many.
        repeats: u32,
    },
    /// Even very little is too much.
    #[error("the objective is missed at {0:.2}/s already: is it one that an idle service meets?")]
    NothingHolds(f64),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Try this load.
    Try(f64),
    /// The end.
    Found(Found),
}

/// A search under way.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    settings: Settings,
    held: Option<f64>,
    failed: Option<f64>,
    load: f64,
    /// Failures of this load so far.
    failures: u32,
    inconclusive: u32,
}

/// Failures in a row that prove that a load is too much.
const PROOF: u32 = 2;
/// A search goes down to this share of its start.
const LEAST: f64 = 1.0 / 1024.0;

impl Search {
    /// Begins.
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

    /// The load to try now.
    pub fn load(&self) -> f64 {
        self.load
    }

    /// Takes what the step with this load brought.
    ///
    /// # Errors
    /// When the search cannot end.
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

    fn onward(&mut self) -> Result<Next, SearchError> {
        let Settings {
            start,
            growth,
            precision,
            most,
            ..
        } = self.settings;
        self.load = match (self.held, self.failed) {
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
            (Some(held), None) => (held * growth).min(most),
            (None, Some(failed)) if failed <= start * LEAST => {
                return Err(SearchError::NothingHolds(failed));
            }
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

    /// Runs a search to its end, with the steps it took.
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
