//! The Universal Scalability Law (Gunther), fitted to measured capacities:
//!
//! ```text
//! X(n) = lambda * n / (1 + alpha * (n - 1) + beta * n * (n - 1))
//! ```
//!
//! lambda is the load that one replica carries. alpha is the cost of what the replicas share (contention),
//! and beta the cost of what they exchange with each other (coherency). The law has its peak, the knee, at n*
//! = sqrt((1 - alpha) / beta). With alpha = 0.05 and beta = 0.01 the knee is at 9.7 replicas.
//!
//! The fit has two stages. First n / X(n) = 1/lambda + (alpha/lambda) (n - 1) + (beta/lambda) n (n - 1) is
//! solved by linear least squares. Then Gauss-Newton steps reduce the relative residuals of X itself; a step
//! is halved until it helps. Negative coefficients have no meaning here: a coefficient that comes out
//! negative is set to zero, and the others are fitted again.

use thiserror::Error;

/// The fewest different replica counts to which three parameters can be fitted.
const FEWEST: usize = 3;
/// The greatest number of Gauss-Newton steps. From the linear solution it converges in a few.
const ROUNDS: u32 = 50;

/// A fitted law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Requests per second that one replica carries.
    pub lambda: f64,
    /// Contention; 0 for a service that scales linearly.
    pub alpha: f64,
    /// Coherency; 0 for a service that never gets slower with more replicas.
    pub beta: f64,
    /// Standard error of alpha. `None` if there are no more points than parameters, because the fit is exact
    /// then, and if alpha was set to zero.
    pub alpha_error: Option<f64>,
    /// Standard error of beta; `None` as for alpha.
    pub beta_error: Option<f64>,
    /// Root of the mean square of the relative residuals: 0.02 is 2 %.
    pub residual: f64,
}

/// Why there is no fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FitError {
    /// There are too few different replica counts.
    #[error("{0} different replica counts are too few for the scalability law: measure at least 3")]
    TooFew(usize),
    /// No law passes near the points, for example because capacities are equal to zero.
    #[error("the measured capacities follow no scalability law")]
    Singular,
}

impl Fit {
    /// Requests per second that n replicas carry by the law.
    pub fn throughput(&self, n: f64) -> f64 {
        law([self.lambda, self.alpha, self.beta], n)
    }

    /// The number of replicas beyond which more replicas carry less; `None` if there is none.
    pub fn knee(&self) -> Option<f64> {
        let knee = ((1.0 - self.alpha) / self.beta).sqrt();
        (self.beta > 0.0 && knee.is_finite()).then_some(knee.max(1.0))
    }
}

/// Fits the law to pairs of replicas and requests per second.
///
/// # Errors
/// When there are fewer than three different replica counts, or no law passes near them.
pub fn fit(points: &[(u32, f64)]) -> Result<Fit, FitError> {
    let mut counts: Vec<u32> = points.iter().map(|point| point.0).collect();
    counts.sort_unstable();
    counts.dedup();
    if counts.len() < FEWEST {
        return Err(FitError::TooFew(counts.len()));
    }
    let points: Vec<(f64, f64)> = points.iter().map(|&(n, x)| (f64::from(n), x)).collect();
    if points.iter().any(|&(n, x)| n < 1.0 || !x.is_finite() || x <= 0.0) {
        return Err(FitError::Singular);
    }
    // Each round fixes one parameter at zero, so there are at most three rounds.
    let mut free = [true; 3];
    let mut fitted = attempt(&points, free)?;
    while let Some(negative) = worst_negative(fitted, free) {
        free = std::array::from_fn(|index| index != negative && free.get(index).is_some_and(|free| *free));
        fitted = attempt(&points, free)?;
    }
    finish(&points, fitted, free)
}

