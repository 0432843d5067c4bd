//! Numbers in the types of the controller: `int64` milli-units, `float64` ratios, `int32` replicas.
//!
//! Go's integers wrap around where they overflow, and so do those here. Go leaves open what a float becomes that
//! fits no integer; on amd64, which is what is imitated, it becomes the smallest one. So a ratio beyond all
//! measure proposes a negative number, and the controller scales *down*.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::k8s::quantity;

/// A tolerance as the controller reads it: a quantity as a float, 0.5 for `500m`.
pub(super) fn fraction(quantity: &Quantity) -> Option<f64> {
    let (amount, _) = quantity::parse_rounded(&quantity.0).ok()?;
    Some(amount.as_f64())
}

/// Converts as Go's `float64(int64)` does: beyond 2^53 the nearest double.
#[expect(clippy::cast_precision_loss, reason = "the controller loses it too")]
pub(super) fn float(value: i64) -> f64 {
    value as f64
}

/// Go's `int64(n)` of a length.
pub(super) fn length(pods: usize) -> i64 {
    i64::try_from(pods).unwrap_or(i64::MAX)
}

/// A number of pods as a factor.
pub(super) fn count(pods: usize) -> f64 {
    float(length(pods))
}

/// Go's `int32(int64)`, which keeps the lower half.
#[expect(clippy::cast_possible_truncation, reason = "the controller truncates too")]
pub(super) fn lower_half(value: i64) -> i32 {
    value as i32
}

/// Go's `int32(math.Ceil(x))`: 2.1 becomes 3.
pub(super) fn ceil(value: f64) -> i32 {
    trunc(value.ceil())
}

/// The same where the controller looks at the upper bound first (`getUsageRatioReplicaCount`).
pub(super) fn ceil_to_most(value: f64) -> i32 {
    if value > f64::from(i32::MAX) {
        i32::MAX
    } else {
        ceil(value)
    }
}

/// Go's `int32(x)`, which truncates toward zero. What does not fit, and NaN, becomes the smallest number.
#[expect(clippy::cast_possible_truncation, reason = "what does not fit is told apart")]
pub(super) fn trunc(value: f64) -> i32 {
    let whole = value.trunc();
    if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&whole) {
        whole as i32
    } else {
        i32::MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_that_fits_no_int32_becomes_the_smallest_one() {
        assert_eq!(ceil(2_147_483_646.5), i32::MAX);
        for value in [2_147_483_648.0, -2_147_483_649.0, f64::NAN, f64::INFINITY, 1e30] {
            assert_eq!(ceil(value), i32::MIN, "{value}");
        }
        assert_eq!(ceil_to_most(1e30), i32::MAX);
        assert_eq!(trunc(-1.9), -1);
        assert_eq!(lower_half(1 << 31), i32::MIN);
    }
}
