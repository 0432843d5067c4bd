//! Quantities in milli-units, as Go's `MilliValue()` gives them.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::k8s::quantity::{self, Parts, Unit};

/// An amount in milli-units.
pub type Milli = i64;

/// Most digits of a number that Go keeps in an `int64` (`maxInt64Factors`).
const DIGITS: usize = 18;

/// A quantity in milli-units; `None` if the text is not a quantity, or beyond about 1.7e29 units. Fractions of a
/// milli-unit are rounded away from zero: `12345678n` are 13, `-1500u` are -2. What overflows becomes another
/// number, as in Go: `10P` are 0.
#[must_use]
pub fn milli(quantity: &Quantity) -> Option<Milli> {
    let parts = quantity::parts(&quantity.0).ok()?;
    if let Some(milli) = of_few_digits(&parts) {
        return Some(milli);
    }
    let (amount, _) = quantity::parse_rounded(&quantity.0).ok()?;
    Some(of_many_digits(amount.nano(), matches!(parts.unit, Unit::Two(_))))
}

/// Go's fast path: an `int64` and a power of ten (`int64Amount.AsScaledInt64`). `None` where Go does not take it.
fn of_few_digits(parts: &Parts<'_>) -> Option<Milli> {
    let digits = parts.whole.len().max(1) + parts.fraction.len();
    let whole = format!("0{}{}", parts.whole, parts.fraction);
    let sign = if parts.negative { -1 } else { 1 };
    match parts.unit {
        Unit::Ten(exponent) if digits <= DIGITS => {
            let scale = exponent - i32::try_from(parts.fraction.len()).ok()?;
            let value: i64 = whole.parse().ok()?;
            (scale >= -9).then(|| scaled(sign * value, scale + 3))
        }
        // 15 digits, of which 2^10 takes three, 2^20 six and so on.
        Unit::Two(power) if parts.fraction.is_empty() && digits + power as usize * 3 / 10 < 15 => {
            let value: i64 = whole.parse().ok()?;
            Some(scaled(sign * value.checked_mul(1 << power)?, 3))
        }
        Unit::Ten(_) | Unit::Two(_) => None,
    }
}

/// `value` times a power of ten (`positiveScaleInt64`, `negativeScaleInt64`).
fn scaled(value: i64, power: i32) -> i64 {
    let ten = 10_i64.checked_pow(power.unsigned_abs());
    match (ten, power) {
        (Some(ten), ..0) => value / ten + (value % ten).signum(),
        // Go has a short way for these powers, which wraps around.
        (Some(ten), 0..=3 | 6 | 9) => value.wrapping_mul(ten),
        (Some(ten), _) => value.checked_mul(ten).unwrap_or(0),
        (None, _) => 0,
    }
}

/// Go's slow path: a decimal of any length, in nano-units (`scaledValue`). Numbers with a suffix like `Gi` are
/// limited to the range of `int64`.
#[expect(clippy::cast_possible_truncation, reason = "the controller truncates too")]
fn of_many_digits(nano: i128, binary: bool) -> Milli {
    const MICRO: i64 = 1_000_000;
    let most = i128::from(i64::MAX) * 1_000_000_000;
    if binary && nano.abs() > most {
        return if nano > 0 { i64::MAX } else { -i64::MAX }.wrapping_mul(1000);
    }
    if nano < i128::from(i64::MAX) {
        let nano = nano as i64;
        return nano / MICRO + i64::from(nano % MICRO != 0);
    }
    let micro = i128::from(MICRO);
    (nano / micro + i128::from(nano % micro != 0)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_rounded_and_overflow_as_in_go() {
        // Each pair as `resource.MustParse(text).MilliValue()` printed it, of k8s.io/apimachinery v0.37.2.
        for (text, expected) in [
            ("12345678n", 13),
            ("-1500u", -2),
            ("-1.0000000001", -999),
            ("0.1n", 1),
            ("1.0000000001", 1001),
            ("1.5Gi", 1_610_612_736_000),
            ("9200000000000000", 9_200_000_000_000_000_000),
            ("10000000000000000", -8_446_744_073_709_551_616),
            ("10000000000000000000", 1_864_712_049_423_024_128),
            ("10P", 0),
            ("100E", 0),
            ("8Ei", -1000),
            ("-0.5Ki", -512_000),
            ("1.23456789012345678901", 1235),
            ("0", 0),
        ] {
            assert_eq!(milli(&Quantity(text.to_owned())), Some(expected), "{text}");
        }
        assert_eq!(milli(&Quantity("much".to_owned())), None);
    }
}
