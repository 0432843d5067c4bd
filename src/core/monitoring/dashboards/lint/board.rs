//! Rules for a whole board.

use serde_json::{Value, json};

use super::{has_chosen_source, list, promql, text};

pub(super) fn findings(board: &Value) -> Vec<String> {
    [
        settings(board),
        links(board),
        variables(board),
        annotations(board),
    ]
    .concat()
}

fn settings(board: &Value) -> Vec<String> {
    let wanted = [
        ("id", Value::Null),
        ("editable", json!(false)),
        ("schemaVersion", json!(39)),
        ("refresh", json!("10s")),
    ];
    let mut found: Vec<String> = wanted
        .into_iter()
        .filter(|(field, value)| board.get(field) != Some(value))
        .map(|(field, value)| format!("{field} is not {value}"))
        .collect();
    for field in ["uid", "title", "description"] {
        if text(&board[field]).is_empty() {
            found.push(format!("there is no {field}"));
        }
    }
    if text(&board["uid"]).len() > 40 {
        found.push("the uid has more than 40 characters".to_owned());
    }
    found
}

fn links(board: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let links = list(&board["links"]);
    if links.len() < 2 {
        found.push("it does not link to the other boards".to_owned());
    }
    for link in links {
        if link["includeVars"] != true || link["keepTime"] != true {
            found.push(format!("the link to {} loses variables or the time", link["url"]));
        }
        if link["url"] == format!("/d/{}", text(&board["uid"])) {
            found.push("it links to itself".to_owned());
        }
    }
    found
}

fn variables(board: &Value) -> Vec<String> {
    let variables = list(&board["templating"]["list"]);
    let mut found = Vec::new();
    let names: Vec<&str> = variables.iter().map(|variable| text(&variable["name"])).collect();
    for wanted in ["datasource", "environment", "namespace", "workload", "pod"] {
        if !names.contains(&wanted) {
            found.push(format!("there is no variable {wanted}"));
        }
    }
    for variable in variables {
        let name = text(&variable["name"]);
        if variable["type"] == "datasource" {
            if variable["query"] != "prometheus" || name != "datasource" {
                found.push(format!("variable {name} is not the Prometheus data source"));
            }
            continue;
        }
        if variable["refresh"] != 2 {
            found.push(format!("variable {name} is not reloaded when the time changes"));
        }
        if variable["multi"] != true || variable["includeAll"] != true {
            found.push(format!("variable {name} does not take several values or All"));
        }
        if !has_chosen_source(variable) {
            found.push(format!("variable {name} has another data source"));
        }
        if !is_used(board, name) {
            found.push(format!("variable {name} is used nowhere"));
        }
        found.extend(of_label(name, text(&variable["query"]["query"])));
    }
    found
}

/// Whether a query, or the query of another variable, reads a variable.
fn is_used(board: &Value, name: &str) -> bool {
    let read = format!("${name}\"");
    let targets = super::panels(board).flat_map(|panel| list(&panel["targets"]));
    let in_panels = targets.map(|target| text(&target["expr"]));
    let variables = list(&board["templating"]["list"]).iter();
    let in_variables = variables.map(|variable| text(&variable["query"]["query"]));
    in_panels.chain(in_variables).any(|expr| expr.contains(&read))
}

/// The query of a variable: `label_values(series, label)`.
fn of_label(name: &str, query: &str) -> Vec<String> {
    let inner = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.rsplit_once(", "));
    let Some((series, label)) = inner else {
        return vec![format!(
            "variable {name}: {query} is no label_values(series, label)"
        )];
    };
    let judged = promql::judged(series);
    let mut found = judged.findings;
    if !judged.labels.contains(label) {
        found.push(format!("{series} has no label {label}"));
    }
    found
        .into_iter()
        .map(|finding| format!("variable {name}: {finding}"))
        .collect()
}

fn annotations(board: &Value) -> Vec<String> {
    let annotations = list(&board["annotations"]["list"]);
    let mut found = Vec::new();
    if annotations.len() < 4 {
        found.push("an annotation is missing".to_owned());
    }
    for annotation in annotations {
        let name = text(&annotation["name"]);
        let judged = promql::judged(text(&annotation["expr"]));
        let mut of_this = judged.findings;
        if !has_chosen_source(annotation) {
            of_this.push("it has another data source".to_owned());
        }
        for format in ["titleFormat", "textFormat"] {
            of_this.extend(promql::unknown_labels(text(&annotation[format]), &judged.labels));
        }
        found.extend(
            of_this
                .into_iter()
                .map(|finding| format!("annotation {name}: {finding}")),
        );
    }
    found
}
