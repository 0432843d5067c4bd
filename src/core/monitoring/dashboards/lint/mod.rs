//! Rules for the JSON of boards: those of Grafana's dashboard-linter, and what Grafana overlooks without a word.
//!
//! ```text
//! board   address, links, variables, annotations, time
//! panel   description, unit, thresholds, plugin, place, fields
//! target  the data source and legend of a query
//! meaning what a panel would hide
//! promql  names, labels, rates and quantiles of an expression
//! ```
//!
//! Of dashboard-linter two rules are left out: matchers of `job` and `instance`. Names of vas' metrics are its own, and
//! nobody has to know the names of scrape jobs.

mod board;
mod meaning;
mod panel;
pub(super) mod promql;
mod target;
mod tests;

use serde_json::Value;

/// What is wrong with a board, each with the panel where it is.
pub(super) fn findings(written: &Value) -> Vec<String> {
    let mut found = board::findings(written);
    found.extend(panel::of_all(written));
    for one in panels(written) {
        let title = one["title"].as_str().unwrap_or("(a panel without a title)");
        let of_panel = [
            panel::findings(one),
            target::findings(one),
            meaning::findings(one),
        ]
        .concat();
        found.extend(of_panel.into_iter().map(|finding| format!("{title}: {finding}")));
    }
    found
}

/// The elements of a list; none where there is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The text of a field; empty where there is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The panels of a board that show something.
fn panels(board: &Value) -> impl Iterator<Item = &Value> {
    list(&board["panels"])
        .iter()
        .filter(|panel| panel["type"] != "row")
}

/// Whether something reads the data source that the viewer chose.
fn has_chosen_source(value: &Value) -> bool {
    value["datasource"]["type"] == "prometheus" && value["datasource"]["uid"] == "${datasource}"
}
