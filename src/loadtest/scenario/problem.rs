//! What is wrong with a scenario, field by field.

use std::{fmt, time::Duration};

use super::{duration, template::Template};
pub use vas_core::document::Problem;

/// Most problems that are reported. More than that usually have one common cause.
const MOST: usize = 20;

/// Collects problems, so that all are reported at once.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Every problem that was added.
    pub(super) fn into_found(self) -> Vec<Problem> {
        self.0
    }

    /// Adds a problem.
    pub(super) fn add(&mut self, path: impl Into<String>, rule: impl fmt::Display) {
        if self.0.len() < MOST {
            self.0.push(Problem {
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

    /// Parses text with variables.
    pub(super) fn template(&mut self, path: &str, text: &str) -> Template {
        self.or(path, Template::parse(text), Template::text(""))
    }
}
