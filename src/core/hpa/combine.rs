//! One proposal out of all metrics.

/// What the metrics say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combined {
    /// The largest proposal, and the metric it came from first.
    Proposal {
        /// Replicas.
        replicas: i32,
        /// Position of the metric.
        metric: usize,
    },
    /// Some metrics have no value and the rest propose fewer replicas than there are: the controller never
    /// scales down on a part of the metrics.
    Blocked {
        /// What the rest propose.
        replicas: i32,
        /// Position of the metric that proposes it.
        metric: usize,
    },
    /// No metric has a value.
    Nothing,
}

/// The largest proposal counts; `None` is a metric without one.
#[must_use]
pub fn combine(proposals: &[Option<i32>], current: i32) -> Combined {
    let mut best: Option<(usize, i32)> = None;
    for (metric, proposal) in proposals.iter().enumerate() {
        if let Some(replicas) = *proposal
            && best.is_none_or(|(_, best)| best == 0 || replicas > best)
        {
            best = Some((metric, replicas));
        }
    }
    let partial = proposals.iter().any(Option::is_none);
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
