//! Finds out from the text of a query alone how many series its result has, and whether they carry a label.
//!
//! Prometheus is not asked, so the answer can be "unknown": `topk(1, a)` has one series or none, `a` any
//! number.

use std::collections::BTreeSet;

use promql_parser::parser::{
    AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, ParenExpr, SubqueryExpr, UnaryExpr,
    VectorMatchCardinality,
    token::{self, TokenId},
    value::ValueType,
};

/// The number of series in a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// At most one series, with these labels.
    One(BTreeSet<String>),
    /// One series for each combination of values of labels that the query does not fix.
    Many,
    /// The number depends on the series that exist.
    Unknown,
}

/// The number of series in the result of a query, if each label in `pinned` has a single value. Example: with
/// `svc` pinned, `sum by (svc) (a)` has one series and `sum by (pod) (a)` many.
pub(crate) fn count(expr: &Expr, pinned: &BTreeSet<String>) -> Count {
    match expr {
        Expr::NumberLiteral(_) => Count::One(BTreeSet::new()),
        Expr::Paren(ParenExpr { expr })
        | Expr::Unary(UnaryExpr { expr })
        | Expr::Subquery(SubqueryExpr { expr, .. }) => count(expr, pinned),
        Expr::Binary(binary) => of_binary(binary, pinned),
        Expr::Aggregate(AggregateExpr { op, modifier, .. }) => {
            if op.id() == token::T_COUNT_VALUES {
                return Count::Many;
            }
            if keeps_series(op.id()) {
                return Count::Unknown;
            }
            of_groups(modifier.as_ref(), pinned, None)
        }
        Expr::Call(call) => of_call(call, pinned),
        Expr::VectorSelector(_) | Expr::MatrixSelector(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {
            Count::Unknown
        }
    }
}

/// Whether an aggregation returns some of its input series unchanged, with all their labels.
fn keeps_series(operator: TokenId) -> bool {
    [
        token::T_TOPK,
        token::T_BOTTOMK,
        token::T_LIMITK,
        token::T_LIMIT_RATIO,
    ]
    .contains(&operator)
}

/// The number of groups of an aggregation. `without` is a label that does not count: a quantile joins all
/// series that differ only in `le`.
fn of_groups(modifier: Option<&LabelModifier>, pinned: &BTreeSet<String>, without: Option<&str>) -> Count {
    match modifier {
        None => Count::One(BTreeSet::new()),
        Some(LabelModifier::Include(labels)) => {
            let labels: BTreeSet<String> = labels
                .labels
                .iter()
                .filter(|label| Some(label.as_str()) != without)
                .cloned()
                .collect();
            if labels.is_subset(pinned) {
                Count::One(labels)
            } else {
                Count::Many
            }
        }
        Some(LabelModifier::Exclude(_)) => Count::Unknown,
    }
}

fn of_binary(binary: &BinaryExpr, pinned: &BTreeSet<String>) -> Count {
    let (left, right) = (count(&binary.lhs, pinned), count(&binary.rhs, pinned));
    // A scalar changes the values of the other side and keeps its series.
    let is_scalar = |expr: &Expr| expr.value_type() == ValueType::Scalar;
    if is_scalar(&binary.lhs) {
        return right;
    }
    if is_scalar(&binary.rhs) {
        return left;
    }
    match binary.op.id() {
        // `or` drops a series of the right side only if the left side has one with the same labels.
        token::T_LOR => match (left, right) {
            (Count::One(left), Count::One(right)) if left == right => Count::One(left),
            (Count::Unknown, _) | (_, Count::Unknown) => Count::Unknown,
            _ => Count::Many,
        },
        // `and` and `unless` only filter the left side.
        token::T_LAND | token::T_LUNLESS => left,
        _ => match (left, right) {
            // The result of a one-to-one match has the labels it was matched by.
            (Count::One(left), Count::One(right)) => {
                let matching = binary
                    .modifier
                    .as_ref()
                    .and_then(|modifier| modifier.matching.as_ref());
                Count::One(match matching {
                    Some(LabelModifier::Include(labels)) => labels.labels.iter().cloned().collect(),
                    Some(LabelModifier::Exclude(labels)) => left
                        .into_iter()
                        .filter(|label| !labels.labels.contains(label))
                        .collect(),
                    None => left.union(&right).cloned().collect(),
                })
            }
            (Count::Many, _) | (_, Count::Many) => Count::Many,
            _ => Count::Unknown,
        },
    }
}

fn of_call(call: &Call, pinned: &BTreeSet<String>) -> Count {
    let arguments: Vec<&Expr> = call.args.args.iter().map(|argument| &**argument).collect();
    match (call.func.name, arguments.as_slice()) {
        ("scalar" | "vector" | "time" | "pi", _) => Count::One(BTreeSet::new()),
        ("histogram_quantile", [_, buckets]) => match super::bare(buckets) {
            Expr::Aggregate(AggregateExpr { modifier, .. }) => {
                of_groups(modifier.as_ref(), pinned, Some("le"))
            }
            _ => Count::Unknown,
        },
        ("label_replace" | "label_join", [series, Expr::StringLiteral(label), ..]) => {
            match count(series, pinned) {
                Count::One(mut labels) => {
                    labels.insert(label.val.clone());
                    Count::One(labels)
                }
                other => other,
            }
        }
        ("quantile_over_time", [_, series]) | (_, [series, ..]) => count(series, pinned),
        _ => Count::Unknown,
    }
}

/// Whether no series of a result can carry the label.
pub(crate) fn lacks(expr: &Expr, label: &str) -> bool {
    let named = |labels: &[String]| labels.iter().any(|one| one == label);
    match expr {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => true,
        Expr::Paren(ParenExpr { expr })
        | Expr::Unary(UnaryExpr { expr })
        | Expr::Subquery(SubqueryExpr { expr, .. }) => lacks(expr, label),
        Expr::Aggregate(AggregateExpr {
            op, modifier, expr, ..
        }) => {
            if keeps_series(op.id()) {
                return lacks(expr, label);
            }
            match modifier {
                None => true,
                Some(LabelModifier::Include(labels)) => !named(&labels.labels) || lacks(expr, label),
                Some(LabelModifier::Exclude(labels)) => named(&labels.labels) || lacks(expr, label),
            }
        }
        Expr::Binary(binary) => binary_lacks(binary, label),
        Expr::Call(call) => match call.func.name {
            "scalar" | "vector" | "time" | "pi" => true,
            "label_replace" | "label_join" => {
                let mut arguments = call.args.args.iter();
                let series = arguments.next();
                let is_set = matches!(arguments.next().map(|argument| &**argument), Some(Expr::StringLiteral(set)) if set.val == label);
                !is_set && series.is_some_and(|series| lacks(series, label))
            }
            _ => {
                let mut vectors = call
                    .args
                    .args
                    .iter()
                    .filter(|argument| argument.value_type() != ValueType::Scalar)
                    .peekable();
                vectors.peek().is_some() && vectors.all(|argument| lacks(argument, label))
            }
        },
        Expr::VectorSelector(_) | Expr::MatrixSelector(_) | Expr::Extension(_) => false,
    }
}

fn binary_lacks(binary: &BinaryExpr, label: &str) -> bool {
    let (left, right) = (lacks(&binary.lhs, label), lacks(&binary.rhs, label));
    if binary.lhs.value_type() == ValueType::Scalar {
        return right;
    }
    if binary.rhs.value_type() == ValueType::Scalar {
        return left;
    }
    if binary.op.id() == token::T_LOR {
        return left && right;
    }
    let modifier = binary.modifier.as_ref();
    match (
        modifier.map(|one| &one.card),
        modifier.and_then(|one| one.matching.as_ref()),
    ) {
        // With `group_left` and `group_right` the result has the labels of the "many" side, and those that
        // are copied.
        (Some(VectorMatchCardinality::OneToMany(copied)), _) => {
            right && !copied.labels.iter().any(|one| one == label)
        }
        (Some(VectorMatchCardinality::ManyToOne(copied)), _) => {
            left && !copied.labels.iter().any(|one| one == label)
        }
        (Some(VectorMatchCardinality::OneToOne), Some(LabelModifier::Include(on))) => {
            !on.labels.iter().any(|one| one == label)
        }
        (Some(VectorMatchCardinality::OneToOne), Some(LabelModifier::Exclude(ignored))) => {
            left || ignored.labels.iter().any(|one| one == label)
        }
        _ => left,
    }
}

#[cfg(test)]
mod tests {
    use promql_parser::parser;

    use super::*;

    fn counted(query: &str) -> &'static str {
        let pinned = BTreeSet::from(["namespace".to_owned(), "svc".to_owned()]);
        match count(&parser::parse(query).unwrap(), &pinned) {
            Count::One(_) => "one",
            Count::Many => "many",
            Count::Unknown => "unknown",
        }
    }

    #[test]
    fn series_of_a_result_are_counted() {
        for (query, expected) in [
            ("sum(a)", "one"),
            ("sum by (svc, namespace) (a) / 2", "one"),
            ("sum by (queue) (a)", "many"),
            ("a", "unknown"),
            ("rate(a[1m]) * 60", "unknown"),
            ("sum without (pod) (a)", "unknown"),
            ("topk(1, a)", "unknown"),
            ("count_values(\"v\", a)", "many"),
            ("histogram_quantile(0.95, sum by (le, svc) (rate(a[1m])))", "one"),
            ("histogram_quantile(0.95, sum by (le, pod) (rate(a[1m])))", "many"),
            ("histogram_quantile(0.95, rate(a[1m]))", "unknown"),
            ("max_over_time(sum(a)[5m:1m])", "one"),
            ("clamp_max(sum(a), 3)", "one"),
            ("sum(a) or vector(0)", "one"),
            // `vector(0)` has no label svc, so the result has both series.
            ("sum by (svc) (a) or vector(0)", "many"),
            ("sum by (svc) (a) / on (svc) sum by (svc) (b)", "one"),
            ("sum by (svc) (a) and b", "one"),
            ("label_replace(sum(a), \"x\", \"$1\", \"y\", \"(.*)\")", "one"),
        ] {
            assert_eq!(counted(query), expected, "{query}");
        }
    }

    #[test]
    fn a_label_that_no_series_can_carry_is_seen() {
        for (query, expected) in [
            ("a", false),
            ("sum(a)", true),
            ("sum by (svc) (a)", false),
            ("sum by (le) (a)", true),
            ("sum without (svc) (a)", true),
            ("sum without (pod) (a)", false),
            ("scalar(a)", true),
            ("histogram_quantile(0.9, sum by (le) (rate(a[1m])))", true),
            ("histogram_quantile(0.9, sum by (le, svc) (rate(a[1m])))", false),
            ("sum by (svc) (a) / scalar(sum(b))", false),
            ("sum by (svc) (a) / on (svc) sum by (svc) (b)", false),
            ("sum by (svc) (a) / on () sum(b)", true),
            ("sum by (svc) (a) / on () group_left sum(b)", false),
            ("label_replace(sum(a), \"svc\", \"x\", \"\", \"\")", false),
            ("sum by (svc) (a) or vector(0)", false),
            ("1 + 1", true),
        ] {
            assert_eq!(lacks(&parser::parse(query).unwrap(), "svc"), expected, "{query}");
        }
    }
}
