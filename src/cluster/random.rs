//! Randomness that spreads load (jitter). It is never a secret: keys are made by the TLS library's generator.

/// A random number in `0.0..1.0`.
pub fn fraction() -> f64 {
    fastrand::f64()
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
