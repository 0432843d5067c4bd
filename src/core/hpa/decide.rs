//! Decides what the controller does next. Bounds, missing metrics, stabilization and policies apply in the
//! controller's own order (`reconcileAutoscaler`).

use std::cmp::Ordering;

use super::{
    combine::{Combined, combine},
    controller::Direction,
    number,
    policy::{Policies, down_limit, up_limit},
    spec::Hpa,
};

/// Whether an earlier recommendation within the stabilization window keeps the replicas as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// No earlier recommendation does.
    #[default]
    No,
    /// An earlier recommendation probably does, but only the controller knows.
    Likely,
    /// The controller's condition says so, or the controller has only just started to remember.
    Certain,
}

/// What is known of the controller's memory: its recommendations of the last minutes and its own rescales. No
/// API serves them, so they are concluded from the HPA's status and events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Whether scaling down is held.
    pub down: Hold,
    /// Whether scaling up is held.
    pub up: Hold,
    /// Whether the controller may have rescaled within the periods of its policies. The limits then count
    /// from a number of replicas that is not known.
    pub rescaled_lately: bool,
}

/// What a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The fields of the HPA that the decision depends on.
    pub hpa: &'a Hpa,
    /// `spec.replicas` of the target.
    pub current: i32,
    /// Replicas that each metric proposes, in the order of `spec.metrics`; `None` for a metric without a
    /// value.
    pub proposals: &'a [Option<i32>],
    /// Whether the condition `ScaledToZero` is True: the controller itself scaled to zero.
    pub scaled_to_zero: bool,
    /// Whether another HPA's selector also selects some of the pods.
    pub ambiguous_selector: bool,
    /// What is known of the controller's memory.
    pub memory: Memory,
}

/// The outcome of the controller's next sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Replicas after the next sync.
    pub desired: i32,
    /// What decided that number.
    pub cause: Cause,
    /// Replicas that all metrics together propose, before stabilization, policies and bounds.
    pub proposal: Option<i32>,
    /// Index in `spec.metrics` of the metric whose proposal counts.
    pub metric: Option<usize>,
    /// Replicas that later syncs reach if only time passes: the proposal within `minReplicas` and
    /// `maxReplicas`.
    pub eventually: i32,
    /// False if an unknown part of the controller's memory could change `desired`.
    pub exact: bool,
}

/// What decided a number of replicas. The variants from `DesiredWithinRange` on are reasons of the condition
/// `ScalingLimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Cause {
    /// Somebody else set the replicas to zero, which switches autoscaling off.
    ScalingDisabled,
    /// The replicas were out of bounds. They go straight to the bound, whatever metrics and policies say.
    OutOfRange,
    /// Another HPA selects the same pods, so neither HPA acts.
    AmbiguousSelector,
    /// No metric has a value.
    NoMetrics,
    /// Some metric has no value, so nothing is scaled down.
    MissingMetrics,
    /// `selectPolicy` of this direction is `Disabled`.
    DirectionDisabled,
    /// An earlier recommendation within the stabilization window keeps the replicas.
    Stabilized,
    /// The proposal is taken unchanged.
    DesiredWithinRange,
    /// `minReplicas` raised the proposal.
    TooFewReplicas,
    /// `maxReplicas` lowered the proposal.
    TooManyReplicas,
    /// The policies of `scaleUp` lowered the proposal.
    ScaleUpLimit,
    /// The policies of `scaleDown` raised the proposal.
    ScaleDownLimit,
}

/// Gives the next number of replicas (`reconcileAutoscaler`).
///
/// Example without `behavior`: 3 replicas, bounds 1 to 20 and a proposal of 19 give 6 replicas now
/// (`ScaleUpLimit`: at most double) and 19 eventually.
#[must_use]
pub fn decide(input: &Input<'_>) -> Decision {
    let Input { hpa, current, .. } = *input;
    // The decision in the cases in which no proposal counts.
    let without_proposal = |desired, cause| Decision {
        desired,
        cause,
        proposal: None,
        metric: None,
        eventually: desired,
        exact: true,
    };
    if current == 0 {
        // shouldComputeMetricsForZeroReplicas: zero that the controller did not set itself is a pause.
        // Metrics of pods cannot lead away from zero, because there are no pods to measure.
        let may_leave = input.scaled_to_zero && (hpa.min != 0 || hpa.has_object_or_external());
        if !may_leave {
            return without_proposal(0, Cause::ScalingDisabled);
        }
    } else if current > hpa.max {
        // reconcileAutoscaler looks at the bounds first: no metric, no policy and no window delays this step.
        return without_proposal(hpa.max, Cause::OutOfRange);
    } else if current < hpa.min {
        return without_proposal(hpa.min, Cause::OutOfRange);
    }
    // validateAndParseSelector: the selector is looked at before any metric is read.
    if input.ambiguous_selector {
        return without_proposal(current, Cause::AmbiguousSelector);
    }
    match combine(input.proposals, current) {
        Combined::Nothing => without_proposal(current, Cause::NoMetrics),
        Combined::Blocked { replicas, metric } => Decision {
            proposal: Some(replicas),
            metric: Some(metric),
            ..without_proposal(current, Cause::MissingMetrics)
        },
        Combined::Proposal { replicas, metric } => {
            let proposal = replicas.max(0);
            let (mut desired, cause, exact) = normalize(input, proposal);
            // From zero the bound comes last and overrides the policies: 100 % of 0 replicas would allow
            // none.
            if current == 0 && desired < hpa.min {
                desired = hpa.min;
            }
            let disabled = cause == Cause::DirectionDisabled;
            Decision {
                desired,
                cause,
                proposal: Some(proposal),
                metric: Some(metric),
                eventually: if disabled {
                    current
                } else {
                    proposal.max(hpa.min).min(hpa.max)
                },
                exact,
            }
        }
    }
}

