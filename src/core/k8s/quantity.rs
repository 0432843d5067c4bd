//! Exact Kubernetes quantities: parses them for comparisons, and writes a measured value as canonical text.
//!
//! Amounts are whole nano-units in an `i128`. A nano-unit is the finest unit of the notation, so comparing
//! `0.5` with `500m` or `1Gi` with `1073741824` never rounds. Source of the notation: the `Quantity` type of
//! `k8s.io/apimachinery/pkg/api/resource`.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

const NANO: i128 = 1_000_000_000;
/// Largest amount. It is a whole number of milli-units, so that rounding up to milli-units never exceeds it.
const MAX_NANO: i128 = i128::MAX - i128::MAX % (NANO / 1000);

/// Largest value that the HPA controller reads without overflow, because its `MilliValue()` is an `int64`.
pub const MAX_VALUE: f64 = 9.2e15;
/// Largest value of one pod. The HPA controller adds up the milli-units of all pods in an `int64`; this
/// leaves room for a thousand pods.
pub const MAX_VALUE_PER_POD: f64 = MAX_VALUE / 1000.0;

/// An exact amount in nano-units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// Why a quantity was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// The text is not in Kubernetes' quantity notation.
    #[error("not a quantity: use a number with an optional suffix such as 500m, 2, 1.5 or 2Gi")]
    Malformed,
    /// The amount does not fit: above about 1.7e29 units.
    #[error("the quantity is too large")]
    TooLarge,
    /// The amount is finer than a nano-unit.
    #[error("the quantity is finer than 1n")]
    TooFine,
}

impl Amount {
    /// The amount 0.
    pub const ZERO: Self = Self(0);

    /// The amount in milli-units, rounded up, as the HPA rounds targets.
    #[must_use]
    pub fn milli_ceil(self) -> i128 {
        self.0.div_euclid(NANO / 1000) + i128::from(self.0.rem_euclid(NANO / 1000) > 0)
    }

    /// The amount in units as Kubernetes' `AsApproximateFloat64` gives it: a whole number times a power of ten,
    /// which is not always the nearest float. `118m` are `118.0 * 1e-3`, a little more than `0.118`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a float is what is asked for")]
    pub fn as_f64(self) -> f64 {
        // The API server stores the coarsest unit of n, u, m and none in which the number is whole.
        let (unit, scale) = match self.0 {
            nano if nano % NANO == 0 => return (nano / NANO) as f64,
            nano if nano % 1_000_000 == 0 => (1_000_000, 1e-3),
            nano if nano % 1_000 == 0 => (1_000, 1e-6),
            _ => (1, 1e-9),
        };
        (self.0 / unit) as f64 * scale
    }

    /// The amount in whole units; `None` if it has a fraction.
    #[must_use]
    pub fn whole(self) -> Option<i128> {
        (self.0 % NANO == 0).then_some(self.0 / NANO)
    }

    /// The amount in nano-units.
    pub(crate) fn nano(self) -> i128 {
        self.0
    }

    /// `self + other`, saturating.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self * factor`, saturating.
    #[must_use]
    pub fn times(self, factor: i32) -> Self {
        Self(self.0.saturating_mul(i128::from(factor)))
    }
}

/// Parses a quantity exactly.
///
/// # Errors
/// See [`ParseQuantityError`].
pub fn parse(quantity: &Quantity) -> Result<Amount, ParseQuantityError> {
    parse_str(&quantity.0)
}

/// Parses the text of a quantity exactly.
///
/// # Errors
/// See [`ParseQuantityError`].
pub fn parse_str(text: &str) -> Result<Amount, ParseQuantityError> {
    let (amount, exact) = parse_rounded(text)?;
    if exact {
        Ok(amount)
    } else {
        Err(ParseQuantityError::TooFine)
    }
}

