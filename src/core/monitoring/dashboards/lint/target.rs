//! Rules for the queries of a panel.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{has_chosen_source, list, promql, text};

pub(super) fn findings(panel: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut letters = BTreeSet::new();
    for target in list(&panel["targets"]) {
        let letter = text(&target["refId"]);
        let mut of_this = Vec::new();
        if letter.is_empty() || !letters.insert(letter) {
            of_this.push("its letter is that of another one".to_owned());
        }
        if !has_chosen_source(target) {
            of_this.push("it has another data source than the chosen one".to_owned());
        }
        let legend = text(&target["legendFormat"]);
        if legend.is_empty() {
            of_this.push("it has no legend".to_owned());
        }
        let judged = promql::judged(text(&target["expr"]));
        of_this.extend(promql::unknown_labels(legend, &judged.labels));
        of_this.extend(judged.findings);
        if panel["type"] != "table" && target["instant"] == target["range"] {
            of_this.push("it asks for neither a moment nor a range, or for both".to_owned());
        }
        found.extend(
            of_this
                .into_iter()
                .map(|finding| format!("query {letter}: {finding}")),
        );
    }
    let letters: Vec<&str> = letters.into_iter().collect();
    for matcher in list(&panel["fieldConfig"]["overrides"])
        .iter()
        .map(|one| &one["matcher"])
    {
        if matcher["id"] == "byFrameRefID" && !letters.contains(&text(&matcher["options"])) {
            found.push(format!(
                "an override is for query {}, which there is not",
                matcher["options"]
            ));
        }
    }
    found
}
