//! A panel with its queries, and the options of its plugin.

use serde_json::{Value, json};

use super::{datasource, fields};
use crate::monitoring::dashboards::{
    panel::{Look, Panel},
    query::Query,
};

/// A panel at its place. `id` is its own on the board.
pub(super) fn panel(panel: &Panel, id: u32, grid: &Value) -> Value {
    let targets: Vec<Value> = ('A'..='Z')
        .zip(&panel.queries)
        .map(|(letter, query)| target(panel, letter, query))
        .collect();
    let mut written = json!({
        "id": id,
        "type": panel.look.plugin(),
        "title": panel.title,
        "description": panel.description,
        "datasource": datasource(),
        "gridPos": grid,
        "fieldConfig": fields::config(panel),
        "options": options(panel),
        "targets": targets,
    });
    if let (Look::Table, Some(fields)) = (panel.look, written.as_object_mut()) {
        fields.insert("transformations".to_owned(), transformations(panel));
    }
    written
}

fn target(panel: &Panel, letter: char, query: &Query) -> Value {
    let instant = panel.look.is_instant();
    let format = if panel.look == Look::Table {
        "table"
    } else {
        "time_series"
    };
    let mut written = json!({
        "refId": letter.to_string(),
        "datasource": datasource(),
        "expr": query.expr,
        "legendFormat": query.legend,
        "format": format,
        "instant": instant,
        "range": !instant,
        "editorMode": "code",
    });
    if let (Some(step), Some(fields)) = (panel.look.least_step(), written.as_object_mut()) {
        fields.insert("interval".to_owned(), json!(step));
    }
    written
}

fn options(panel: &Panel) -> Value {
    let legend = json!({"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"]});
    let tooltip = json!({"mode": "multi", "sort": "desc"});
    match panel.look {
        Look::Lines | Look::Stacked | Look::Bars => json!({"legend": legend, "tooltip": tooltip}),
        Look::Number => json!({
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
            "showPercentChange": false,
            "textMode": if panel.names { "name" } else { "auto" },
            "wideLayout": true,
        }),
        Look::States => json!({
            "alignValue": "left",
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
            "mergeValues": true,
            "rowHeight": 0.9,
            "showValue": "auto",
            "tooltip": {"mode": "single", "sort": "none"},
        }),
        Look::Table => json!({"cellHeight": "sm", "frameIndex": 0, "showHeader": true}),
    }
}

/// One table of all queries, without the time, and with the columns of values under the names of their queries.
fn transformations(panel: &Panel) -> Value {
    let one = panel.queries.len() == 1;
    let names: serde_json::Map<String, Value> = ('A'..='Z')
        .zip(&panel.queries)
        .map(|(letter, query)| {
            let column = if one {
                "Value".to_owned()
            } else {
                format!("Value #{letter}")
            };
            (column, json!(query.legend))
        })
        .collect();
    json!([
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": true}, "indexByName": {}, "renameByName": names}},
    ])
}
