//! Rules of `matchLabels`, and of the names of labels in all matchers.

use std::collections::BTreeMap;

use super::findings::Scope;
use crate::{metrics::promql::matcher_name, spec::field_path::FieldPath};

/// The label that vas itself matches, so that a resource reads only its own namespace. It is the default of
/// the metrics server's `--namespace-label`, whose value is not known here. If that flag names another label,
/// refusing this one is stricter than needed. A matcher on that other label can only narrow what a resource
/// reads of its own namespace.
pub(super) const NAMESPACE_LABEL: &str = "namespace";

/// Why an author may not match the label of this name; `None` for every other label.
pub(super) fn reserved(name: &str) -> Option<&'static str> {
    if name == NAMESPACE_LABEL {
        Some("vas itself matches the namespace label with the resource's own namespace; remove it")
    } else if name.starts_with("__") {
        Some("label names that start with __ belong to Prometheus; remove it")
    } else {
        None
    }
}

/// Whether a value looks like a regular expression: it has a repeated dot, a choice, an anchor or a character
/// class.
fn looks_like_regex(value: &str) -> bool {
    value.starts_with(['^', '~'])
        || value.ends_with('$')
        || [".*", ".+", "|", "[0-9]", "[a-z]", "\\d", "\\w"]
            .iter()
            .any(|part| value.contains(part))
}

/// Checks the label names of equality matchers. Values may be any text, because they are quoted in the query.
pub(super) fn check(
    labels: Option<&BTreeMap<String, String>>,
    source: &FieldPath,
    scope: &mut Scope<'_>,
) -> BTreeMap<String, String> {
    let labels = labels.cloned().unwrap_or_default();
    let path = source.field("matchLabels");
    for (name, value) in &labels {
        // A label may really have a value such as `a|b`, so this is a warning and no violation.
        if looks_like_regex(value) {
            scope.warn(
                &path.key(name),
                "this is compared as it stands, not as a regular expression: it matches no series unless a label has exactly this value",
            );
        }
        if let Some(rule) = reserved(name) {
            scope.refuse(&path.key(name), rule);
        } else if let Err(error) = matcher_name(name) {
            scope.refuse(&path.key(name), error);
        }
    }
    labels
}
