//! Rules for what a panel would hide: series that an expression loses, and values that its axis has no room for.

use promql_parser::parser::{AggregateExpr, Expr, LabelModifier};
use serde_json::Value;

use super::{list, promql, text};
use crate::{metrics::promql::children, monitoring::families::load_test};

pub(super) fn findings(panel: &Value) -> Vec<String> {
    let mut found = of_axis(panel);
    found.extend(of_colors(panel));
    for target in list(&panel["targets"]) {
        let of_this = of_target(panel, target);
        found.extend(
            of_this
                .into_iter()
                .map(|finding| format!("query {}: {finding}", text(&target["refId"]))),
        );
    }
    found
}

fn of_axis(panel: &Value) -> Vec<String> {
    let defaults = &panel["fieldConfig"]["defaults"];
    let mut found = Vec::new();
    if defaults["min"] == 0 && list(&panel["targets"]).iter().any(is_difference) {
        found.push("its axis begins at 0, and a difference may be below".to_owned());
    }
    found
}

/// Whether a query is a difference, which may be below zero.
fn is_difference(target: &Value) -> bool {
    let expr = promql::parsed(text(&target["expr"]));
    matches!(expr, Ok(Expr::Binary(binary)) if binary.op.to_string() == "-")
}

fn of_colors(panel: &Value) -> Vec<String> {
    let defaults = &panel["fieldConfig"]["defaults"];
    let first = &defaults["thresholds"]["steps"][0]["color"];
    let is_silent = first == "red" && text(&defaults["noValue"]).is_empty();
    let finding = "0 is bad there, and it has no word for what is not there at all";
    is_silent.then(|| finding.to_owned()).into_iter().collect()
}

fn of_target(_: &Value, target: &Value) -> Vec<String> {
    let Ok(expr) = promql::parsed(text(&target["expr"])) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    judge(&expr, &mut found);
    found
}

fn judge(expr: &Expr, found: &mut Vec<String>) {
    if let Expr::Aggregate(aggregate) = expr {
        found.extend(late(aggregate));
    }
    for child in children(expr) {
        judge(child, found);
    }
}

/// A sum of series that begin with their first event, so that their increase is not known.
fn late(aggregate: &AggregateExpr) -> Option<String> {
    let requests = load_test::REQUESTS.series();
    let by_cause = match &aggregate.modifier {
        Some(LabelModifier::Include(by)) => by.labels.iter().any(|label| label == "cause"),
        Some(LabelModifier::Exclude(_)) | None => false,
    };
    let reads = promql::names_of(&aggregate.expr).contains(&requests);
    (reads && !by_cause).then(|| {
        format!(
            "{requests} has no series of a cause before it fails: only those of {} are there from the start",
            load_test::LATENCY.name
        )
    })
}
