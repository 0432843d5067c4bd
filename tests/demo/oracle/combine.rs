//! Combines the proposals of all metrics into one, for every combination of samples that may have been seen.

use std::collections::BTreeSet;

/// The possible proposals of one metric; `None` is an error.
pub(super) type Proposals = BTreeSet<Option<i32>>;

/// The possible proposals of all metrics together; `None` is a failed sync, which changes nothing and is not
/// remembered.
///
/// The largest proposal counts. A failing metric forbids to go below the current count, because it might
/// have asked for more.
pub(super) fn combine<'a>(metrics: impl IntoIterator<Item = &'a Proposals>, current: i32) -> Proposals {
    let mut states = BTreeSet::from([State::default()]);
    for proposals in metrics {
        states = states
            .iter()
            .flat_map(|state| proposals.iter().map(|proposal| state.with(*proposal)))
            .collect();
    }
    states.iter().map(|state| state.outcome(current)).collect()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    best: Option<i32>,
    failing: bool,
}

impl State {
    fn with(self, proposal: Option<i32>) -> Self {
        Self {
            best: self.best.max(proposal),
            failing: self.failing || proposal.is_none(),
        }
    }

    fn outcome(self, current: i32) -> Option<i32> {
        self.best.filter(|best| !self.failing || *best >= current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combined(metrics: &[&[Option<i32>]], current: i32) -> Vec<Option<i32>> {
        let metrics: Vec<Proposals> = metrics
            .iter()
            .map(|options| options.iter().copied().collect())
            .collect();
        combine(&metrics, current).into_iter().collect()
    }

    #[test]
    fn the_largest_proposal_counts() {
        assert_eq!(combined(&[&[Some(2)], &[Some(5)], &[Some(3)]], 4), [Some(5)]);
    }

    #[test]
    fn one_failing_metric_blocks_the_way_down_only() {
        assert_eq!(combined(&[&[Some(2)], &[None]], 4), [None]);
        assert_eq!(combined(&[&[Some(4)], &[None]], 4), [Some(4)]);
        assert_eq!(combined(&[&[Some(6)], &[None]], 4), [Some(6)]);
    }

    #[test]
    fn if_all_metrics_fail_nothing_happens() {
        assert_eq!(combined(&[&[None], &[None]], 4), [None]);
    }

    #[test]
    fn every_combination_of_samples_is_considered() {
        let outcome = combined(&[&[Some(3), Some(6)], &[Some(5), None]], 4);
        assert_eq!(outcome, [None, Some(5), Some(6)]);
    }
}
