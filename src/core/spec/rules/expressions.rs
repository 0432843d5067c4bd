//! Rules of `matchExpressions`: conditions on labels that go into the PromQL selector unchanged.
//!
//! A regular expression is never compiled here. It is only bounded, so that it costs neither vas nor
//! Prometheus much more than a plain value. Prometheus compiles it with every query, and there a counted
//! repetition (`{1000}`) or a Unicode class (`\p{L}`) makes a short text costly.

use super::{findings::Scope, match_labels::reserved};
use crate::spec::field_path::FieldPath;
use vas_api::v1alpha1::{MatchExpression, MatchOperator};

/// Largest `n` of a counted repetition `{n}`.
const MAX_REPEAT: u32 = 16;

/// Checks the expressions of a source. The result is sorted and has no duplicates, so that equal sets of
/// expressions are equal lists.
pub(super) fn check(
    expressions: Option<&[MatchExpression]>,
    source: &FieldPath,
    scope: &mut Scope<'_>,
) -> Vec<MatchExpression> {
    let list = source.field("matchExpressions");
    let mut checked = Vec::new();
    for (position, expression) in expressions.unwrap_or_default().iter().enumerate() {
        let path = list.index(position);
        if let Some(rule) = reserved(&expression.key) {
            scope.refuse(&path.field("key"), rule);
        }
        let mut expression = expression.clone();
        match expression.operator {
            // The order of the values has no meaning, and equal expressions must compare as equal.
            MatchOperator::In | MatchOperator::NotIn => {
                expression.values.sort();
                expression.values.dedup();
            }
            MatchOperator::Matches | MatchOperator::NotMatches => check_regex(&expression, &path, scope),
        }
        checked.push(expression);
    }
    checked.sort();
    checked.dedup();
    checked
}

fn check_regex(expression: &MatchExpression, path: &FieldPath, scope: &mut Scope<'_>) {
    let values = path.field("values");
    let [regex] = expression.values.as_slice() else {
        scope.refuse(
            &values,
            "Matches and NotMatches take one regular expression; write a choice into it: a|b",
        );
        return;
    };
    let place = values.index(0);
    if regex.contains(r"\p") || regex.contains(r"\P") {
        scope.refuse(
            &place,
            r"classes of Unicode (\p) cost Prometheus too much; name the characters",
        );
    } else if let Some(count) = largest_repeat(regex).filter(|count| *count > MAX_REPEAT) {
        scope.refuse(
            &place,
            format_args!("{{{count}}} repeats too often for a label's value: at most {MAX_REPEAT} times"),
        );
    }
}

/// The largest number in braces. Escaped braces count too, which only makes the rule stricter.
fn largest_repeat(regex: &str) -> Option<u32> {
    regex
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .flat_map(|inside| inside.split(','))
        .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|number| number.parse().unwrap_or(u32::MAX))
        .max()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::spec::{
        model::Series,
        rules::testing::{accepted, accepts, refuses},
    };

    fn rate(expressions: Value) -> Value {
        json!({"metrics": [{"name": "rate", "requestRate": {
            "counter": "c", "matchExpressions": expressions, "target": {"averageValue": "100"},
        }}]})
    }

    const PATH: &str = "spec.workloads[0].metrics[0].requestRate.matchExpressions[0]";

    #[test]
    fn equal_conditions_are_one_series_in_whatever_order_they_are_written() {
        let series = |expressions: Value| -> Series {
            let workload = accepted(rate(expressions));
            workload.prometheus_metrics().next().unwrap().1.series.clone()
        };
        let first = json!({"key": "code", "operator": "In", "values": ["500", "200", "200"]});
        let second = json!({"key": "path", "operator": "NotMatches", "values": ["/health.*"]});
        let again = json!({"key": "code", "operator": "In", "values": ["200", "500"]});
        assert_eq!(
            series(json!([first, second])),
            series(json!([second, again, again]))
        );
    }

    #[test]
    fn the_namespace_and_the_labels_of_prometheus_are_not_the_authors() {
        for (key, rule) in [("namespace", "remove it"), ("__name__", "belong to Prometheus")] {
            refuses(
                rate(json!([{"key": key, "operator": "NotIn", "values": ["a"]}])),
                &format!("{PATH}.key"),
                rule,
            );
        }
    }

    #[test]
    fn a_regular_expression_is_one_and_cheap() {
        let regex = |values: Value| rate(json!([{"key": "code", "operator": "Matches", "values": values}]));
        refuses(
            regex(json!(["a", "b"])),
            &format!("{PATH}.values"),
            "one regular expression",
        );
        for costly in [r"\pL{3}", r"\PN", "a{17}", "a{2,1000}", "a{99999999999}"] {
            refuses(regex(json!([costly])), &format!("{PATH}.values[0]"), "");
        }
        for fine in ["5..", "a{16}", "get|post", "[0-9]{3}", "(", "a{b}"] {
            accepts(regex(json!([fine])));
        }
    }
}
