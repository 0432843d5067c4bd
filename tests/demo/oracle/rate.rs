//! Limits on how far the count may move, given what the HPA did within the period of each policy.

use std::cmp::Ordering;

use super::{Between, Direction, Hpa, Moment, Policy, Select};

/// A rescale by the HPA.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rescale {
    /// Moment of the rescale.
    pub at: Moment,
    /// Replicas that were added; negative if they were removed.
    pub change: i32,
}

/// The count after rate limits and bounds. `blur` is how exactly ages are known, in seconds.
pub(super) fn limit(
    hpa: &Hpa,
    rescales: &[Rescale],
    current: i32,
    wanted: Between,
    now: Moment,
    blur: Moment,
) -> Between {
    let start = |policy: &Policy| start(rescales, current, policy.period, now, blur);
    let up = |pick: fn(Between) -> i32| up_limit(&hpa.up, current, |policy| pick(start(policy)));
    let down = |pick: fn(Between) -> i32| down_limit(&hpa.down, current, |policy| pick(start(policy)));
    let limited = |count: i32, up: i32, down: i32| match count.cmp(&current) {
        Ordering::Greater => count.min(hpa.max.min(up)),
        Ordering::Less => count.max(hpa.min.max(down)),
        Ordering::Equal => count,
    };
    let (low, high) = (|range: Between| range.low, |range: Between| range.high);
    Between {
        low: limited(wanted.low, up(low), down(low)),
        high: limited(wanted.high, up(high), down(high)),
    }
}

/// The count at the start of a period, computed from the HPA's own rescales in both directions.
fn start(rescales: &[Rescale], current: i32, period: Moment, now: Moment, blur: Moment) -> Between {
    let mut start = Between::exactly(current);
    for rescale in rescales {
        let age = now - rescale.at;
        let before = -rescale.change;
        if age < period - blur {
            start = start.map(|count| count + before);
        } else if age < period + blur {
            start = start.or(start.map(|count| count + before));
        }
    }
    start
}

fn up_limit(rules: &Direction, current: i32, start: impl Fn(&Policy) -> i32) -> i32 {
    let limits = rules.policies.iter().map(|policy| policy.above(start(policy)));
    let limit = match rules.select {
        Select::Disabled => None,
        Select::Max => limits.max(),
        Select::Min => limits.min(),
    };
    limit.unwrap_or(current).max(current)
}

fn down_limit(rules: &Direction, current: i32, start: impl Fn(&Policy) -> i32) -> i32 {
    let limits = rules.policies.iter().map(|policy| policy.below(start(policy)));
    let limit = match rules.select {
        Select::Disabled => None,
        // Downward the largest change gives the smallest count.
        Select::Max => limits.min(),
        Select::Min => limits.max(),
    };
    limit.unwrap_or(current).min(current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::PolicyUnit;

    const NOW: Moment = 100.0;

    fn policy(unit: PolicyUnit, value: i32) -> Policy {
        Policy {
            unit,
            value,
            period: 30.0,
        }
    }

    fn hpa(select: Select) -> Hpa {
        let direction = |percent| Direction {
            window: 0.0,
            select,
            policies: vec![policy(PolicyUnit::Percent, percent), policy(PolicyUnit::Pods, 2)],
            tolerance: None,
        };
        Hpa {
            min: 3,
            max: 15,
            metrics: Vec::new(),
            up: direction(100),
            down: direction(10),
        }
    }

    fn limited(select: Select, rescales: &[Rescale], current: i32, wanted: i32) -> i32 {
        let limited = limit(
            &hpa(select),
            rescales,
            current,
            Between::exactly(wanted),
            NOW,
            0.0,
        );
        assert_eq!(limited.low, limited.high);
        limited.low
    }

    #[test]
    fn min_takes_the_smallest_change_and_max_the_largest() {
        assert_eq!(limited(Select::Min, &[], 3, 9), 5, "two pods, not 100 %");
        assert_eq!(limited(Select::Max, &[], 3, 9), 6, "100 %");
        assert_eq!(limited(Select::Min, &[], 9, 3), 8, "10 % of 9 leaves 8");
        assert_eq!(limited(Select::Max, &[], 9, 3), 7, "two pods");
    }

    #[test]
    fn what_was_added_within_the_period_counts_against_the_limit() {
        let just_now = [Rescale { at: 80.0, change: 2 }];
        assert_eq!(limited(Select::Min, &just_now, 5, 9), 5);
        let long_ago = [Rescale { at: 70.0, change: 2 }];
        assert_eq!(
            limited(Select::Min, &long_ago, 5, 9),
            7,
            "as old as the period is over"
        );
    }

    #[test]
    fn what_was_removed_within_the_period_may_come_back_at_once() {
        let removed = [Rescale { at: 90.0, change: -4 }];
        assert_eq!(limited(Select::Min, &removed, 5, 15), 11);
    }

    #[test]
    fn the_bounds_hold_and_disabled_forbids_a_direction() {
        assert_eq!(limited(Select::Max, &[], 14, 30), 15);
        assert_eq!(limited(Select::Max, &[], 4, 1), 3);
        assert_eq!(limited(Select::Disabled, &[], 5, 9), 5);
        assert_eq!(limited(Select::Disabled, &[], 5, 3), 5);
    }

    #[test]
    fn a_rescale_at_the_edge_of_the_period_leaves_both_possible() {
        let edge = [Rescale { at: 70.2, change: 2 }];
        let limited = limit(&hpa(Select::Min), &edge, 5, Between::exactly(9), NOW, 0.5);
        assert_eq!(limited, Between { low: 5, high: 7 });
    }
}
