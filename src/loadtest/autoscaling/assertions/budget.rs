//! Checks that the PodDisruptionBudget is respected: no pod leaves while the budget needs it.

use crate::model::{
    check::{Area, Check},
    scaling::{Budget, Scaling},
};

/// How much later than the replicas the status of the budget may change, in seconds.
const LATER: f64 = 5.0;

/// The check; `None` without a budget. While replicas are added, a budget in percent asks for more pods than
/// there are yet. So only a pod that leaves at such a time breaks the budget.
pub(super) fn check(scaling: &Scaling) -> Option<Check> {
    scaling.budget.first()?;
    let broken = scaling.replicas.windows(2).find_map(|pair| {
        let [before, now] = pair else {
            return None;
        };
        let until = scaling.budget.partition_point(|budget| budget.at <= now.at);
        // The status of the budget follows the replicas a little later. Until then the smaller of the two
        // values counts.
        let soon = |budget: &&Budget| budget.at <= now.at + LATER;
        let wanted = [until.checked_sub(1), Some(until)]
            .into_iter()
            .flatten()
            .filter_map(|index| scaling.budget.get(index))
            .filter(soon)
            .map(|budget| budget.wanted)
            .min()?;
        (now.ready < before.ready && now.ready < wanted).then(|| {
            format!(
                "{} Ready at {:.0}s, where {wanted} had to stay",
                now.ready, now.at
            )
        })
    });
    Some(Check {
        name: "PodDisruptionBudget respected".to_owned(),
        area: Area::Stability,
        passed: broken.is_none(),
        measured: broken.unwrap_or_else(|| "no pod left that had to stay".to_owned()),
        hint: None,
}.or("pods fail their readiness probe under load, or are deleted past the eviction API: look at their events"))
}