/// The index of a parameter to set to zero: beta if it is negative, otherwise alpha; `None` if neither is
/// negative.
fn worst_negative([_, alpha, beta]: [f64; 3], [_, alpha_free, beta_free]: [bool; 3]) -> Option<usize> {
    let (alpha, beta) = (
        if alpha_free { alpha } else { 0.0 },
        if beta_free { beta } else { 0.0 },
    );
    if beta < 0.0 {
        Some(2)
    } else if alpha < 0.0 {
        Some(1)
    } else {
        None
    }
}

fn law([lambda, alpha, beta]: [f64; 3], n: f64) -> f64 {
    lambda * n / divisor(alpha, beta, n)
}

fn divisor(alpha: f64, beta: f64, n: f64) -> f64 {
    1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0)
}

/// Least squares in which only the free ones of lambda, alpha and beta are fitted; the others are zero.
fn attempt(points: &[(f64, f64)], free: [bool; 3]) -> Result<[f64; 3], FitError> {
    let mut normal = Normal::default();
    for &(n, x) in points {
        // The weight X/n makes the residuals relative.
        let weight = x / n;
        normal.add([weight, weight * (n - 1.0), weight * n * (n - 1.0)], 1.0);
    }
    let [a, b, c] = normal.solve(free).ok_or(FitError::Singular)?;
    // The linear form has the unknowns 1/lambda, alpha/lambda and beta/lambda.
    let mut parameters = [1.0 / a, b / a, c / a];
    if !(parameters.iter().all(|one| one.is_finite()) && a > 0.0) {
        return Err(FitError::Singular);
    }
    let mut error = squares(points, parameters);
    for _ in 0..ROUNDS {
        let Some(step) = normal_at(points, parameters).solve(free) else {
            break;
        };
        let (mut scale, mut better) = (1.0, None);
        while scale > 1e-6 && better.is_none() {
            let [l, a, b] = step.map(|one| one * scale);
            let [lambda, alpha, beta] = parameters;
            let next = [lambda + l, alpha + a, beta + b];
            let next_error = squares(points, next);
            better = (next_error < error).then_some((next, next_error));
            scale /= 2.0;
        }
        let Some((next, next_error)) = better else {
            break;
        };
        (parameters, error) = (next, next_error);
    }
    Ok(parameters)
}

/// The normal equations of the relative residuals, linearized at these parameters.
fn normal_at(points: &[(f64, f64)], parameters: [f64; 3]) -> Normal {
    let [lambda, alpha, beta] = parameters;
    let mut normal = Normal::default();
    for &(n, x) in points {
        let (value, d) = (law(parameters, n), divisor(alpha, beta, n));
        // The derivatives of the law by lambda, alpha and beta.
        let slope = [value / lambda, -value * (n - 1.0) / d, -value * n * (n - 1.0) / d];
        normal.add(slope.map(|one| one / x), (x - value) / x);
    }
    normal
}

fn squares(points: &[(f64, f64)], parameters: [f64; 3]) -> f64 {
    let residual = |&(n, x): &(f64, f64)| ((x - law(parameters, n)) / x).powi(2);
    let [_, alpha, beta] = parameters;
    // Where the divisor is not positive the law has no meaning, so a step may not lead there.
    if points.iter().any(|&(n, _)| divisor(alpha, beta, n) <= 0.0) {
        return f64::INFINITY;
    }
    points.iter().map(residual).sum()
}

fn finish(points: &[(f64, f64)], parameters: [f64; 3], free: [bool; 3]) -> Result<Fit, FitError> {
    let [lambda, alpha, beta] = parameters;
    let count = u32::try_from(points.len()).map_or(f64::MAX, f64::from);
    let sum = squares(points, parameters);
    // Degrees of freedom: points minus fitted parameters.
    let spare = count - free.iter().map(|free| f64::from(u8::from(*free))).sum::<f64>();
    let errors = normal_at(points, parameters)
        .inverse(free)
        .filter(|_| spare > 0.0)
        .map(|variances| variances.map(|variance| (variance.max(0.0) * sum / spare).sqrt()));
    let [_, alpha_free, beta_free] = free;
    let residual = (sum / count).sqrt();
    if !residual.is_finite() {
        return Err(FitError::Singular);
    }
    Ok(Fit {
        lambda,
        alpha: if alpha_free { alpha } else { 0.0 },
        beta: if beta_free { beta } else { 0.0 },
        alpha_error: errors.filter(|_| alpha_free).map(|[_, error, _]| error),
        beta_error: errors.filter(|_| beta_free).map(|[_, _, error]| error),
        residual,
    })
}

