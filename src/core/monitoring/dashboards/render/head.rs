//! What stands above the panels: links, variables and annotations.

use serde_json::{Value, json};

use super::datasource;
use crate::monitoring::dashboards::{Board, annotations, variables};

/// The tag of every board of vas.
pub(super) const TAG: &str = "vas";

/// Links to the other boards. They keep what the viewer chose, and the time.
pub(super) fn links(board: &Board, others: &[Board]) -> Vec<Value> {
    let others = others.iter().filter(|other| other.uid != board.uid);
    others
        .map(|other| {
            json!({
                "title": other.title,
                "tooltip": other.description,
                "type": "link",
                "url": format!("/d/{}", other.uid),
                "icon": "dashboard",
                "tags": [],
                "asDropdown": false,
                "targetBlank": false,
                "includeVars": true,
                "keepTime": true,
            })
        })
        .collect()
}

/// The variables, the data source first.
pub(super) fn variables(board: &Board, default: Option<&str>) -> Vec<Value> {
    // Grafana takes its default data source for this word.
    let chosen = default.unwrap_or("default");
    let current = json!({"selected": true, "text": chosen, "value": chosen});
    let source = json!({
        "type": "datasource",
        "name": variables::DATASOURCE,
        "label": "Prometheus",
        "description": "The Prometheus that scrapes vas",
        "query": "prometheus",
        "regex": "",
        "current": current,
        "options": [],
        "refresh": 1,
        "hide": 0,
        "multi": false,
        "includeAll": false,
        "skipUrlSync": false,
    });
    let others = variables::of(board).into_iter().map(|variable| {
        let mut written = json!({
            "type": "query",
            "name": variable.name,
            "label": variable.title,
            "datasource": datasource(),
            "definition": variable.query,
            "query": {"query": variable.query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
            "regex": "",
            "current": {"selected": true, "text": ["All"], "value": ["$__all"]},
            "options": [],
            // 2: whenever the time changes, too.
            "refresh": 2,
            // 1: by the alphabet.
            "sort": 1,
            "hide": 0,
            "multi": true,
            "includeAll": true,
            "skipUrlSync": false,
        });
        if let (true, Some(fields)) = (variable.all_is_any, written.as_object_mut()) {
            fields.insert("allValue".to_owned(), json!(".*"));
        }
        written
    });
    std::iter::once(source).chain(others).collect()
}

/// The annotations of a board.
pub(super) fn annotations() -> Vec<Value> {
    let shown = annotations::all();
    shown
        .into_iter()
        .map(|annotation| {
            json!({
                "name": annotation.name,
                "datasource": datasource(),
                "enable": true,
                "hide": false,
                "iconColor": annotation.color,
                "expr": annotation.expr,
                "titleFormat": annotation.title,
                "textFormat": annotation.text,
                "tagKeys": "",
                "useValueForTime": false,
            })
        })
        .collect()
}
