//! How well the replicas followed the load: the elasticity metrics of the SPEC Research Group.
//!
//! Let d be the demand (fewest replicas that carry the load of a moment), s the supply (Ready replicas) and T
//! the time:
//!
//! ```text
//! under accuracy  = 100/T * sum of max(d - s, 0) / max(d, 1) * dt      under timeshare = 100/T * time with d > s
//! over accuracy   = 100/T * sum of max(s - d, 0) / max(d, 1) * dt      over timeshare  = 100/T * time with s > d
//! instability     = 100/(T - dt) * sum over all but the first of min(|sgn(change of s) - sgn(change of d)|, 1) * dt
//! ```
//!
//! Both accuracies are divided by the demand, as in "Ready for Rain?". Others divide the over-provisioning by
//! the supply (Ilyushkin et al., TOMPECS 2018), which gives smaller figures. If the demand is zero, the
//! divisor is one. Example: 4 replicas are needed for 5 s and only 2 are Ready for the first 2 s: under
//! accuracy = 100/5 * (2/4 + 2/4) = 20 %, under timeshare = 40 %.

use crate::{
    capacity::curve::Curve,
    model::{measured::Second, scaling::Scaling},
};

/// Elasticity of a run ("Ready for Rain?", SPEC-RG-2016-01). Lower is better for all; zero is ideal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Elasticity {
    /// Under-provisioning accuracy, in percent of the demand.
    pub under_accuracy: f64,
    /// Over-provisioning accuracy, in percent of the demand. It has no upper bound.
    pub over_accuracy: f64,
    /// Share of the time with fewer replicas than needed, in percent.
    pub under_timeshare: f64,
    /// Share of the time with more replicas than needed, in percent.
    pub over_timeshare: f64,
    /// Share of the time in which replicas and demand moved in different directions, in percent.
    pub instability: f64,
    /// Ready replicas times hours.
    pub replica_hours: f64,
    /// Needed replicas times hours.
    pub demand_hours: f64,
}

/// Demand and supply of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Fewest replicas that carry the load of this second.
    pub demand: u32,
    /// Ready replicas at the beginning of this second.
    pub supply: u32,
}

/// Demand and supply, second by second. The demand follows from the requests that were due and the measured
/// capacity. Seconds before the replicas were first seen are left out.
pub fn samples(seconds: &[Second], scaling: &Scaling, curve: &Curve) -> Vec<Sample> {
    seconds
        .iter()
        .filter_map(|second| {
            #[expect(clippy::cast_precision_loss, reason = "requests of one second")]
            let load = second.due as f64;
            Some(Sample {
                demand: curve.demand(load),
                supply: scaling.replicas_at(f64::from(second.at))?.ready,
            })
        })
        .collect()
}

/// The elasticity of samples that are one second apart; `None` without any.
pub fn elasticity(samples: &[Sample]) -> Option<Elasticity> {
    let count = u32::try_from(samples.len()).ok().filter(|count| *count > 0)?;
    let total = f64::from(count);
    let sum = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>();
    let share = |of: fn(&Sample) -> f64| 100.0 * sum(of) / total;
    // Of n samples there are n - 1 changes.
    let unstable = samples.windows(2).filter(|pair| moved_apart(pair)).count();
    let unstable = u32::try_from(unstable).map_or(0.0, f64::from);
    Some(Elasticity {
        under_accuracy: share(|one| f64::from(one.demand.saturating_sub(one.supply)) / divisor(*one)),
        over_accuracy: share(|one| f64::from(one.supply.saturating_sub(one.demand)) / divisor(*one)),
        under_timeshare: share(|one| f64::from(u8::from(one.demand > one.supply))),
        over_timeshare: share(|one| f64::from(u8::from(one.supply > one.demand))),
        instability: 100.0 * unstable / (total - 1.0).max(1.0),
        replica_hours: sum(|one| f64::from(one.supply)) / 3600.0,
        demand_hours: sum(|one| f64::from(one.demand)) / 3600.0,
    })
}

fn divisor(sample: Sample) -> f64 {
    f64::from(sample.demand.max(1))
}

fn moved_apart(pair: &[Sample]) -> bool {
    match pair {
        [before, after] => after.supply.cmp(&before.supply) != after.demand.cmp(&before.demand),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::scaling::Replicas;

    fn figures(pairs: &[(u32, u32)]) -> Elasticity {
        let samples: Vec<Sample> = pairs
            .iter()
            .map(|&(demand, supply)| Sample { demand, supply })
            .collect();
        elasticity(&samples).unwrap()
    }

    #[track_caller]
    fn same(figure: f64, expected: f64) {
        assert!((figure - expected).abs() < 1e-9, "{figure} is not {expected}");
    }

    #[test]
    fn a_late_scale_up_is_under_provisioned_by_hand() {
        // Two of four needed replicas are missing for two of five seconds: (2/4 + 2/4)/5.
        let late = figures(&[(2, 2), (4, 2), (4, 2), (4, 4), (4, 4)]);
        same(late.under_accuracy, 20.0);
        same(late.under_timeshare, 40.0);
        same(late.over_accuracy, 0.0);
        // In four changes the demand moved alone once, and the supply alone once.
        same(late.instability, 50.0);
        same(late.replica_hours, 14.0 / 3600.0);
        same(late.demand_hours, 18.0 / 3600.0);
    }

    #[test]
    fn over_provisioning_is_counted_by_the_demand_and_without_one_by_one_replica() {
        let over = figures(&[(0, 2), (1, 4)]);
        same(over.over_accuracy, 250.0);
        same(over.over_timeshare, 100.0);
        same(over.under_accuracy, 0.0);
        assert_eq!(elasticity(&[]), None);
    }

    #[test]
    fn demand_follows_from_the_load_and_supply_from_the_last_look() {
        let second = |at: u32, due: u64| Second {
            at,
            due,
            ..Second::default()
        };
        let ready = |at: f64, ready: u32| Replicas {
            at,
            ready,
            ..Replicas::default()
        };
        let scaling = Scaling {
            replicas: vec![ready(0.5, 1), ready(2.0, 3)],
            ..Scaling::default()
        };
        let curve = Curve::new(vec![(1, 100.0), (2, 190.0)]);
        let seconds = [second(0, 50), second(1, 150), second(2, 150)];
        let sample = |demand, supply| Sample { demand, supply };
        assert_eq!(samples(&seconds, &scaling, &curve), [sample(2, 1), sample(2, 3)]);
    }

    proptest! {
        #[test]
        fn figures_are_within_their_bounds_and_zero_where_supply_is_demand(
            pairs in prop::collection::vec((0_u32..50, 0_u32..50), 1..60)
        ) {
            let found = figures(&pairs);
            prop_assert!((0.0..=100.0 + 1e-9).contains(&found.under_accuracy));
            prop_assert!(found.under_timeshare + found.over_timeshare <= 100.0 + 1e-9);
            prop_assert!((0.0..=100.0 + 1e-9).contains(&found.instability));
            prop_assert!(found.over_accuracy >= 0.0);
            let equal: Vec<(u32, u32)> = pairs.iter().map(|&(demand, _)| (demand, demand)).collect();
            let ideal = figures(&equal);
            same(ideal.under_accuracy + ideal.over_accuracy + ideal.instability, 0.0);
            same(ideal.replica_hours, ideal.demand_hours);
        }
    }
}
