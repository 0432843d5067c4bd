//! What holds for every alert; what each one does is tested with promtool, in `tests/integration/alerts`.

use std::collections::BTreeSet;

use promql_parser::parser::{self, Expr};

use super::{files::Addresses, *};
use crate::monitoring::families::{self, Family};

fn alerts() -> Vec<Alert> {
    groups().into_iter().flat_map(|group| group.alerts).collect()
}

/// The words of an expression that are names of metrics.
fn names(expr: &str) -> BTreeSet<&str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = expr.split(|char| !is_part(char));
    words.filter(|word| word.starts_with("vas_")).collect()
}

fn family(name: &str) -> Option<Family> {
    families::all().find(|family| family.series() == name)
}

#[test]
fn expressions_are_promql_of_families_that_there_are() {
    for alert in alerts() {
        let parsed = parser::parse(&alert.expr);
        assert!(parsed.is_ok(), "{}: {}: {parsed:?}", alert.name, alert.expr);
        let names = names(&alert.expr);
        assert!(!names.is_empty(), "{}", alert.name);
        for name in names {
            assert!(
                family(name).is_some(),
                "{} reads {name}, which nothing exports",
                alert.name
            );
        }
    }
}

#[test]
fn selectors_have_labels_of_their_family_and_rates_are_of_counters() {
    fn look(expr: &Expr, alert: &str, in_rate: bool) {
        match expr {
            Expr::VectorSelector(selector) => {
                let name = selector.name.as_deref().unwrap_or_default();
                let family = family(name).unwrap_or_else(|| panic!("{alert}: {name}"));
                for matcher in &selector.matchers.matchers {
                    let label = matcher.name.as_str();
                    assert!(
                        label == "__name__" || family.labels.contains(&label),
                        "{alert}: {name} has no label {label}"
                    );
                }
            }
            Expr::MatrixSelector(selector) => {
                let name = selector.vs.name.as_deref().unwrap_or_default();
                let is_counter = family(name).is_some_and(|family| family.kind == families::Kind::Counter);
                assert!(in_rate && is_counter, "{alert}: a rate of {name}");
                look(&Expr::VectorSelector(selector.vs.clone()), alert, in_rate);
            }
            Expr::Call(call) => {
                let in_rate = ["rate", "increase"].contains(&call.func.name);
                call.args.args.iter().for_each(|arg| look(arg, alert, in_rate));
            }
            Expr::Aggregate(aggregate) => look(&aggregate.expr, alert, false),
            Expr::Binary(binary) => {
                look(&binary.lhs, alert, false);
                look(&binary.rhs, alert, false);
            }
            Expr::Paren(paren) => look(&paren.expr, alert, in_rate),
            Expr::Unary(unary) => look(&unary.expr, alert, in_rate),
            Expr::Subquery(subquery) => look(&subquery.expr, alert, in_rate),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
        }
    }
    for alert in alerts() {
        look(&parser::parse(&alert.expr).unwrap(), alert.name, false);
    }
}

#[test]
fn texts_are_whole_and_templates_name_labels_that_the_expression_keeps() {
    for alert in alerts() {
        for text in [alert.summary, alert.description] {
            assert!(text.ends_with('.'), "{}: {text}", alert.name);
        }
        for label in alert.description.split("$labels.").skip(1) {
            let label = label.split([' ', '}']).next().unwrap();
            let kept = alert.expr.split("by (").skip(1).any(|rest| {
                let labels = rest.split(')').next().unwrap_or_default();
                labels.split(", ").any(|one| one == label)
            });
            assert!(kept, "{}: the expression drops {label}", alert.name);
        }
        assert!(alert.name.starts_with("Vas"), "{}", alert.name);
    }
}

#[test]
fn the_files_hold_the_same_rules() {
    let [slim, with_slash] = [
        ["https://docs", "https://grafana"],
        ["https://docs/", "https://grafana/"],
    ]
    .map(|[docs, grafana]| Addresses { docs, grafana });
    let plain = files::plain(slim).unwrap();
    let object = files::prometheus_rule(with_slash).unwrap();
    let parsed = |text: &str| -> serde_json::Value { serde_saphyr::from_str(text).unwrap() };
    let (plain, object) = (parsed(&plain), parsed(&object));
    assert_eq!(plain["groups"], object["spec"]["groups"]);
    let first = &plain["groups"][0]["rules"][0];
    assert_eq!(first["alert"], "VasNoLeader");
    assert_eq!(first["for"], "5m");
    assert_eq!(
        first["annotations"]["runbook_url"],
        "https://docs/runbooks/VasNoLeader.md"
    );
    assert_eq!(
        first["annotations"]["dashboard_url"],
        "https://grafana/d/vas-system-performance"
    );
    let groups = plain["groups"].as_array().unwrap().iter();
    let rules: Vec<_> = groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    let url = |name: &str| {
        let rule = rules.iter().find(|rule| rule["alert"] == name).unwrap();
        rule["annotations"]["dashboard_url"].as_str().unwrap()
    };
    let board = "https://grafana/d/vas-autoscaling?var-namespace={{ $labels.namespace }}";
    assert_eq!(url("VasNotReady"), board);
    assert_eq!(
        url("VasReplicasShort"),
        format!("{board}&var-workload={{{{ $labels.workload }}}}")
    );
}
