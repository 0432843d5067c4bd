//! The expressions directly inside an expression, for code that walks a query.
//!
//! Invariant: the result has all of them, also the parameter of an aggregation (the `scalar(a)` in
//! `topk(scalar(a), b)`), which the parser's own visitor leaves out. Both functions are written out, with no
//! `_` arm and no `..` beside plain values, so that a new place for an expression is a compile error here.

use promql_parser::parser::{AggregateExpr, BinaryExpr, Call, Expr, ParenExpr, SubqueryExpr, UnaryExpr};

/// The expressions directly inside an expression, in the order in which they are written.
pub fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(AggregateExpr {
            op: _,
            expr,
            param,
            modifier: _,
        }) => param.as_deref().into_iter().chain([&**expr]).collect(),
        Expr::Binary(BinaryExpr {
            op: _,
            lhs,
            rhs,
            modifier: _,
        }) => vec![lhs, rhs],
        Expr::Unary(UnaryExpr { expr })
        | Expr::Paren(ParenExpr { expr })
        | Expr::Subquery(SubqueryExpr {
            expr,
            offset: _,
            at: _,
            range: _,
            step: _,
        }) => vec![expr],
        Expr::Call(Call { func: _, args }) => args.args.iter().map(AsRef::as_ref).collect(),
        Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Extension(_) => Vec::new(),
    }
}

/// Like [`children`], as mutable references.
pub fn children_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Aggregate(AggregateExpr {
            op: _,
            expr,
            param,
            modifier: _,
        }) => param.as_deref_mut().into_iter().chain([&mut **expr]).collect(),
        Expr::Binary(BinaryExpr {
            op: _,
            lhs,
            rhs,
            modifier: _,
        }) => vec![lhs, rhs],
        Expr::Unary(UnaryExpr { expr })
        | Expr::Paren(ParenExpr { expr })
        | Expr::Subquery(SubqueryExpr {
            expr,
            offset: _,
            at: _,
            range: _,
            step: _,
        }) => vec![expr],
        Expr::Call(Call { func: _, args }) => args.args.iter_mut().map(AsMut::as_mut).collect(),
        Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Extension(_) => Vec::new(),
    }
}
