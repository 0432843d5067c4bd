//! Samples of `/metrics` of a gateway.

use std::collections::BTreeMap;

/// The samples of a family, by their labels as the family has them, without quotes.
pub(crate) fn samples(metrics: &str, family: &str) -> BTreeMap<String, f64> {
    let lines = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(family)?.strip_prefix('{'));
    let samples = lines.filter_map(|line| line.rsplit_once("} "));
    samples
        .map(|(labels, value)| (labels.replace('"', ""), value.parse().unwrap_or(f64::NAN)))
        .collect()
}

/// The mean of what each histogram of a family observed, by its labels.
pub(crate) fn means(metrics: &str, family: &str) -> BTreeMap<String, f64> {
    let sums = samples(metrics, &format!("{family}_sum"));
    let counts = samples(metrics, &format!("{family}_count"));
    sums.into_iter()
        .filter_map(|(labels, sum)| Some((labels.clone(), sum / counts.get(&labels)?)))
        .collect()
}
