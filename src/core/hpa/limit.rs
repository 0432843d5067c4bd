//! The limits of one sync: bounds and policies.

use jiff::Timestamp;

use super::{
    conditions::Reason,
    number,
    policy::{down_limit, up_limit},
    spec::{Behavior, Hpa},
    state::State,
};

/// A number within its limits, and the reason of the condition `ScalingLimited`.
pub(super) type Limited = (i32, Reason);

/// Limits without `behavior`: at most double, or 4; nothing limits the way down (`convertDesiredReplicasWithRules`).
pub(super) fn without_behavior(hpa: &Hpa, current: i32, wanted: i32) -> Limited {
    // calculateScaleUpLimit
    let limit = number::trunc((2.0 * f64::from(current)).max(4.0));
    let (cap, capped) = cap(limit, hpa.max);
    if wanted < hpa.min {
        (hpa.min, Reason::TooFewReplicas)
    } else if wanted > cap {
        (cap, capped)
    } else {
        (wanted, Reason::DesiredWithinRange)
    }
}

/// Limits with `behavior`: of bound and policy the tighter one counts, and names the reason
/// (`convertDesiredReplicasWithBehaviorRate`).
pub(super) fn with_behavior(
    hpa: &Hpa,
    behavior: &Behavior,
    state: &State,
    current: i32,
    wanted: i32,
    now: Timestamp,
) -> Limited {
    let start = |period| state.start_of_period(current, period, now);
    if wanted > current {
        let (cap, capped) = cap(up_limit(&behavior.up, current, start), hpa.max);
        if wanted > cap {
            return (cap, capped);
        }
    } else if wanted < current {
        let limit = down_limit(&behavior.down, current, start);
        let (floor, floored) = if hpa.min < limit {
            (limit, Reason::ScaleDownLimit)
        } else {
            (hpa.min, Reason::TooFewReplicas)
        };
        if wanted < floor {
            return (floor, floored);
        }
    }
    (wanted, Reason::DesiredWithinRange)
}

/// The smaller of a limit and `maxReplicas`, with the reason that names it.
fn cap(limit: i32, max: i32) -> Limited {
    if max > limit {
        (limit, Reason::ScaleUpLimit)
    } else {
        (max, Reason::TooManyReplicas)
    }
}
