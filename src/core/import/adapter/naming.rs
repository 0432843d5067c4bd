//! Names of series and of metrics: `seriesFilters`, `name.matches` and `name.as`, from the series to the metric.

use regex::{Regex, RegexBuilder};

use super::config::{Name, Rule};

/// Most memory that a compiled expression of a rule may take.
const MAX_COMPILED: usize = 1 << 20;

/// Compiles an expression of a rule.
///
/// # Errors
/// With the name of the field it stands in.
pub(super) fn compile(pattern: &str, field: &str) -> Result<Regex, String> {
    let compiled = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build();
    compiled.map_err(|error| {
        let error = error.to_string();
        // The last line of a syntax error says what is wrong; the others draw an arrow.
        let words = error.lines().last().unwrap_or_default();
        format!(
            "{field} {pattern:?} is not a regular expression: {}",
            words.trim_start_matches("error: ")
        )
    })
}

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