/// Applies stabilization, policies and bounds to the proposal. The last value is false if an unknown part of
/// the controller's memory could change the result.
fn normalize(input: &Input<'_>, proposal: i32) -> (i32, Cause, bool) {
    let Input {
        hpa, current, memory, ..
    } = *input;
    // stabilizeRecommendation and stabilizeRecommendationWithBehaviors clamp the proposal with recorded
    // recommendations. These are not known here: a hold stands for the nearest one, the current replicas.
    let hold = match proposal.cmp(&current) {
        Ordering::Less => memory.down,
        Ordering::Equal => Hold::No,
        Ordering::Greater => memory.up,
    };
    let stays = hold != Hold::No;
    let Some(behavior) = &hpa.behavior else {
        // normalizeDesiredReplicas, then convertDesiredReplicasWithRules: the bounds apply even to held
        // replicas.
        let stable = if stays { current } else { proposal };
        // calculateScaleUpLimit: double, but at least 4. Nothing limits the way down.
        let limit = number::trunc((2.0 * f64::from(current)).max(4.0));
        let (cap, capped) = cap(limit, Cause::ScaleUpLimit, hpa.max);
        let (desired, cause) = bounded(stable, hpa.min, Cause::TooFewReplicas, cap, capped);
        let stabilized = stays && cause == Cause::DesiredWithinRange;
        let cause = if stabilized { Cause::Stabilized } else { cause };
        return (desired, cause, hold != Hold::Likely);
    };
    // normalizeDesiredReplicasWithBehaviors: stabilization first, then the rate of
    // convertDesiredReplicasWithBehaviorRate.
    let (rules, direction) = match proposal.cmp(&current) {
        Ordering::Less => (&behavior.down, Direction::Down),
        Ordering::Equal => return (current, Cause::DesiredWithinRange, true),
        Ordering::Greater => (&behavior.up, Direction::Up),
    };
    // Upstream finds a disabled direction in the limits, after stabilization. The replicas are the same
    // either way, and this cause tells the user more.
    if rules.policies == Policies::Disabled {
        return (current, Cause::DirectionDisabled, true);
    }
    if stays {
        return (current, Cause::Stabilized, hold == Hold::Certain);
    }
    // convertDesiredReplicasWithBehaviorRate: of bound and policy the tighter one counts, and names the
    // reason.
    let (desired, cause) = match direction {
        Direction::Up => {
            let (cap, capped) = cap(up_limit(rules, current), Cause::ScaleUpLimit, hpa.max);
            bounded(proposal, i32::MIN, Cause::TooFewReplicas, cap, capped)
        }
        Direction::Down => {
            let limit = down_limit(rules, current);
            let (floor, floored) = if hpa.min < limit {
                (limit, Cause::ScaleDownLimit)
            } else {
                (hpa.min, Cause::TooFewReplicas)
            };
            bounded(proposal, floor, floored, i32::MAX, Cause::TooManyReplicas)
        }
    };
    // getReplicasChangePerPeriod: own rescales within a policy's period move the start of its limit.
    (desired, cause, !memory.rescaled_lately)
}

/// The smaller of a limit and `maxReplicas`, with the cause that names it.
fn cap(limit: i32, cause: Cause, max: i32) -> (i32, Cause) {
    if max > limit {
        (limit, cause)
    } else {
        (max, Cause::TooManyReplicas)
    }
}