/// Parses the text of a quantity as Kubernetes reads it: what is finer than a nano-unit is rounded up, away from
/// zero, so that `0.1n` is `1n`. The second value is false if something was rounded.
///
/// # Errors
/// See [`ParseQuantityError`].
pub fn parse_rounded(text: &str) -> Result<(Amount, bool), ParseQuantityError> {
    let Parts {
        negative,
        whole,
        fraction,
        unit,
    } = parts(text)?;
    let (multiplier, divisor) = match unit {
        Unit::Ten(up) if up >= 0 => (10_i128.pow(up.unsigned_abs()), 1),
        Unit::Ten(down) => (1, 10_i128.pow(down.unsigned_abs())),
        Unit::Two(power) => (1 << power, 1),
    };
    // `1.50Gi` is the mantissa 150 over 10^2, times 2^30.
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let mantissa: i128 = if digits.is_empty() {
        0
    } else {
        digits.parse().map_err(|_| ParseQuantityError::TooLarge)?
    };
    let places = u32::try_from(fraction.len()).map_err(|_| ParseQuantityError::TooFine)?;
    let fraction_divisor = 10_i128.checked_pow(places).ok_or(ParseQuantityError::TooFine)?;
    let denominator = divisor
        .checked_mul(fraction_divisor)
        .ok_or(ParseQuantityError::TooFine)?;
    // `denominator` and `NANO` are powers of ten. The common factor is cancelled first, because otherwise an
    // amount that fits could overflow in the multiplication below.
    let common = denominator.min(NANO);
    let denominator = denominator / common;
    let numerator = mantissa
        .checked_mul(multiplier)
        .and_then(|value| value.checked_mul(NANO / common))
        .ok_or(ParseQuantityError::TooLarge)?;
    // A remainder is a part of a nano-unit.
    let exact = numerator % denominator == 0;
    let nano = numerator / denominator + i128::from(!exact);
    if nano > MAX_NANO {
        return Err(ParseQuantityError::TooLarge);
    }
    Ok((Amount(if negative { -nano } else { nano }), exact))
}

/// The parts of a quantity's text. `-01.50Gi` is negative, has the whole `1`, the fraction `50` and the unit 2^30.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) negative: bool,
    /// Digits before the point, without leading zeros.
    pub(crate) whole: &'a str,
    /// Digits after the point.
    pub(crate) fraction: &'a str,
    pub(crate) unit: Unit,
}

/// What a suffix stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// A power of ten, from -18 to 18.
    Ten(i32),
    /// A power of two, at most 60.
    Two(u32),
}

/// Takes a quantity's text apart.
pub(crate) fn parts(text: &str) -> Result<Parts<'_>, ParseQuantityError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let number_end = unsigned
        .find(|char: char| !char.is_ascii_digit() && char != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(ParseQuantityError::Malformed);
    }
    Ok(Parts {
        negative,
        whole: whole.trim_start_matches('0'),
        fraction,
        unit: unit(suffix)?,
    })
}

fn unit(suffix: &str) -> Result<Unit, ParseQuantityError> {
    Ok(match suffix {
        "" => Unit::Ten(0),
        "n" => Unit::Ten(-9),
        "u" => Unit::Ten(-6),
        "m" => Unit::Ten(-3),
        "k" => Unit::Ten(3),
        "M" => Unit::Ten(6),
        "G" => Unit::Ten(9),
        "T" => Unit::Ten(12),
        "P" => Unit::Ten(15),
        "E" => Unit::Ten(18),
        "Ki" => Unit::Two(10),
        "Mi" => Unit::Two(20),
        "Gi" => Unit::Two(30),
        "Ti" => Unit::Two(40),
        "Pi" => Unit::Two(50),
        "Ei" => Unit::Two(60),
        _ => {
            let exponent = suffix
                .strip_prefix(['e', 'E'])
                .ok_or(ParseQuantityError::Malformed)?;
            let exponent: i32 = exponent.parse().map_err(|_| ParseQuantityError::Malformed)?;
            match exponent {
                -18..=18 => Unit::Ten(exponent),
                19.. => return Err(ParseQuantityError::TooLarge),
                _ => return Err(ParseQuantityError::TooFine),
            }
        }
    })
}

