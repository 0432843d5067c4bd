//! Names of metrics that the resource accepts.

use std::collections::BTreeSet;

/// Longest name, in characters. The CRD allows 63; the rest is for a number such as `-2`.
const MAX_LENGTH: usize = 60;

/// Makes a name that the resource accepts, of lowercase letters, digits and hyphens: `Jobs:waiting` becomes
/// `jobs-waiting`.
pub(super) fn metric_name(given: &str) -> String {
    let name: String = given
        .chars()
        .map(|char| match char {
            char if char.is_ascii_alphanumeric() => char.to_ascii_lowercase(),
            _ => '-',
        })
        .take(MAX_LENGTH)
        .collect();
    match name.trim_matches('-') {
        "" => "metric".to_owned(),
        name => name.to_owned(),
    }
}

/// The names of one workload's metrics, made different by numbers: `x`, `x-2`, `x-3`.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// Returns the name, with the smallest number behind it that makes it unique if it is taken.
    pub(super) fn unique(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        let mut number = 2;
        while !self.0.insert(unique.clone()) {
            unique = format!("{name}-{number}");
            number += 1;
        }
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_that_the_resource_takes() {
        for (given, name) in [
            ("http_requests_per_second", "http-requests-per-second"),
            ("http.server.requests", "http-server-requests"),
            ("Längste:Zeit", "l-ngste-zeit"),
            ("___", "metric"),
        ] {
            assert_eq!(metric_name(given), name);
        }
    }

    #[test]
    fn equal_names_get_a_number() {
        let mut names = Names::default();
        let given = ["a", "a-2", "a", "a"];
        assert_eq!(given.map(|name| names.unique(name)), ["a", "a-2", "a-3", "a-4"]);
    }
}
