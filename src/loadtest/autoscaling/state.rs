//! The state of a watched workload in a few words, for the progress of a load.

use super::observer::Observer;

/// The Ready replicas, and the metric that is highest above its target: `4 of 8 replicas Ready, request-rate
/// 132% of its target`.
pub(crate) fn in_words(observer: &Observer) -> String {
    let now = observer.replicas();
    let values = observer
        .ratios()
        .iter()
        .filter_map(|(name, ratio)| Some((name, (*ratio)?)));
    let highest = values.max_by(|one, other| one.1.total_cmp(&other.1));
    let metric = highest.map_or_else(
        || "no metric has a value".to_owned(),
        |(name, ratio)| format!("{name} {:.0}% of its target", 100.0 * ratio),
    );
    format!("{} of {} replicas Ready, {metric}", now.ready, now.desired)
}