/// Canonical text of a measured value, rounded to the nearest milli-unit: `12`, `850m`. A positive value is
/// never rounded to zero, because zero would let the HPA scale down. `None` for NaN, infinities, negative
/// values and values above [`MAX_VALUE`]. A value that is cut off at `MAX_VALUE` would be too small.
#[must_use]
pub fn from_measurement(value: f64) -> Option<String> {
    if !(0.0..=MAX_VALUE).contains(&value) {
        return None;
    }
    // Whole and fraction are converted apart, because a large value times 1000 is no longer exact in a float.
    let whole = value.trunc();
    let thousandths = ((value - whole) * 1000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both are whole and bounded by MAX_VALUE"
    )]
    let milli = whole as i64 * 1000 + thousandths as i64;
    let milli = if value > 0.0 { milli.max(1) } else { 0 };
    Some(if milli % 1000 == 0 {
        (milli / 1000).to_string()
    } else {
        format!("{milli}m")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_amounts_compare_equal_in_any_spelling() {
        for (left, right) in [
            ("0.5", "500m"),
            ("1Gi", "1073741824"),
            ("1.5Gi", "1536Mi"),
            ("1e3", "1k"),
            ("2", "2.000"),
            (".5", "500m"),
        ] {
            assert_eq!(parse_str(left), parse_str(right), "{left} {right}");
        }
        assert!(parse_str("128Mi").unwrap() < parse_str("2Gi").unwrap());
    }

    #[test]
    fn refuses_what_is_not_a_quantity() {
        for text in ["", ".", "1.2.3", "abc", "1 Gi", "1gi", "--1", "1e", "NaN"] {
            assert_eq!(parse_str(text), Err(ParseQuantityError::Malformed), "{text}");
        }
        assert_eq!(parse_str("0.1n"), Err(ParseQuantityError::TooFine));
        assert_eq!(parse_str("1e30"), Err(ParseQuantityError::TooLarge));
    }

    #[test]
    fn an_amount_that_fits_is_read_in_every_unit() {
        let units = parse_str("1000000000000000000000000000");
        assert!(units.is_ok());
        assert_eq!(parse_str("1000000000000000000000000000000m"), units);
        assert_eq!(parse_str("1000000000000000000000000000000000000n"), units);
        let largest = parse_str(&format!("{MAX_NANO}n")).unwrap();
        assert!(parse_str(&format!("{}m", largest.milli_ceil())).is_ok());
        assert_eq!(
            parse_str(&format!("{}n", i128::MAX)),
            Err(ParseQuantityError::TooLarge)
        );
    }

    #[test]
    fn what_is_finer_than_a_nano_unit_is_rounded_up_where_that_is_allowed() {
        for (text, rounded) in [("0.1n", "1n"), ("-0.1n", "-1n"), ("1.0000000001", "1000000001n")] {
            assert_eq!(
                parse_rounded(text),
                Ok((parse_str(rounded).unwrap(), false)),
                "{text}"
            );
        }
        assert_eq!(parse_rounded("0.10"), Ok((parse_str("100m").unwrap(), true)));
    }

    #[test]
    fn floats_are_a_whole_number_times_a_power_of_ten() {
        let float = |text| parse_str(text).unwrap().as_f64().to_bits();
        assert_eq!(float("118m"), (118.0 * 1e-3_f64).to_bits());
        assert_ne!(float("118m"), 0.118_f64.to_bits());
        // The same amount in another spelling, which the API server stores as 118m.
        assert_eq!(float("0.1180"), float("118m"));
        assert_eq!(float("50u"), (50.0 * 1e-6_f64).to_bits());
        assert_eq!(float("1.5Gi"), 1_610_612_736_f64.to_bits());
    }

    #[test]
    fn milli_units_round_up_as_the_hpa_does() {
        assert_eq!(parse_str("12345678n").map(Amount::milli_ceil), Ok(13));
        assert_eq!(parse_str("100").map(Amount::milli_ceil), Ok(100_000));
    }

    #[test]
    fn measured_values_are_canonical() {
        for (value, text) in [
            (0.0, "0"),
            (12.0, "12"),
            (0.85, "850m"),
            (1.5, "1500m"),
            (9e12, "9000000000000"),
            (MAX_VALUE, "9200000000000000"),
            (-0.0, "0"),
        ] {
            assert_eq!(from_measurement(value).as_deref(), Some(text), "{value}");
        }
    }

    #[test]
    fn a_tiny_load_is_not_zero() {
        for value in [0.000_01, f64::MIN_POSITIVE, 5e-324] {
            assert_eq!(from_measurement(value).as_deref(), Some("1m"), "{value}");
        }
    }

    #[test]
    fn what_the_hpa_cannot_hold_is_no_value() {
        let beyond = f64::from_bits(MAX_VALUE.to_bits() + 1);
        for value in [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -1.0,
            -5e-324,
            beyond,
            f64::MAX,
        ] {
            assert_eq!(from_measurement(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        #[expect(clippy::cast_precision_loss, reason = "at most 1e12, far below 2^52")]
        fn a_measurement_reads_back_within_half_a_milli_unit(value in 0.0_f64..1e9) {
            let text = from_measurement(value).unwrap();
            let milli = parse_str(&text).unwrap().milli_ceil();
            let expected = value * 1000.0;
            prop_assert!((milli as f64 - expected).abs() <= 1.0);
        }

        #[test]
        fn a_measurement_is_exact_to_a_thousandth_up_to_the_largest(value in 1.0_f64..=MAX_VALUE) {
            let milli = parse_str(&from_measurement(value).unwrap()).unwrap().milli_ceil();
            prop_assert!(i64::try_from(milli).is_ok(), "{milli} overflows in the HPA's client");
            // In units of 2^-52, in which every double of at least 1 is whole.
            let bits = value.to_bits();
            let mantissa = i128::from(bits & ((1 << 52) - 1) | 1 << 52);
            let exponent = (bits >> 52) - 1023;
            let error = ((milli << 52) - 1000 * (mantissa << exponent)).abs();
            prop_assert!(error <= (1 << 51) + 4096, "{value} became {milli}m");
        }
    }
}
