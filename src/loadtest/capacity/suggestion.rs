//! The HPA target that a measured capacity suggests.
//!
//! Let c be the requests per second that one replica carries (the least among the measured replica counts), g
//! the rise of the load in requests/s per second, and t the seconds from a rise to a Ready replica. Then n
//! replicas at the target T have to carry the rise until more replicas are Ready: n * c >= n * T * (1 +
//! tolerance) + g * t. The tolerance is that of the HPA, which acts only when the load is that much above its
//! target. This gives
//!
//! ```text
//! T = (c - g * t / n) / (1 + tolerance),   n = the fewest replicas,   at most 0.9 * c / (1 + tolerance)
//! ```
//!
//! If the ramp or the time is not known, T = 0.7 * c. Example: c = 120/s, g = 2/s per second, t = 40 s and n
//! = 2 give T = (120 - 40) / 1.1 = 72.7/s.

/// Share of the capacity that is planned for if the ramp or the time to scale is not known.
const USUAL: f64 = 0.7;
/// Share of the capacity that is never exceeded, because a measured capacity is exact to a few percent only.
const CEILING: f64 = 0.9;
/// The HPA controller's default tolerance.
const TOLERANCE: f64 = 0.1;

/// The measurements that a suggestion is made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Requests per second that one replica carries.
    pub capacity: f64,
    /// The fewest replicas of the workload; at least 1.
    pub min_replicas: u32,
    /// Steepest rise of the load that was survived, in requests/s per second.
    pub ramp: Option<f64>,
    /// Seconds from a rise of the load until replicas for it are Ready.
    pub time_to_scale: Option<f64>,
}

/// A suggested target.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// Requests per second of one pod: `averageValue` of the HPA's metric. `None` where no target can help.
    pub target: Option<f64>,
    /// The target as a share (0 to 1) of the capacity.
    pub headroom: f64,
    /// Why this target, in words for the user.
    pub reason: String,
}

/// Suggests a target.
pub fn suggest(known: &Known) -> Suggestion {
    let c = known.capacity;
    let (Some(ramp), Some(time)) = (known.ramp, known.time_to_scale) else {
        return Suggestion {
            target: Some(USUAL * c),
            headroom: USUAL,
            reason: format!(
                "{:.0} % of what one replica carries: neither the steepest ramp nor the time to scale is known; measure them with --elastic",
                100.0 * USUAL
            ),
        };
    };
    let n = f64::from(known.min_replicas.max(1));
    // Load that the ramp adds to each replica before help comes.
    let taken = ramp * time / n;
    // The HPA acts only above target * (1 + tolerance), so the target is lower by that factor.
    let free = (c - taken) / (1.0 + TOLERANCE);
    let ceiling = CEILING * c / (1.0 + TOLERANCE);
    let ramp_words = format!(
        "a ramp of {ramp:.2}/s per second takes {taken:.1}/s of each of {n} replicas in the {time:.0} s until more are Ready"
    );
    if free <= 0.0 {
        return Suggestion {
            target: None,
            headroom: 0.0,
            reason: format!(
                "{ramp_words}, and one carries {c:.1}/s: no target helps; raise minReplicas or scale faster"
            ),
        };
    }
    let target = free.min(ceiling);
    let bound = if free > ceiling {
        format!("; never more than {:.0} % of the capacity", 100.0 * CEILING)
    } else {
        String::new()
    };
    Suggestion {
        target: Some(target),
        headroom: target / c,
        reason: format!(
            "{ramp_words}, and the HPA acts at {:.0} % above its target only{bound}",
            100.0 * TOLERANCE
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(ramp: Option<f64>, time_to_scale: Option<f64>) -> Known {
        Known {
            capacity: 120.0,
            min_replicas: 2,
            ramp,
            time_to_scale,
        }
    }

    #[test]
    fn the_target_leaves_room_for_the_ramp_until_replicas_are_ready() {
        // 2/s each second for 40 s are 80/s, which is 40/s for each of two replicas: (120 - 40) / 1.1.
        let suggestion = suggest(&known(Some(2.0), Some(40.0)));
        assert!(
            (suggestion.target.unwrap() - 80.0 / 1.1).abs() < 1e-9,
            "{suggestion:?}"
        );
        assert!(
            suggestion.reason.contains("40.0/s of each of 2 replicas"),
            "{suggestion:?}"
        );
    }

    #[test]
    fn it_is_bounded_above_and_says_where_no_target_helps() {
        let flat = suggest(&known(Some(0.0), Some(40.0)));
        assert!((flat.headroom - 0.9 / 1.1).abs() < 1e-9, "{flat:?}");
        let steep = suggest(&known(Some(10.0), Some(40.0)));
        assert_eq!(steep.target, None);
        assert!(steep.reason.contains("raise minReplicas"), "{steep:?}");
    }

    #[test]
    fn without_a_ramp_or_a_time_it_is_the_usual_share() {
        for (ramp, time) in [(None, None), (Some(1.0), None), (None, Some(1.0))] {
            let suggestion = suggest(&known(ramp, time));
            assert!((suggestion.target.unwrap() - 84.0).abs() < 1e-9);
            assert!(suggestion.reason.contains("--elastic"));
        }
    }

    proptest! {
        #[test]
        fn replicas_at_the_target_carry_the_ramp(
            capacity in 1.0_f64..1000.0, min_replicas in 1_u32..20, ramp in 0.0_f64..20.0, time in 0.0_f64..300.0
        ) {
            let known = Known { capacity, min_replicas, ramp: Some(ramp), time_to_scale: Some(time) };
            if let Some(target) = suggest(&known).target {
                let n = f64::from(min_replicas);
                prop_assert!(n * capacity + 1e-6 >= n * target * 1.1 + ramp * time);
            }
        }
    }
}
