//! From a metric's name back to the series that a rule may expose under it.
//!
//! prometheus-adapter asks Prometheus which series exist and names them. Without Prometheus the rule alone is
//! left: an expression without an open end has few words, and a group that `name.as` repeats is known from the
//! metric's name. Each word is then named forwards again, so that no series is found which the rule would call
//! otherwise.
//!
//! Example: `matches: ^(.*)_(total|count)$` with `as: ${1}_per_second` exposes `jobs_per_second` from `jobs_total`
//! and from `jobs_count`.

mod groups;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use regex_syntax::hir::{Class, Hir, HirKind};

use groups::groups;

use super::{config::Rule, naming};
use crate::import::{
    pattern,
    query::{self, Series},
};

/// Most words of one expression that are looked at.
const MAX_WORDS: usize = 64;

/// The series of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These, whichever of them exist.
    Only(Vec<String>),
    /// These are the plain answers; the expression leaves room for others.
    Among(Vec<String>),
    /// Any name, as far as the rule says.
    Open,
}

/// The series that a rule exposes as `metric`.
///
/// # Errors
/// When an expression of the rule cannot be read.
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

/// All series of a rule with their metric, where the rule alone says which they are.
///
/// # Errors
/// When an expression of the rule cannot be read.
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

/// The names that a `seriesQuery` has, where they are few.
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

/// The words of an expression, groups filled in as far as they are known; `None` for too many.
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

/// Whether an expression takes in a name from its start to its end: `^a$`, `.*`, and not `^a`.
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

/// Whether it is `.*` or `(.*)`, which takes in all it can.
fn is_open(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => is_open(&capture.sub),
        HirKind::Repetition(repetition) => {
            repetition.max.is_none() && matches!(repetition.sub.kind(), HirKind::Class(_))
        }
        _ => false,
    }
}
