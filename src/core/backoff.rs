//! How long to wait before a failed reconcile is tried again.

use std::time::Duration;

/// Wait after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(300);

/// The wait after `failures` failures in a row (at least 1): doubling from 1 s to 5 min, of which `jitter`
/// (`0.0..1.0`) takes away up to a half, so that objects that failed together do not come back together.
/// Never less than `at_least`, which is the server's `Retry-After`.
pub fn delay(failures: u32, jitter: f64, at_least: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0).max(at_least)
}

/// The wait until an unchanged object is looked at again: `period` plus or minus a tenth.
pub fn resync(period: Duration, jitter: f64) -> Duration {
    period.mul_f64(0.9 + jitter.clamp(0.0, 1.0) / 5.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let seconds: Vec<u64> = (1..12)
            .map(|failures| delay(failures, 0.0, Duration::ZERO).as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_half_nor_than_the_server_asks(
            failures in any::<u32>(), jitter in 0.0_f64..1.0, asked in 0_u64..100,
        ) {
            let asked = Duration::from_secs(asked);
            let wait = delay(failures, jitter, asked);
            let full = delay(failures, 0.0, Duration::ZERO);
            prop_assert!(wait >= asked);
            prop_assert!(wait >= full / 2);
            prop_assert!(wait <= full.max(asked));
        }

        #[test]
        fn a_resync_stays_within_a_tenth(jitter in 0.0_f64..1.0) {
            let wait = resync(Duration::from_secs(1800), jitter);
            prop_assert!((1620..=1980).contains(&wait.as_secs()));
        }
    }
}
