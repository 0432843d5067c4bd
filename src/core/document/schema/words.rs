//! Words for the rules of a schema: patterns, counts, and field names that are spelled alike.

use crate::{
    k8s::{duration::ParseDurationError, int_or_percent::ParseShareError, quantity::ParseQuantityError},
    schedule::{StartsError, ZoneError},
};
use vas_api::schema::{
    API_VERSION_PATTERN, DATE_PATTERN, DURATION_PATTERN, KIND_PATTERN, LABEL_NAME_PATTERN,
    LONG_DURATION_PATTERN, METRIC_PATTERN, NAME_PATTERN, OBJECT_NAME_PATTERN, PERCENT_PATTERN,
    QUANTITY_PATTERN, TIME_ZONE_PATTERN, WALL_CLOCK_PATTERN,
};

/// The rule of a pattern in words. A pattern that has no words here is shown itself.
pub(super) fn pattern_words(pattern: &str) -> String {
    match pattern {
        QUANTITY_PATTERN => ParseQuantityError::Malformed.to_string(),
        DURATION_PATTERN => {
            "not a duration: use hours, minutes and seconds such as 30s, 2m or 1h30m".to_owned()
        }
        LONG_DURATION_PATTERN => ParseDurationError.to_string(),
        WALL_CLOCK_PATTERN => StartsError::At.to_string(),
        DATE_PATTERN => "not a date: write it as 2026-12-25".to_owned(),
        TIME_ZONE_PATTERN => ZoneError.to_string(),
        NAME_PATTERN => {
            "not a name: use lower-case letters, digits and -, a letter or digit first and last".to_owned()
        }
        METRIC_PATTERN => {
            "not a Prometheus metric name: write the name alone, without labels, brackets, quotes or white space"
                .to_owned()
        }
        LABEL_NAME_PATTERN => {
            "not the name of a label: it holds white space or characters of a matcher".to_owned()
        }
        OBJECT_NAME_PATTERN => {
            "not a name: use lower-case letters, digits, - and ., a letter or digit first and last".to_owned()
        }
        API_VERSION_PATTERN => "not an apiVersion: a group and its version, apps/v1 for example".to_owned(),
        KIND_PATTERN => {
            "not a kind: letters and digits, an upper-case letter first, Deployment for example".to_owned()
        }
        PERCENT_PATTERN => ParseShareError.to_string(),
        _ => format!("must match {pattern}"),
    }
}

/// A count with its unit in singular or plural: `1 entry`, `2 entries`.
pub(super) fn counted(count: usize, (one, many): (&str, &str)) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The rule text for an unknown field, with the known field that is spelled most like it.
pub fn unknown_field<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, known, usize::MAX) {
        Some(known) => format!("unknown field; did you mean {known}?"),
        None => "unknown field; remove it".to_owned(),
    }
}

/// The known word that is spelled most like `name`. The two differ in at most `most` letters, and in at most
/// a quarter of the known word's letters plus one: `maxReplica` is near `maxReplicas`, `limit` is not.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, most: usize) -> Option<&'a str> {
    known
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= most.min(1 + known.len() / 4))
        .map(|(_, known)| known)
}

/// Levenshtein distance without regard to letter case: how many letters to insert, delete or replace.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    // One row of the usual table at a time: `row[j]` is the distance of the read part of `left` to
    // `right[..j]`.
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        let mut next = vec![previous];
        for (above, other) in row.iter().skip(1).zip(&right) {
            previous = (diagonal + usize::from(letter != *other))
                .min(above + 1)
                .min(previous + 1);
            diagonal = *above;
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