/// The normal equations of a least-squares problem with three unknowns: a symmetric matrix and a right side.
#[derive(Clone, Copy, Debug, Default)]
struct Normal {
    aa: f64,
    ab: f64,
    ac: f64,
    bb: f64,
    bc: f64,
    cc: f64,
    right: [f64; 3],
}

impl Normal {
    fn add(&mut self, [a, b, c]: [f64; 3], value: f64) {
        self.aa += a * a;
        self.ab += a * b;
        self.ac += a * c;
        self.bb += b * b;
        self.bc += b * c;
        self.cc += c * c;
        let [ra, rb, rc] = self.right;
        self.right = [ra + a * value, rb + b * value, rc + c * value];
    }

    /// The system without the unknowns that are not free: their equations become `x = 0`.
    fn only(mut self, [a, b, c]: [bool; 3]) -> Self {
        let [ra, rb, rc] = self.right;
        let keep = |free: bool, value: f64| if free { value } else { 0.0 };
        self.ab = keep(a && b, self.ab);
        self.ac = keep(a && c, self.ac);
        self.bc = keep(b && c, self.bc);
        self.aa = if a { self.aa } else { 1.0 };
        self.bb = if b { self.bb } else { 1.0 };
        self.cc = if c { self.cc } else { 1.0 };
        self.right = [keep(a, ra), keep(b, rb), keep(c, rc)];
        self
    }

    /// Factors that scale the diagonal to one. Otherwise parameters of very different size would make the
    /// matrix seem singular.
    fn scales(&self) -> [f64; 3] {
        [self.aa, self.bb, self.cc].map(|diagonal| 1.0 / diagonal.sqrt())
    }

    /// Rows of the inverse matrix, by cofactors of the scaled matrix.
    fn rows(self) -> Option<[[f64; 3]; 3]> {
        let [sa, sb, sc] = self.scales();
        let (ab, ac, bc) = (self.ab * sa * sb, self.ac * sa * sc, self.bc * sb * sc);
        let determinant = 1.0 + 2.0 * ab * bc * ac - bc * bc - ab * ab - ac * ac;
        let regular = determinant.is_finite() && determinant.abs() > 1e-15;
        let row = |own: f64, one: f64, two: f64, three: f64| {
            [one, two, three].map(|cofactor| own * cofactor / determinant)
        };
        let (xab, xac, xbc) = (ac * bc - ab, ab * bc - ac, ab * ac - bc);
        regular.then(|| {
            [
                row(sa, sa * (1.0 - bc * bc), sb * xab, sc * xac),
                row(sb, sa * xab, sb * (1.0 - ac * ac), sc * xbc),
                row(sc, sa * xac, sb * xbc, sc * (1.0 - ab * ab)),
            ]
        })
    }

    fn solve(self, free: [bool; 3]) -> Option<[f64; 3]> {
        let this = self.only(free);
        let [ra, rb, rc] = this.right;
        let rows = this.rows()?;
        Some(rows.map(|[a, b, c]| a * ra + b * rb + c * rc))
    }

