//! Numbers in the types of the controller: `int64` milli-units, `float64` ratios, `int32` replicas.
//!
//! Go does not define the conversion of a float that does not fit an integer. The conversions here saturate,
//! as the controller does where it checks the range (`getUsageRatioReplicaCount`).

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::k8s::quantity;

/// An amount in milli-units.
pub type Milli = i64;

/// A quantity in milli-units, rounded up as Go's `MilliValue()` does; `None` if the text is not a quantity.
#[must_use]
pub fn milli(quantity: &Quantity) -> Option<Milli> {
    let amount = quantity::parse(quantity).ok()?;
    Some(saturating(amount.milli_ceil()))
}

/// A tolerance as the controller reads it: a quantity as a float, 0.5 for `500m`.
pub(super) fn fraction(quantity: &Quantity) -> Option<f64> {
    quantity::parse(quantity).ok().map(quantity::Amount::as_f64)
}

/// A sum, limited to the range of Go's `int64`.
pub(super) fn saturating(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// Converts as Go's `float64(int64)` does: beyond 2^53 the nearest double.
#[expect(clippy::cast_precision_loss, reason = "the controller loses it too")]
pub(super) fn float(value: i64) -> f64 {
    value as f64
}

/// A number of pods as a factor.
pub(super) fn count(pods: usize) -> f64 {
    float(i64::try_from(pods).unwrap_or(i64::MAX))
}

/// Rounds up as Go's `int32(math.Ceil(x))` does: 2.1 becomes 3.
#[expect(clippy::cast_possible_truncation, reason = "saturating, see the module")]
pub(super) fn ceil(value: f64) -> i32 {
    value.ceil() as i32
}

/// Go's `int32(x)`, which truncates toward zero.
#[expect(clippy::cast_possible_truncation, reason = "saturating, see the module")]
pub(super) fn trunc(value: f64) -> i32 {
    value as i32
}
