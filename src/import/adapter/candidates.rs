//! Finds the series that a rule may expose under the name of a metric, without Prometheus.
//!
//! prometheus-adapter reads from Prometheus which series exist and names the metric of each. Here only the
//! rule is known, so the naming runs backwards:
//!
//! 1. `name.as` and the metric's name give the groups of `name.matches`. Example: `as: ${1}_per_second` and the metric
//!    `jobs_per_second` give group 1 = `jobs`.
//! 2. `name.matches` with these groups filled in gives the candidates, if it matches few words. Example:
//!    `^(.*)_(total|count)$` gives `jobs_total` and `jobs_count`.
//! 3. Each candidate is named forwards again, and is dropped if the rule gives its metric another name.

mod groups;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use regex_syntax::hir::{Class, Hir, HirKind};

use groups::groups;

use super::{config::Rule, naming};
use crate::{
    pattern,
    query::{self, Series},
};

/// Most words of one expression that are listed.
const MAX_WORDS: usize = 64;

/// The series that a rule may expose under the name of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Only these series. Which of them exist is not known.
    Only(Vec<String>),
    /// These series, and possibly longer names: the expression is not anchored at both ends.
    Among(Vec<String>),
    /// Series of any name.
    Open,
}

/// The series that a rule exposes as `metric`.
///
/// # Errors
/// If a query or a regular expression of the rule is invalid.
pub(super) fn exposed_as(rule: &Rule, metric: &str) -> Result<Found, String> {
    let series = query::series(&rule.series_query)?;
    let keep = |words: Vec<String>| {
        let mut kept = Vec::new();
        for word in words {
            if series.has(&word) && naming::exposed(rule, &word)?.as_deref() == Some(metric) {
                kept.push(word);
            }
        }
        kept.dedup();
        Ok::<_, String>(kept)
    };
    if let Some(words) = named_by(&series) {
        return Ok(Found::Only(keep(words)?));
    }
    let pattern = naming::pattern(rule);
    let hir = parse(pattern, "name.matches")?;
    let template = naming::template(rule, pattern::compile(pattern, "name.matches")?.captures_len())?;
    let mut found = Vec::new();
    for known in groups(template, metric) {
        // Group 0 is the whole name of the series, so nothing is left to list.
        let all = known.get("0").map(|whole| vec![whole.clone()]);
        match all.or_else(|| words(&hir, &known)) {
            Some(words) => found.extend(words),
            None => return Ok(Found::Open),
        }
    }
    let found = keep(found)?;
    Ok(if is_closed(&hir) {
        Found::Only(found)
    } else {
        Found::Among(found)
    })
}

/// All series of a rule with the names of their metrics; `None` if the rule does not list its series.
///
/// # Errors
/// If a query or a regular expression of the rule is invalid.
pub(super) fn all(rule: &Rule) -> Result<Option<Vec<(String, String)>>, String> {
    let series = query::series(&rule.series_query)?;
    let Some(words) = named_by(&series) else {
        return Ok(None);
    };
    let mut all = Vec::new();
    for word in words.into_iter().filter(|word| series.has(word)) {
        if let Some(metric) = naming::exposed(rule, &word)? {
            all.push((word, metric));
        }
    }
    Ok(Some(all))
}

/// The names of the series that a `seriesQuery` selects, if they are few enough to list.
fn named_by(series: &Series) -> Option<Vec<String>> {
    match series {
        Series::Named(name) => Some(vec![name.clone()]),
        Series::Matching(matchers) => matchers.iter().find_map(|matcher| {
            let pattern = matcher.positive_pattern()?;
            words(&parse(pattern, "seriesQuery").ok()?, &BTreeMap::new())
        }),
    }
}

fn parse(pattern: &str, field: &str) -> Result<Hir, String> {
    regex_syntax::parse(pattern).map_err(|_| format!("{field} {pattern:?} is not a regular expression"))
}

/// All words that an expression matches, with the known groups filled in; `None` if they are more than
/// [`MAX_WORDS`]. Example: `a(b|c)?` has the words `ab`, `ac` and `a`.
fn words(hir: &Hir, groups: &BTreeMap<String, String>) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![String::new()]),
        HirKind::Literal(literal) => Some(vec![String::from_utf8(literal.0.to_vec()).ok()?]),
        HirKind::Class(Class::Unicode(class)) => {
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            let words: Vec<_> = chars.take(MAX_WORDS + 1).map(String::from).collect();
            Some(words).filter(|words| words.len() <= MAX_WORDS)
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Repetition(repetition) => match (repetition.min, repetition.max) {
            (0, Some(1)) => {
                let mut either = words(&repetition.sub, groups)?;
                either.push(String::new());
                Some(either)
            }
            (1, Some(1)) => words(&repetition.sub, groups),
            _ => None,
        },
        HirKind::Capture(capture) => {
            let known = groups.get(&capture.index.to_string());
            let known = known.or_else(|| groups.get(capture.name.as_deref()?));
            known.map_or_else(|| words(&capture.sub, groups), |word| Some(vec![word.clone()]))
        }
        HirKind::Concat(parts) => {
            // Each beginning so far with each word of the next part.
            let mut all = vec![String::new()];
            for part in parts {
                let ends = words(part, groups)?;
                if all.len() * ends.len() > MAX_WORDS {
                    return None;
                }
                all = all
                    .iter()
                    .flat_map(|start| ends.iter().map(move |end| format!("{start}{end}")))
                    .collect();
            }
            Some(all)
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(words(part, groups)?);
            }
            Some(all).filter(|all| all.len() <= MAX_WORDS)
        }
    }
}

/// Whether an expression matches a name from its start to its end: `^a$` and `.*` do, `^a` does not.
fn is_closed(hir: &Hir) -> bool {
    let parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(hir),
    };
    let ends = |part: Option<&Hir>| {
        part.is_some_and(|part| matches!(part.kind(), HirKind::Look(_)) || is_open(part))
    };
    ends(parts.first()) && ends(parts.last())
}

/// Whether the expression is an unlimited repetition of a class, such as `.*` or `(.*)`. It matches up to the
/// end of the name.
fn is_open(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => is_open(&capture.sub),
        HirKind::Repetition(repetition) => {
            repetition.max.is_none() && matches!(repetition.sub.kind(), HirKind::Class(_))
        }
        _ => false,
    }
}
