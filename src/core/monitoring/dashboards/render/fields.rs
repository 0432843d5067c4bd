//! Unit, colours and words of a panel's values, and how its series are drawn.

use serde_json::{Map, Value, json};

use crate::monitoring::dashboards::{
    panel::{Color, Look, Panel, Unit},
    query::Style,
};

/// The field `fieldConfig`.
pub(super) fn config(panel: &Panel) -> Value {
    let mut defaults = json!({
        "unit": panel.unit.id(),
        "color": {"mode": if is_by_name(panel.look) { "palette-classic" } else { "thresholds" }},
        "thresholds": {"mode": "absolute", "steps": steps(panel)},
        "mappings": mappings(panel),
        "custom": custom(panel),
    });
    if let Some(fields) = defaults.as_object_mut() {
        if is_by_name(panel.look) {
            fields.insert("min".to_owned(), json!(0));
        }
        if let Some(words) = panel.no_value {
            fields.insert("noValue".to_owned(), json!(words));
        }
        if let Some(max) = panel.max {
            fields.insert("max".to_owned(), json!(max));
        }
    }
    json!({"defaults": defaults, "overrides": overrides(panel)})
}

/// Whether series have colours by their names, and not by their values.
fn is_by_name(look: Look) -> bool {
    matches!(look, Look::Lines | Look::Stacked | Look::Bars)
}

/// The colours by value. The first one has no least value.
fn steps(panel: &Panel) -> Vec<Value> {
    let usual = if panel.thresholds.is_empty() {
        Color::Blue
    } else {
        Color::Green
    };
    let base = panel.base.unwrap_or(usual);
    let first = json!({"value": null, "color": base.name()});
    let further = panel.thresholds.iter();
    let further = further.map(|step| json!({"value": step.from, "color": step.color.name()}));
    std::iter::once(first).chain(further).collect()
}

fn mappings(panel: &Panel) -> Vec<Value> {
    if panel.words.is_empty() {
        return Vec::new();
    }
    let words: Map<String, Value> = panel
        .words
        .iter()
        .zip(0_u32..)
        .map(|(word, index)| {
            let shown = json!({"text": word.text, "color": word.color.name(), "index": index});
            (word.value.to_string(), shown)
        })
        .collect();
    vec![json!({"type": "value", "options": words})]
}

fn custom(panel: &Panel) -> Value {
    let bounds = if panel.thresholds.is_empty() {
        "off"
    } else {
        "dashed"
    };
    match panel.look {
        Look::Lines => over_time("line", 0, "none", bounds),
        Look::Stacked => over_time("line", 40, "normal", bounds),
        Look::Bars => over_time("bars", 60, "none", bounds),
        Look::States => json!({"fillOpacity": 70, "lineWidth": 0}),
        Look::Table => json!({"align": "auto", "cellOptions": {"type": "auto"}, "inspect": false}),
        Look::Number => json!({}),
    }
}

fn over_time(style: &str, opacity: u32, stacking: &str, bounds: &str) -> Value {
    json!({
        "drawStyle": style,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": opacity,
        "gradientMode": "none",
        "showPoints": "auto",
        "pointSize": 4,
        // A gap in the data is a gap in the line.
        "spanNulls": false,
        "stacking": {"group": "A", "mode": stacking},
        "thresholdsStyle": {"mode": bounds},
    })
}

/// What differs in the series of single queries.
fn overrides(panel: &Panel) -> Vec<Value> {
    let styled = ('A'..='Z').zip(&panel.queries).filter_map(|(letter, query)| {
        let properties = match query.style {
            Style::Usual => return None,
            Style::Dashed => json!([{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}}]),
            Style::RightAxis(unit) => json!([
                {"id": "custom.axisPlacement", "value": "right"},
                {"id": "unit", "value": unit.id()},
            ]),
            Style::Alarm => json!([
                {"id": "unit", "value": Unit::Count.id()},
                {"id": "thresholds", "value": {"mode": "absolute", "steps": [
                    {"value": null, "color": Color::Green.name()},
                    {"value": 1, "color": Color::Red.name()},
                ]}},
            ]),
        };
        Some(json!({"matcher": {"id": "byFrameRefID", "options": letter.to_string()}, "properties": properties}))
    });
    styled.collect()
}
