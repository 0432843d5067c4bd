//! Randomness, injected: this is the only module that draws random numbers. They spread load (jitter) and are
//! never secrets.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A random number in `0.0..1.0`.
pub fn fraction() -> f64 {
    // The standard library seeds each RandomState differently. The highest 53 bits fill the mantissa of a
    // double.
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let fraction = bits as f64 / (1_u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_range_and_differ() {
        let draws: Vec<f64> = (0..100).map(|_| fraction()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!(draws.windows(2).any(|pair| pair[0] < pair[1]));
        assert!(draws.windows(2).any(|pair| pair[0] > pair[1]));
    }
}
