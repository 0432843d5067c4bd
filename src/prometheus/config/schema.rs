//! Checks a configuration file against the schema of its types ([`super::document`]), which finds all unknown
//! fields, missing ones and wrong values at once.

use std::sync::LazyLock;

use serde_json::Value;

use super::document::Document;
use vas_core::document::{
    Problem,
    schema::{Breach, Checker, SchemaViolation, Vocabulary},
};

static CHECKER: LazyLock<Checker> = LazyLock::new(|| Checker::of::<Document>(Vocabulary::Kubernetes));

/// Every mistake that the schema knows, each with the path of its field.
pub(super) fn check(document: &Value) -> Vec<Problem> {
    CHECKER.check(document).into_iter().map(problem).collect()
}

/// Values are shown only of fields that have a form of their own, such as a duration. A value of another type
/// than its field's may be a secret in the wrong place: a URL with a password where a mapping belongs, a
/// header's key without quotes.
fn problem(violation: SchemaViolation) -> Problem {
    Problem {
        path: violation.path(),
        rule: match violation.breach {
            Breach::Content | Breach::Twice if !violation.value.starts_with(['{', '[']) => {
                format!("{} {}", violation.value, violation.rule)
            }
            _ => violation.rule,
        },
    }
}
