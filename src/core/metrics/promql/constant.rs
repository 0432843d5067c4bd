//! Finds expressions whose value is a number that the author wrote.

use promql_parser::parser::{AggregateExpr, Call, Expr, ParenExpr};

/// The number in `vector(N)`, also inside brackets or an aggregation; `None` for any other expression.
pub(super) fn constant_vector(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Paren(ParenExpr { expr })
        | Expr::Aggregate(AggregateExpr {
            expr, param: None, ..
        }) => constant_vector(expr),
        Expr::Call(Call { func, args }) if func.name == "vector" => {
            match args.args.first().map(AsRef::as_ref) {
                Some(number @ Expr::NumberLiteral(_)) => Some(number.to_string()),
                _ => None,
            }
        }
        _ => None,
    }
}
