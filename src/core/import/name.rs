//! Names of series and of metrics: `name.matches` and `name.as`, forwards and, for HPAs, backwards.

use regex::Regex;

use super::config::{Name, Rule};

/// The name under which a rule exposes a series; `None` if it does not.
///
/// # Errors
/// When an expression is none, or leaves open what the name is.
pub(super) fn exposed(rule: &Rule, series: &str) -> Result<Option<String>, String> {
    for filter in &rule.series_filters {
        let passes = |pattern: &str| {
            let regex = Regex::new(pattern).map_err(|error| format!("seriesFilters: {error}"));
            regex.map(|regex| regex.is_match(series))
        };
        if !filter.is.is_empty() && !passes(&filter.is)? {
            return Ok(None);
        }
        if !filter.is_not.is_empty() && passes(&filter.is_not)? {
            return Ok(None);
        }
    }
    let Name { matches, as_ } = &rule.name;
    let pattern = if matches.is_empty() { ".*" } else { matches };
    let regex = Regex::new(pattern).map_err(|error| format!("name.matches: {error}"))?;
    let as_ = match (as_.is_empty(), regex.captures_len()) {
        (false, _) => as_.as_str(),
        (true, 1) => "$0",
        (true, 2) => "$1",
        (true, _) => return Err("name.matches has several groups and name.as does not say which".to_owned()),
    };
    let Some(captures) = regex.captures(series) else {
        return Ok(None);
    };
    let mut exposed = String::new();
    captures.expand(as_, &mut exposed);
    Ok(Some(exposed))
}

/// Names of series that a rule may expose as `metric`. Each has to be checked with [`exposed`].
pub(super) fn candidates(rule: &Rule, metric: &str) -> Vec<String> {
    let Name { matches, as_ } = &rule.name;
    let mut candidates = vec![metric.to_owned()];
    let pattern = matches.trim_start_matches('^').trim_end_matches('$');
    let around = pattern.split_once('(').and_then(|(before, rest)| {
        let (_, after) = rest.rsplit_once(')')?;
        Some((before, after))
    });
    let (before, after) = around.unwrap_or_default();
    let renamed = if as_.is_empty() { "$1" } else { as_ };
    for group in ["${1}", "$1"] {
        if let Some((start, end)) = renamed.split_once(group) {
            let inner = metric.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            candidates.extend(inner.map(|inner| format!("{before}{inner}{after}")));
            break;
        }
    }
    candidates
}

/// A name as the resource takes it: small letters, digits and hyphens.
pub(super) fn metric_name(exposed: &str) -> String {
    let name: String = exposed
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(60)
        .collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        "metric".to_owned()
    } else {
        name.to_owned()
    }
}
