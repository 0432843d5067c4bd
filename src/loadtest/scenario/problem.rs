//! What is wrong with a scenario, field by field.

use std::{collections::BTreeSet, fmt, time::Duration};

use super::{
    check::Check,
    duration,
    environment::{Environment, Secrets},
    template::Template,
};
pub use vas_core::document::Problem;

/// Most problems that are reported. More than that usually have one common cause.
const MOST: usize = 20;

/// Collects problems, so that all are reported at once, while the texts of a scenario are read.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    found: Vec<Problem>,
    environment: Environment<'a>,
}

impl<'a> Problems<'a> {
    /// No problems yet, of a scenario that is read in this environment.
    pub(super) fn new(environment: Environment<'a>) -> Self {
        Self {
            found: Vec::new(),
            environment,
        }
    }

    /// Every problem that was added.
    ///
    /// # Errors
    /// When there is any; otherwise what the texts took from the environment is returned.
    pub(super) fn into_result(self) -> Result<(BTreeSet<String>, Secrets), Vec<Problem>> {
        if self.found.is_empty() {
            Ok(self.environment.into_taken())
        } else {
            Err(self.found)
        }
    }

    /// Adds a problem.
    pub(super) fn add(&mut self, path: impl Into<String>, rule: impl fmt::Display) {
        if self.found.len() < MOST {
            self.found.push(Problem {
                path: path.into(),
                rule: rule.to_string(),
            });
        }
    }

    /// The value, or else `instead` with the error added. The substitute lets the remaining fields be
    /// checked; no scenario with a problem is returned.
    pub(super) fn or<T>(&mut self, path: &str, value: Result<T, impl fmt::Display>, instead: T) -> T {
        value.unwrap_or_else(|error| {
            self.add(path, error);
            instead
        })
    }

    /// Parses a duration that must be more than zero.
    pub(super) fn positive(&mut self, path: &str, text: &str) -> Duration {
        self.or(path, duration::parse_positive(text), Duration::from_secs(1))
    }

    /// Parses a check; `None` where it is none.
    pub(super) fn check(&mut self, path: &str, text: &str) -> Option<Check> {
        let check = Check::parse(text, &mut self.environment);
        self.or(path, check.map(Some), None)
    }

    /// Parses text with variables, also those of the environment.
    pub(super) fn template(&mut self, path: &str, text: &str) -> Template {
        let template = Template::parse_in(text, &mut self.environment);
        self.or(path, template, Template::text(""))
    }
}
