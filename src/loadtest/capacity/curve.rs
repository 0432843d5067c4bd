//! The capacity of replicas: capacity(r) is the highest load under which the objective holds with r replicas
//! (Theodolite's capacity metric). The demand is its inverse: the fewest replicas for a load.

use super::usl::{self, Fit, FitError};

/// The greatest number of replicas of an answer; the bound of `maxReplicas`.
const MOST: u32 = 10_000;

/// Capacity by number of replicas, from measured points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Replicas and requests per second, in order of replicas; each number of replicas occurs once.
    points: Vec<(u32, f64)>,
    fit: Option<Fit>,
}

impl Curve {
    /// The curve through measured points. Points without replicas or without a capacity are left out.
    pub fn new(mut points: Vec<(u32, f64)>) -> Self {
        points.retain(|(replicas, capacity)| *replicas > 0 && capacity.is_finite() && *capacity > 0.0);
        points.sort_by_key(|point| point.0);
        points.dedup_by_key(|point| point.0);
        let fit = usl::fit(&points).ok();
        Self { points, fit }
    }

    /// The measured points.
    pub fn points(&self) -> &[(u32, f64)] {
        &self.points
    }

    /// The Universal Scalability Law, fitted to the points.
    ///
    /// # Errors
    /// When there are too few points.
    pub fn fit(&self) -> Result<Fit, FitError> {
        usl::fit(&self.points)
    }

    /// Requests per second that this number of replicas carries; zero for no replicas, or without any point.
    /// A measured count has its measured value. Between two points the curve is a straight line. Beyond the
    /// last point it follows the fitted law, or is proportional to the replicas if there is no fit. With
    /// points (2, 200/s) and (4, 300/s), 3 replicas carry 250/s.
    pub fn capacity(&self, replicas: u32) -> f64 {
        let after = self.points.partition_point(|point| point.0 < replicas);
        let before = after.checked_sub(1).and_then(|index| self.points.get(index));
        let n = f64::from(replicas);
        match (before, self.points.get(after)) {
            (_, Some(&(at, capacity))) if at == replicas => capacity,
            (Some(&(from, low)), Some(&(to, high))) => {
                // Linear interpolation between the neighbours.
                low + (high - low) * (n - f64::from(from)) / (f64::from(to) - f64::from(from))
            }
            // Below the first point replicas are assumed to scale linearly.
            (None, Some(&(first, capacity))) => capacity * n / f64::from(first),
            (Some(&(last, capacity)), None) => {
                // The law is scaled to pass through the last point, so that the curve has no jump there.
                let beyond = |fit: &Fit| capacity * fit.throughput(n) / fit.throughput(f64::from(last));
                self.fit
                    .as_ref()
                    .map_or_else(|| capacity * n / f64::from(last), beyond)
            }
            (None, None) => 0.0,
        }
    }

    /// The fewest replicas that carry a load; zero for no load. If no number of replicas carries it, the
    /// result is the number that carries most.
    pub fn demand(&self, load: f64) -> u32 {
        if load <= 0.0 || self.points.is_empty() {
            return 0;
        }
        let (mut best, mut most) = (1, 0.0);
        for replicas in 1..=MOST {
            let capacity = self.capacity(replicas);
            if capacity >= load {
                return replicas;
            }
            if capacity > most {
                (best, most) = (replicas, capacity);
            }
        }
        best
    }

    /// The smallest capacity per replica among the measured counts; `None` without any point. An HPA target
    /// per pod has to be right for all counts.
    pub fn per_replica(&self) -> Option<f64> {
        let of = |&(replicas, capacity): &(u32, f64)| capacity / f64::from(replicas);
        self.points.iter().map(of).reduce(f64::min)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn between_points_it_is_a_straight_line_and_beyond_in_proportion() {
        let curve = Curve::new(vec![(4, 360.0), (2, 200.0), (0, 5.0), (3, f64::NAN)]);
        let found = [0, 1, 2, 3, 4, 8].map(|replicas| curve.capacity(replicas));
        for (found, expected) in found.into_iter().zip([0.0, 100.0, 200.0, 280.0, 360.0, 720.0]) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
        let demands = [0.0, 1.0, 100.0, 100.1, 280.0, 281.0].map(|load| curve.demand(load));
        assert_eq!(demands, [0, 1, 1, 2, 3, 4]);
        assert!((curve.per_replica().unwrap() - 90.0).abs() < 1e-9);
    }

    #[test]
    fn what_no_number_carries_needs_as_many_as_carry_most() {
        let law = |n: f64| 100.0 * n / (1.0 + 0.1 * (n - 1.0) + 0.02 * n * (n - 1.0));
        let points = [1, 2, 4, 8].map(|n| (n, law(f64::from(n))));
        let curve = Curve::new(points.to_vec());
        // The knee is at sqrt(0.9 / 0.02) = 6.7.
        assert!((6..=8).contains(&curve.demand(1e6)), "{}", curve.demand(1e6));
        assert_eq!(Curve::default().demand(5.0), 0);
    }

    proptest! {
        #[test]
        fn the_demand_is_the_first_that_carries_the_load(one in 1.0_f64..500.0, load in 0.1_f64..5000.0) {
            let curve = Curve::new(vec![(1, one), (4, 3.0 * one)]);
            let demand = curve.demand(load);
            prop_assert!(curve.capacity(demand) >= load);
            prop_assert!(demand == 1 || curve.capacity(demand - 1) < load);
        }
    }
}
