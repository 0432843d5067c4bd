//! Requests per second that a service can serve with a number of pods.
//!
//! | shape | capacity of n pods |
//! |---|---|
//! | constant | `l` |
//! | linear | `n l` |
//! | usl | `n l / (1 + a (n - 1) + b n (n - 1))` |
//!
//! `l` is what one pod serves. `usl` is Gunther's Universal Scalability Law with contention `a` and crosstalk
//! `b`. Without pods the capacity is zero in every shape.
//!
//! Example: `l` = 120, `a` = 0.03, `b` = 0.002. Ten pods serve 1200 / (1 + 0.27 + 0.18) = 828 requests per
//! second.

use super::to_f64;

/// The capacity of a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Capacity {
    /// Requests per second of one pod; positive.
    pub of_one_pod: f64,
    /// How the capacity grows with further pods.
    pub shape: Shape,
}

/// How capacity grows with the pods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// It does not grow: something that all pods share is the limit.
    Constant,
    /// It grows in proportion to the pods.
    Linear,
    /// It grows less and less, and falls beyond a peak.
    Usl {
        /// Contention, 0 to 1.
        alpha: f64,
        /// Crosstalk, not negative.
        beta: f64,
    },
}

impl Capacity {
    /// Requests per second of `pods` Ready pods together.
    pub(crate) fn of(&self, pods: usize) -> f64 {
        if pods == 0 {
            return 0.0;
        }
        let n = to_f64(u64::try_from(pods).unwrap_or(u64::MAX));
        match self.shape {
            Shape::Constant => self.of_one_pod,
            Shape::Linear => n * self.of_one_pod,
            Shape::Usl { alpha, beta } => {
                n * self.of_one_pod / (1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shape: Shape) -> [f64; 4] {
        let capacity = Capacity {
            of_one_pod: 100.0,
            shape,
        };
        [0, 1, 4, 16].map(|pods| capacity.of(pods))
    }

    #[test]
    fn each_shape_has_its_course() {
        for (shape, expected) in [
            (Shape::Constant, [0.0, 100.0, 100.0, 100.0]),
            (Shape::Linear, [0.0, 100.0, 400.0, 1600.0]),
            (
                Shape::Usl {
                    alpha: 0.1,
                    beta: 0.01,
                },
                [0.0, 100.0, 400.0 / 1.42, 1600.0 / 4.9],
            ),
        ] {
            for (found, expected) in of(shape).into_iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{shape:?}: {found}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn the_law_without_losses_is_linear() {
        let law = Shape::Usl {
            alpha: 0.0,
            beta: 0.0,
        };
        for (law, linear) in of(law).into_iter().zip(of(Shape::Linear)) {
            assert!((law - linear).abs() < 1e-9);
        }
    }
}
