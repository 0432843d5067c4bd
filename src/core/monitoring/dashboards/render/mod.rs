//! A board as Grafana's classic JSON: schema 39, which Grafana 10 to 13 take.
//!
//! ```text
//! panel   a panel with its queries
//! fields  unit, colours and words of its values, and how its series are drawn
//! head    links, variables and annotations
//! ```
//!
//! Invariant: no field is written that Grafana does not know, because it drops such fields without a word.

mod fields;
mod head;
mod panel;

use serde_json::{Value, json};

use super::{
    Board,
    layout::{COLUMNS, HEADING, Place, placed},
    variables::DATASOURCE,
};

/// The schema of the JSON.
const SCHEMA: u32 = 39;

/// The JSON of a board that links to `others`. `default` is the data source that is chosen at first; without one Grafana
/// chooses its default.
pub(super) fn board(board: &Board, others: &[Board], default: Option<&str>) -> Value {
    json!({
        "uid": board.uid,
        "id": null,
        "title": board.title,
        "description": board.description,
        "tags": [head::TAG],
        "editable": false,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA,
        "version": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "fiscalYearStartMonth": 0,
        "weekStart": "",
        "links": head::links(board, others),
        "templating": {"list": head::variables(board, default)},
        "annotations": {"list": head::annotations()},
        "panels": panels(board),
    })
}

/// The data source that the viewer chose.
fn datasource() -> Value {
    json!({"type": "prometheus", "uid": format!("${{{DATASOURCE}}}")})
}

fn panels(board: &Board) -> Vec<Value> {
    let mut written = Vec::new();
    let (mut id, mut y) = (0_u32, 0);
    let mut next_id = || {
        id += 1;
        id
    };
    for row in &board.rows {
        let heading = Place {
            x: 0,
            y,
            w: COLUMNS,
            h: HEADING,
        };
        written.push(json!({
            "id": next_id(),
            "type": "row",
            "title": row.title,
            "collapsed": false,
            "gridPos": grid(heading),
            "panels": [],
        }));
        let (places, next) = placed(&row.panels, y + HEADING);
        for (shown, place) in row.panels.iter().zip(places) {
            written.push(panel::panel(shown, next_id(), &grid(place)));
        }
        y = next;
    }
    written
}

fn grid(Place { x, y, w, h }: Place) -> Value {
    json!({"x": x, "y": y, "w": w, "h": h})
}
