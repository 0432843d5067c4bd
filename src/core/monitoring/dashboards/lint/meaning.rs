//! Rules for what a panel would hide: series that an expression loses, and values that its axis has no room for.

use promql_parser::parser::{AggregateExpr, BinaryExpr, Expr, LabelModifier, VectorMatchCardinality};
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
    let first = defaults["thresholds"]["steps"][1]["value"].as_f64();
    if let (Some(first), Some(max)) = (first, defaults["max"].as_f64())
        && first < max / 10.0
    {
        found.push("its first colour begins at the bottom of its axis, which has no room for it".to_owned());
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

fn of_target(panel: &Value, target: &Value) -> Vec<String> {
    let Ok(expr) = promql::parsed(text(&target["expr"])) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    judge(&expr, &mut found);
    let legend = text(&target["legendFormat"]);
    if legend.contains("{{workload}}") && !legend.contains("{{scaling}}") {
        found.push("it names a workload without its resource".to_owned());
    }
    if text(&target["expr"]).contains("[$__interval]") && text(&target["interval"]).is_empty() {
        found.push("[$__interval] may be as short as a scrape".to_owned());
    }
    let is_over_time = ["timeseries", "state-timeline"].contains(&text(&panel["type"]));
    let has_namespaces = promql::names_of(&expr)
        .iter()
        .any(|name| promql::family(name).is_some_and(|family| family.labels.contains(&"namespace")));
    if is_over_time && has_namespaces && !legend.contains("{{namespace}}") {
        found.push("it mixes namespaces, which may be environments".to_owned());
    }
    found
}

fn judge(expr: &Expr, found: &mut Vec<String>) {
    if let Expr::Aggregate(aggregate) = expr {
        found.extend(late(aggregate));
    }
    if let Expr::Binary(binary) = expr {
        found.extend(ambiguous(binary));
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

/// A join whose right side may have two series for one of the left, which Prometheus refuses as a whole.
fn ambiguous(binary: &BinaryExpr) -> Option<String> {
    let modifier = binary.modifier.as_ref()?;
    let VectorMatchCardinality::ManyToOne(_) = modifier.card else {
        return None;
    };
    let Some(LabelModifier::Include(on)) = &modifier.matching else {
        return Some("it joins without on".to_owned());
    };
    let is_one = match &*binary.rhs {
        Expr::Aggregate(aggregate) => {
            let by = match &aggregate.modifier {
                Some(LabelModifier::Include(by)) => by.labels.as_slice(),
                Some(LabelModifier::Exclude(_)) | None => &[],
            };
            let one = match aggregate.param.as_deref() {
                Some(Expr::NumberLiteral(number)) => number.val <= 1.0,
                _ => true,
            };
            one && by.iter().all(|label| on.labels.contains(label)) && by.len() == on.labels.len()
        }
        _ => false,
    };
    (!is_one).then(|| {
        format!(
            "two series of the right side break it: take topk by ({}) (1, ...)",
            on.labels.join(", ")
        )
    })
}
