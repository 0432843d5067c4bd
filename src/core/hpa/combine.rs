//! Picks one proposal from those of all metrics.

use super::conditions::Reason;

/// The proposals of the metrics so far (`computeReplicasForMetrics`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Combining {
    metrics: usize,
    failed: usize,
    /// Why the first metric without a proposal has none.
    first_failure: Option<Reason>,
    best: Option<(i32, usize)>,
}

/// What all metrics of an HPA propose together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Combined {
    /// The largest proposal counts: so many replicas, by the metric at this position.
    Proposal(i32, usize),
    /// Some metrics have no value, and the others propose fewer replicas than there are. The controller then
    /// does nothing: it never scales down while a metric is missing. The reason is that of the first failure.
    Blocked(i32, usize, Reason),
    /// No metric has a value.
    Nothing(Reason),
}

impl Combining {
    /// Adds the next metric in the order of `spec.metrics`.
    pub(super) fn add(&mut self, proposal: Result<i32, Reason>) {
        match proposal {
            // A best of 0 is replaced even by another 0, so a later metric is named.
            Ok(replicas) => {
                if self.best.is_none_or(|(best, _)| best == 0 || replicas > best) {
                    self.best = Some((replicas, self.metrics));
                }
            }
            Err(reason) => {
                self.failed += 1;
                self.first_failure.get_or_insert(reason);
            }
        }
        self.metrics += 1;
    }

    /// Takes the largest proposal; `current` is the target's `spec.replicas`. Example with 4 replicas: no value
    /// and 5 give 5, while no value and 3 are blocked.
    pub(super) fn result(self, current: i32) -> Combined {
        let reason = self.first_failure.unwrap_or(Reason::InvalidMetricSourceType);
        match self.best {
            None => Combined::Nothing(reason),
            Some((replicas, metric)) if self.failed > 0 && replicas < current => {
                Combined::Blocked(replicas, metric, reason)
            }
            Some((replicas, metric)) => Combined::Proposal(replicas, metric),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Result<i32, Reason> = Err(Reason::FailedGetPodsMetric);

    fn combine(proposals: &[Result<i32, Reason>]) -> Combined {
        let mut all = Combining::default();
        for proposal in proposals {
            all.add(*proposal);
        }
        all.result(4)
    }

    #[test]
    fn the_largest_proposal_counts_and_the_first_of_equals_decides() {
        assert_eq!(combine(&[Ok(3), Ok(5), Ok(5)]), Combined::Proposal(5, 1));
        assert_eq!(combine(&[Ok(0), Ok(0)]), Combined::Proposal(0, 1));
        assert_eq!(combine(&[Ok(-7), Ok(-2)]), Combined::Proposal(-2, 1));
    }

    #[test]
    fn a_missing_metric_blocks_scaling_down_and_nothing_else() {
        assert_eq!(combine(&[FAILED, Ok(5)]), Combined::Proposal(5, 1));
        assert_eq!(combine(&[FAILED, Ok(4)]), Combined::Proposal(4, 1));
        let later = Err(Reason::FailedGetExternalMetric);
        let blocked = Combined::Blocked(3, 1, Reason::FailedGetPodsMetric);
        assert_eq!(combine(&[FAILED, Ok(3), later]), blocked);
        assert_eq!(combine(&[Ok(3)]), Combined::Proposal(3, 0));
    }

    #[test]
    fn without_any_value_nothing_is_proposed_for_the_first_reason() {
        let later = Err(Reason::FailedGetExternalMetric);
        assert_eq!(
            combine(&[FAILED, later]),
            Combined::Nothing(Reason::FailedGetPodsMetric)
        );
    }
}
