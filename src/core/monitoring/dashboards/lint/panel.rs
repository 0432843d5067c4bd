//! Rules for panels: what each one has, and where it stands.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{has_chosen_source, list, panels, text};

/// Panels that Grafana has without a plugin, and that are not deprecated.
const PLUGINS: [&str; 14] = [
    "barchart",
    "bargauge",
    "candlestick",
    "gauge",
    "geomap",
    "heatmap",
    "histogram",
    "logs",
    "piechart",
    "stat",
    "state-timeline",
    "status-history",
    "table",
    "timeseries",
];

/// Units of Grafana that boards about services use. It shows an identifier that it does not know as text behind the value.
const UNITS: [&str; 22] = [
    "none",
    "short",
    "percent",
    "percentunit",
    "string",
    "bool",
    "s",
    "ms",
    "µs",
    "ns",
    "m",
    "h",
    "d",
    "dtdurations",
    "dtdurationms",
    "bytes",
    "decbytes",
    "binBps",
    "Bps",
    "reqps",
    "ops",
    "cps",
];

/// The fields of `fieldConfig.defaults` that Grafana knows.
const FIELDS: [&str; 18] = [
    "displayName",
    "displayNameFromDS",
    "description",
    "path",
    "writeable",
    "filterable",
    "unit",
    "decimals",
    "min",
    "max",
    "mappings",
    "thresholds",
    "color",
    "links",
    "noValue",
    "custom",
    "actions",
    "fieldMinMax",
];

/// The fields of `fieldConfig.defaults.custom` that a plugin knows, as far as boards here use them.
fn custom(plugin: &str) -> &'static [&'static str] {
    match plugin {
        "timeseries" => &[
            "drawStyle",
            "lineInterpolation",
            "lineWidth",
            "lineStyle",
            "fillOpacity",
            "gradientMode",
            "showPoints",
            "pointSize",
            "spanNulls",
            "insertNulls",
            "stacking",
            "thresholdsStyle",
            "axisPlacement",
            "axisLabel",
            "axisSoftMin",
            "axisSoftMax",
            "hideFrom",
            "scaleDistribution",
            "barAlignment",
        ],
        "state-timeline" => &["fillOpacity", "lineWidth", "spanNulls", "insertNulls", "hideFrom"],
        "table" => &[
            "align",
            "cellOptions",
            "inspect",
            "width",
            "minWidth",
            "filterable",
            "hidden",
        ],
        _ => &[],
    }
}

pub(super) fn findings(panel: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for field in ["title", "description"] {
        if text(&panel[field]).is_empty() {
            found.push(format!("it has no {field}"));
        }
    }
    if !text(&panel["description"]).ends_with('.') {
        found.push("its description is no sentence".to_owned());
    }
    let plugin = text(&panel["type"]);
    if !PLUGINS.contains(&plugin) {
        found.push(format!("Grafana has no panel {plugin}"));
    }
    if !has_chosen_source(panel) {
        found.push("it has another data source than the chosen one".to_owned());
    }
    if list(&panel["targets"]).is_empty() {
        found.push("it has no query".to_owned());
    }
    found.extend(fields(plugin, &panel["fieldConfig"]));
    found
}

fn fields(plugin: &str, config: &Value) -> Vec<String> {
    let defaults = &config["defaults"];
    let mut found = Vec::new();
    let overridden = list(&config["overrides"])
        .iter()
        .flat_map(|one| list(&one["properties"]));
    let units = overridden
        .filter(|property| property["id"] == "unit")
        .map(|property| &property["value"]);
    for unit in units.chain([&defaults["unit"]]).map(text) {
        if !UNITS.contains(&unit) && !unit.starts_with("suffix:") {
            found.push(format!("Grafana has no unit {unit:?}"));
        }
    }
    let steps = list(&defaults["thresholds"]["steps"]);
    if steps.first().is_none_or(|step| !step["value"].is_null()) {
        found.push("its thresholds do not begin with a colour for every value".to_owned());
    }
    let values: Vec<f64> = steps.iter().filter_map(|step| step["value"].as_f64()).collect();
    if !values.is_sorted() {
        found.push("its thresholds do not rise".to_owned());
    }
    for (fields, known) in [(defaults, &FIELDS[..]), (&defaults["custom"], custom(plugin))] {
        let names = fields.as_object().into_iter().flat_map(|fields| fields.keys());
        let unknown = names.filter(|name| !known.contains(&name.as_str()));
        found.extend(unknown.map(|name| format!("Grafana knows no field {name} there")));
    }
    found
}

/// Rules for all panels of a board together.
pub(super) fn of_all(board: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    let mut lines = std::collections::BTreeMap::<u64, u64>::new();
    for panel in list(&board["panels"]) {
        let title = text(&panel["title"]);
        if !ids.insert(panel["id"].as_u64()) {
            found.push(format!("{title}: another panel has its id"));
        }
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap_or_default());
        if w == 0 || h == 0 || x + w > 24 {
            found.push(format!("{title}: it does not fit into 24 columns"));
        }
        let cells = (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line)));
        if cells.filter(|cell| !taken.insert(*cell)).count() > 0 {
            found.push(format!("{title}: it lies over another panel"));
        }
        *lines.entry(y).or_default() += w;
    }
    let gaps = lines.iter().filter(|(_, width)| **width < 24);
    found.extend(gaps.map(|(y, width)| format!("the panels at line {y} fill {width} of 24 columns")));
    let mut titles = BTreeSet::new();
    let twice = panels(board).filter(|panel| !titles.insert((row_of(board, panel), text(&panel["title"]))));
    found
        .extend(twice.map(|panel| format!("{}: two panels of a row have this title", text(&panel["title"]))));
    found
}

/// The heading above a panel.
fn row_of<'a>(board: &'a Value, panel: &Value) -> &'a str {
    let before = list(&board["panels"]).iter().take_while(|one| *one != panel);
    before
        .filter(|one| one["type"] == "row")
        .last()
        .map_or("", |row| text(&row["title"]))
}
