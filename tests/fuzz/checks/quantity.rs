//! Quantities. What holds for every input, whoever sent it: `make fuzz` searches for inputs that break it, and the unit
//! tests of `src/core` check the inputs that fuzzing has kept.

use vas_core::k8s::quantity;

/// A quantity. The value that is read is the one in the text, and a measured value keeps its size.
pub(super) fn check(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(amount) = quantity::parse_str(text)
    {
        let value = amount.as_f64();
        let plain = text.trim_end_matches(|char: char| !char.is_ascii_digit() && char != '.');
        if plain == text
            && let Ok(read) = text.parse::<f64>()
        {
            assert!(
                (read - value).abs() <= read.abs() * 1e-12 + 1e-9,
                "{text:?} is {read}, not {value}"
            );
        }
        let rounded = quantity::parse_str(&format!("{}m", amount.milli_ceil()));
        let rounded = rounded.expect("milli-units are a quantity");
        assert!(rounded >= amount, "{text:?} was rounded down");
        assert_eq!(amount.plus(quantity::Amount::ZERO), amount);
    }
    if let Some(bytes) = input.first_chunk::<8>() {
        let value = f64::from_le_bytes(*bytes);
        match quantity::from_measurement(value) {
            None => assert!(
                !(0.0..=quantity::MAX_VALUE).contains(&value),
                "{value} was refused"
            ),
            Some(text) => {
                let read = quantity::parse_str(&text).expect("our own text").as_f64();
                assert!(
                    (read - value).abs() <= 0.001 + value * 1e-12,
                    "{value} became {read}"
                );
                assert_eq!(
                    read > 0.0,
                    value > 0.0,
                    "{value} became {read}: zero is never made up"
                );
            }
        }
    }
}
