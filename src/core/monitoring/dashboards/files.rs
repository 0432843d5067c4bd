//! The files of the boards, for provisioning and for grafana.com.

use serde_json::{Value, json};

use super::{Board, boards, panel::Look, render};

/// The name by which a file for grafana.com asks whoever imports it for a data source.
const INPUT: &str = "DS_PROMETHEUS";
/// The oldest Grafana that takes the boards.
const OLDEST_GRAFANA: &str = "10.0.0";

/// What the files are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Provisioning: Grafana reads them as they are, and takes its default data source at first.
    Provisioned,
    /// grafana.com, and imports by hand: the data source is asked for.
    GrafanaCom,
}

/// A file with a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its text, which is JSON and ends with a line break.
    pub text: String,
}

/// The files of all boards.
pub fn files(form: Form) -> Vec<File> {
    let boards = boards();
    boards
        .iter()
        .map(|board| File {
            name: format!("{}.json", board.uid),
            text: format!("{:#}\n", json(board, &boards, form)),
        })
        .collect()
}

fn json(board: &Board, all: &[Board], form: Form) -> Value {
    match form {
        Form::Provisioned => render::board(board, all, None),
        Form::GrafanaCom => {
            let input = format!("${{{INPUT}}}");
            let mut written = render::board(board, all, Some(&input));
            if let Some(fields) = written.as_object_mut() {
                fields.insert("__inputs".to_owned(), inputs());
                fields.insert("__requires".to_owned(), requires(board));
            }
            written
        }
    }
}

fn inputs() -> Value {
    json!([{
        "name": INPUT,
        "label": "Prometheus",
        "description": "The Prometheus that scrapes vas",
        "type": "datasource",
        "pluginId": "prometheus",
        "pluginName": "Prometheus",
    }])
}

/// What has to be there: Grafana, the data source, and the plugins of the panels.
fn requires(board: &Board) -> Value {
    let looks = [Look::States, Look::Number, Look::Table, Look::Lines];
    let names = ["State timeline", "Stat", "Table", "Time series"];
    let panels = board.rows.iter().flat_map(|row| &row.panels);
    let used: Vec<&str> = panels.map(|panel| panel.look.plugin()).collect();
    let plugins = looks.into_iter().map(Look::plugin).zip(names);
    let plugins = plugins.filter(|(id, _)| used.contains(id));
    let plugins = plugins.map(|(id, name)| json!({"type": "panel", "id": id, "name": name, "version": ""}));
    let grafana = json!({"type": "grafana", "id": "grafana", "name": "Grafana", "version": OLDEST_GRAFANA});
    let source = json!({"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"});
    [grafana, source].into_iter().chain(plugins).collect()
}
