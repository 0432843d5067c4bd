//! Picks one proposal from those of all metrics.

/// What all metrics of an HPA propose together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combined {
    /// The largest proposal counts.
    Proposal {
        /// Replicas that the HPA wants, before its limits and its `behavior` apply.
        replicas: i32,
        /// Index in `spec.metrics` of the first metric that proposes them.
        metric: usize,
    },
    /// Some metrics have no value, and the others propose fewer replicas than there are. The controller then
    /// does nothing: it never scales down while a metric is missing.
    Blocked {
        /// Replicas that the other metrics propose.
        replicas: i32,
        /// Index in `spec.metrics` of the first metric that proposes them.
        metric: usize,
    },
    /// No metric has a value.
    Nothing,
}

/// Takes the largest proposal. `proposals` has one entry per metric, `None` for a metric without a proposal;
/// `current` is the target's `spec.replicas`. Example with 4 replicas: no value and 5 give 5, while no value
/// and 3 are blocked.
#[must_use]
pub fn combine(proposals: &[Option<i32>], current: i32) -> Combined {
    let mut best: Option<(usize, i32)> = None;
    for (metric, proposal) in proposals.iter().enumerate() {
        // computeReplicasForMetrics: a best of 0 is replaced even by another 0, so a later metric is named.
        if let Some(replicas) = *proposal
            && best.is_none_or(|(_, best)| best == 0 || replicas > best)
        {
            best = Some((metric, replicas));
        }
    }
    let partial = proposals.iter().any(Option::is_none);
    // computeReplicasForMetrics fails if all metrics are invalid, or if some are and the best is below
    // `current`.
    match best {
        None => Combined::Nothing,
        Some((metric, replicas)) if partial && replicas < current => Combined::Blocked { replicas, metric },
        Some((metric, replicas)) => Combined::Proposal { replicas, metric },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_proposal_counts_and_the_first_of_equals_decides() {
        assert_eq!(
            combine(&[Some(3), Some(5), Some(5)], 4),
            Combined::Proposal {
                replicas: 5,
                metric: 1
            }
        );
    }

    #[test]
    fn a_missing_metric_blocks_scaling_down_and_nothing_else() {
        let proposal = |replicas| Combined::Proposal { replicas, metric: 1 };
        assert_eq!(combine(&[None, Some(5)], 4), proposal(5));
        assert_eq!(combine(&[None, Some(4)], 4), proposal(4));
        assert_eq!(
            combine(&[None, Some(3)], 4),
            Combined::Blocked {
                replicas: 3,
                metric: 1
            }
        );
        assert_eq!(
            combine(&[Some(3)], 4),
            Combined::Proposal {
                replicas: 3,
                metric: 0
            }
        );
    }

    #[test]
    fn without_any_value_nothing_is_proposed() {
        assert_eq!(combine(&[None, None], 4), Combined::Nothing);
        assert_eq!(combine(&[], 4), Combined::Nothing);
    }
}
