//! The conversions of the algorithm, each in one place.

/// Go's `int32(math.Ceil(x))`, saturating where Go leaves the result open.
#[expect(clippy::cast_possible_truncation, reason = "saturation is meant")]
pub(super) fn ceil(value: f64) -> i32 {
    value.ceil() as i32
}

/// Go's `int32(x)`: toward zero.
#[expect(clippy::cast_possible_truncation, reason = "saturation is meant")]
pub(super) fn truncate(value: f64) -> i32 {
    value as i32
}

/// Go's `float64(x)` of an amount in milli-units.
#[expect(clippy::cast_precision_loss, reason = "so does the original")]
pub(super) fn float(value: i64) -> f64 {
    value as f64
}

/// A number of things as `float64`.
pub(super) fn count(things: usize) -> f64 {
    float(i64::try_from(things).unwrap_or(i64::MAX))
}