    /// The diagonal of the inverse matrix: the variances of the parameters, up to a common factor.
    fn inverse(self, free: [bool; 3]) -> Option<[f64; 3]> {
        let [[a, _, _], [_, b, _], [_, _, c]] = self.only(free).rows()?;
        Some([a, b, c])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(parameters: [f64; 3], counts: &[u32]) -> Vec<(u32, f64)> {
        counts
            .iter()
            .map(|&n| (n, law(parameters, f64::from(n))))
            .collect()
    }

    #[test]
    fn three_points_fit_exactly_and_tell_no_error() {
        let fit = fit(&exact([120.0, 0.05, 0.01], &[1, 2, 4])).unwrap();
        assert!((fit.lambda - 120.0).abs() < 1e-6, "{fit:?}");
        assert!(
            (fit.alpha - 0.05).abs() < 1e-6 && (fit.beta - 0.01).abs() < 1e-6,
            "{fit:?}"
        );
        assert!(fit.residual < 1e-9);
        assert_eq!((fit.alpha_error, fit.beta_error), (None, None));
        // sqrt(0.95 / 0.01)
        assert!((fit.knee().unwrap() - 9.7468).abs() < 1e-3, "{:?}", fit.knee());
    }

    #[test]
    fn a_linear_service_has_no_knee_and_a_constant_one_is_all_contention() {
        let linear = fit(&exact([50.0, 0.0, 0.0], &[1, 2, 4, 8])).unwrap();
        assert!(linear.alpha < 1e-6 && linear.beta < 1e-9, "{linear:?}");
        assert!(linear.knee().is_none_or(|knee| knee > 1e3), "{linear:?}");
        let constant = fit(&[(1, 80.0), (2, 80.0), (4, 80.0), (8, 80.0)]).unwrap();
        assert!((constant.alpha - 1.0).abs() < 1e-6, "{constant:?}");
    }

    #[test]
    fn more_than_linear_is_taken_for_linear_with_what_is_left_as_its_error() {
        let fit = fit(&[(1, 100.0), (2, 210.0), (4, 430.0)]).unwrap();
        assert!(fit.alpha >= 0.0 && fit.beta >= 0.0, "{fit:?}");
        assert!((0.01..0.05).contains(&fit.residual), "{fit:?}");
    }

    #[test]
    fn too_few_points_are_refused() {
        assert_eq!(fit(&[(1, 10.0), (2, 20.0), (2, 21.0)]), Err(FitError::TooFew(2)));
        assert_eq!(fit(&[(1, 10.0), (2, 0.0), (3, 21.0)]), Err(FitError::Singular));
    }

    proptest! {
        #[test]
        fn parameters_come_back_from_exact_points(
            lambda in 1.0_f64..5000.0, alpha in 0.0_f64..0.9, beta in 0.0001_f64..0.05
        ) {
            let fit = fit(&exact([lambda, alpha, beta], &[1, 2, 3, 5, 8, 13])).unwrap();
            prop_assert!((fit.lambda / lambda - 1.0).abs() < 1e-4, "{:?}", fit);
            prop_assert!((fit.alpha - alpha).abs() < 1e-4, "{:?}", fit);
            prop_assert!((fit.beta - beta).abs() < 1e-5, "{:?}", fit);
        }

        #[test]
        fn noise_of_one_percent_moves_the_law_by_little(
            lambda in 10.0_f64..1000.0, alpha in 0.0_f64..0.3, beta in 0.0_f64..0.02,
            noise in prop::collection::vec(-0.01_f64..0.01, 8)
        ) {
            let counts: Vec<u32> = (1..=8).collect();
            let truth = exact([lambda, alpha, beta], &counts);
            let noisy: Vec<(u32, f64)> =
                truth.iter().zip(&noise).map(|(&(n, x), noise)| (n, x * (1.0 + noise))).collect();
            let fit = fit(&noisy).unwrap();
            prop_assert!(fit.residual <= 0.011, "{:?}", fit);
            for (n, x) in truth {
                prop_assert!((fit.throughput(f64::from(n)) / x - 1.0).abs() < 0.025, "{:?} at {}", fit, n);
            }
            if let Some(error) = fit.alpha_error {
                prop_assert!((fit.alpha - alpha).abs() < 8.0 * error + 0.02, "{:?}", fit);
            }
        }
    }
}
