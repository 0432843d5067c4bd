//! Names the metric of a series, by `seriesFilters`, `name.matches` and `name.as`.

use super::config::{Name, Rule};
use crate::pattern::compile;

/// The name of the metric that a rule makes of a series; `None` if the rule passes over the series.
///
/// # Errors
/// If a regular expression is invalid, or several groups could be the name.
pub(super) fn exposed(rule: &Rule, series: &str) -> Result<Option<String>, String> {
    for filter in &rule.series_filters {
        let passes = |pattern: &str| Ok::<_, String>(compile(pattern, "seriesFilters")?.is_match(series));
        if !filter.is.is_empty() && !passes(&filter.is)? {
            return Ok(None);
        }
        if !filter.is_not.is_empty() && passes(&filter.is_not)? {
            return Ok(None);
        }
    }
    let regex = compile(pattern(rule), "name.matches")?;
    let as_ = template(rule, regex.captures_len())?;
    let Some(captures) = regex.captures(series) else {
        return Ok(None);
    };
    let mut exposed = String::new();
    captures.expand(as_, &mut exposed);
    Ok(Some(exposed))
}

/// `name.matches`, or prometheus-adapter's default for it.
pub(super) fn pattern(rule: &Rule) -> &str {
    let Name { matches, .. } = &rule.name;
    if matches.is_empty() { ".*" } else { matches }
}

/// `name.as`, or prometheus-adapter's default for a pattern with `groups` groups, the whole match included:
/// the whole match, or the only group.
///
/// # Errors
/// If there are several groups and `name.as` is empty.
pub(super) fn template(rule: &Rule, groups: usize) -> Result<&str, String> {
    match (rule.name.as_.as_str(), groups) {
        ("", 0 | 1) => Ok("$0"),
        ("", 2) => Ok("$1"),
        ("", _) => Err("name.matches has several groups and name.as does not say which".to_owned()),
        (as_, _) => Ok(as_),
    }
}
