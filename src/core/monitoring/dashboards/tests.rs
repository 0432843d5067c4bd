//! What holds for the boards as they are.

mod panels;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Board, boards,
    files::{self, Form},
    lint::{self, promql},
    not_shown::NOT_SHOWN,
    others,
};
use crate::monitoring::{families, rules};

fn written(form: Form) -> Vec<Value> {
    let files = files::files(form);
    files
        .iter()
        .map(|file| serde_json::from_str(&file.text).unwrap())
        .collect()
}

#[test]
fn the_boards_have_no_findings() {
    for form in [Form::Provisioned, Form::GrafanaCom] {
        for board in written(form) {
            let findings = lint::findings(&board);
            assert!(findings.is_empty(), "{}:\n{}", board["uid"], findings.join("\n"));
        }
    }
}

/// The names of metrics that a board reads.
fn read_by(board: &Board) -> BTreeSet<String> {
    let panels = board.rows.iter().flat_map(|row| &row.panels);
    let queries = panels.flat_map(|panel| &panel.queries);
    queries.flat_map(|query| promql::names(&query.expr)).collect()
}

#[test]
fn each_family_is_on_a_board_in_an_alert_or_not_shown_for_a_reason() {
    let mut read: BTreeSet<String> = boards().iter().flat_map(read_by).collect();
    let alerts = rules::groups().into_iter().flat_map(|group| group.alerts);
    read.extend(alerts.flat_map(|alert| promql::names(&alert.expr)));
    for family in families::all().chain(others::all()) {
        let names = promql::series(&family);
        let is_read = names.iter().any(|name| read.contains(name));
        let reason = NOT_SHOWN.iter().find(|(hidden, _)| *hidden == family);
        match reason {
            None => assert!(is_read, "{} is nowhere: show it, or say why not", family.name),
            Some((_, reason)) => {
                assert!(
                    !is_read,
                    "{} is shown, so there is no reason why not",
                    family.name
                );
                assert!(reason.len() > 30, "{}: {reason}", family.name);
            }
        }
    }
}

#[test]
fn addresses_are_those_that_were_given_out() {
    let uids: Vec<&str> = boards().iter().map(|board| board.uid).collect();
    assert_eq!(
        uids,
        ["vas-load-testing", "vas-autoscaling", "vas-system-performance"]
    );
}

#[test]
fn a_board_fits_into_a_configmap_that_kubectl_applies() {
    for file in files::files(Form::Provisioned) {
        // kubectl writes the whole object as JSON into an annotation, and annotations have 256 KiB in all.
        let escaped = serde_json::to_string(&file.text).unwrap().len();
        assert!(escaped < 240 * 1024, "{} needs {escaped} bytes", file.name);
    }
}

#[test]
fn a_file_for_grafana_com_asks_for_the_data_source() {
    for board in written(Form::GrafanaCom) {
        let source = &board["templating"]["list"][0];
        assert_eq!(source["name"], "datasource");
        assert_eq!(source["current"]["value"], "${DS_PROMETHEUS}");
        assert_eq!(board["__inputs"][0]["name"], "DS_PROMETHEUS");
        let required = board["__requires"].as_array().unwrap();
        let panels = board["panels"].as_array().unwrap();
        for panel in panels.iter().filter(|panel| panel["type"] != "row") {
            assert!(
                required.iter().any(|one| one["id"] == panel["type"]),
                "{}",
                panel["type"]
            );
        }
    }
    let provisioned = written(Form::Provisioned);
    assert!(provisioned.iter().all(|board| board.get("__inputs").is_none()));
}
