//! Names of series and of metrics: `seriesFilters`, `name.matches` and `name.as`, from the series to the metric.

use super::config::{Name, Rule};
use crate::import::pattern::compile;

/// The name under which a rule exposes a series; `None` if it does not.
///
/// # Errors
/// When an expression is none, or leaves open what the name is.
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

/// `name.matches`, or what stands for it.
pub(super) fn pattern(rule: &Rule) -> &str {
    let Name { matches, .. } = &rule.name;
    if matches.is_empty() { ".*" } else { matches }
}

/// `name.as`, or what stands for it where the pattern has that many groups, the whole counted in.
///
/// # Errors
/// When there are several groups and nothing says which.
pub(super) fn template(rule: &Rule, groups: usize) -> Result<&str, String> {
    match (rule.name.as_.as_str(), groups) {
        ("", 0 | 1) => Ok("$0"),
        ("", 2) => Ok("$1"),
        ("", _) => Err("name.matches has several groups and name.as does not say which".to_owned()),
        (as_, _) => Ok(as_),
    }
}
