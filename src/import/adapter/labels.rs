//! Settings of the metrics server that the labels of the rules need.

use std::collections::BTreeSet;

use super::config::Rule;

/// The flags of `vas metrics-server` that the rules in use need, or what to write into its configuration if
/// no flag is enough.
pub(super) fn notes(used: &[&Rule]) -> Vec<String> {
    let named =
        |of: fn(&Rule) -> Option<String>| used.iter().copied().filter_map(of).collect::<BTreeSet<String>>();
    let kinds = [
        (
            "namespace",
            "namespaceLabel",
            named(|rule| rule.resources.namespace()),
        ),
        ("pod", "podLabel", named(|rule| rule.resources.pod())),
    ];
    let notes = kinds.into_iter().filter_map(|(usual, field, labels)| {
        let list: Vec<&str> = labels.iter().map(String::as_str).collect();
        match list.as_slice() {
            [] => None,
            [one] if *one == usual => None,
            [one] => Some(format!("run vas metrics-server with --{usual}-label={one}")),
            several => Some(format!(
                "the rules name the {usual} by several labels ({}), and one Prometheus has one in vas: list it once for \
                 each in the --config of vas metrics-server, with its {field}, and set prometheusServer in the entries",
                several.join(", ")
            )),
        }
    });
    notes.collect()
}