/// Clamps a value to `floor` and `cap`, and says which of the two changed it. The floor wins over the cap.
fn bounded(value: i32, floor: i32, floored: Cause, cap: i32, capped: Cause) -> (i32, Cause) {
    if value < floor {
        (floor, floored)
    } else if value > cap {
        (cap, capped)
    } else {
        (value, Cause::DesiredWithinRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpa::testing::{hpa, read};

    fn input<'a>(hpa: &'a Hpa, current: i32, proposals: &'a [Option<i32>]) -> Input<'a> {
        Input {
            hpa,
            current,
            proposals,
            scaled_to_zero: false,
            ambiguous_selector: false,
            memory: Memory::default(),
        }
    }

    fn next(hpa: &Hpa, current: i32, proposals: &[Option<i32>]) -> (i32, Cause) {
        let decision = decide(&input(hpa, current, proposals));
        (decision.desired, decision.cause)
    }

    #[test]
    fn with_behavior_the_default_is_four_more_or_double_and_without_it_double_or_four() {
        let low = |hpa: Hpa| Hpa { min: 1, ..hpa };
        let (with, without) = (low(hpa("behavior: {scaleDown: {}}")), low(hpa("")));
        for (current, limited, unlimited) in [(1, 5, 4), (3, 7, 6), (5, 10, 10)] {
            let wanted = [Some(19)];
            assert_eq!(next(&with, current, &wanted), (limited, Cause::ScaleUpLimit));
            assert_eq!(next(&without, current, &wanted), (unlimited, Cause::ScaleUpLimit));
        }
    }

    #[test]
    fn the_nearer_of_bound_and_policy_is_named() {
        let hpa = hpa("behavior: {scaleDown: {policies: [{type: Pods, value: 3, periodSeconds: 15}]}}");
        assert_eq!(next(&hpa, 15, &[Some(40)]), (20, Cause::TooManyReplicas));
        assert_eq!(next(&hpa, 15, &[Some(1)]), (12, Cause::ScaleDownLimit));
        assert_eq!(next(&hpa, 4, &[Some(1)]), (2, Cause::TooFewReplicas));
        assert_eq!(next(&hpa, 4, &[Some(6)]), (6, Cause::DesiredWithinRange));
    }

    #[test]
    fn a_count_out_of_range_jumps_to_the_bound_even_when_disabled_and_without_metrics() {
        let off = hpa("behavior: {scaleUp: {selectPolicy: Disabled}, scaleDown: {selectPolicy: Disabled}}");
        assert_eq!(next(&off, 50, &[None]), (20, Cause::OutOfRange));
        assert_eq!(next(&off, 1, &[None]), (2, Cause::OutOfRange));
        assert_eq!(next(&off, 5, &[Some(9)]), (5, Cause::DirectionDisabled));
        assert_eq!(next(&off, 5, &[Some(3)]), (5, Cause::DirectionDisabled));
    }

    #[test]
    fn missing_metrics_block_scaling_down_and_an_ambiguous_selector_blocks_all() {
        let hpa = hpa("behavior: {}");
        assert_eq!(next(&hpa, 5, &[None, Some(3)]), (5, Cause::MissingMetrics));
        assert_eq!(next(&hpa, 5, &[None, Some(7)]), (7, Cause::DesiredWithinRange));
        assert_eq!(next(&hpa, 5, &[None]), (5, Cause::NoMetrics));
        let proposals = [Some(9)];
        let ambiguous = Input {
            ambiguous_selector: true,
            ..input(&hpa, 5, &proposals)
        };
        assert_eq!(decide(&ambiguous).desired, 5);
    }

    #[test]
    fn a_hold_stops_its_own_direction_and_says_how_sure_it_is() {
        let hpa = hpa("behavior: {}");
        let held = |current, proposal: i32, memory| {
            let proposals = [Some(proposal)];
            decide(&Input {
                memory,
                ..input(&hpa, current, &proposals)
            })
        };
        let memory = Memory {
            down: Hold::Likely,
            up: Hold::No,
            rescaled_lately: false,
        };
        let down = held(9, 3, memory);
        assert_eq!(
            (down.desired, down.cause, down.eventually, down.exact),
            (9, Cause::Stabilized, 3, false)
        );
        let up = held(3, 4, memory);
        assert_eq!((up.desired, up.exact), (4, true));
        let rescaled = Memory {
            rescaled_lately: true,
            ..Memory::default()
        };
        assert!(!held(3, 4, rescaled).exact);
    }

    #[test]
    fn zero_by_hand_is_a_pause_and_zero_by_the_controller_is_not() {
        let hpa = read(
            "minReplicas: 1
maxReplicas: 20
metrics: [{type: External, external: {metric: {name: m}, target: {type: Value, value: '1'}}}]
behavior: {scaleUp: {policies: [{type: Percent, value: 100, periodSeconds: 15}]}}",
        );
        let proposals = [Some(7)];
        assert_eq!(next(&hpa, 0, &proposals), (0, Cause::ScalingDisabled));
        let scaled_to_zero = Input {
            scaled_to_zero: true,
            ..input(&hpa, 0, &proposals)
        };
        // 100 % of nothing is nothing; the bound overrides the policy.
        assert_eq!(decide(&scaled_to_zero).desired, 1);
    }
}
