//! Waits before a retry, after a failed reconcile or for a target that does not exist.

use std::time::Duration;

/// Wait after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// The wait never grows beyond this.
const LONGEST: Duration = Duration::from_secs(300);

/// The wait after `failures` failures in a row (at least 1). It doubles from 1 s to 5 min: 1 s, 2 s, 4 s and
/// so on. `jitter` (`0.0..1.0`) takes away up to a half, so that objects that failed together are not retried
/// together. The wait is never shorter than `at_least`, the server's `Retry-After`.
pub fn delay(failures: u32, jitter: f64, at_least: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0).max(at_least)
}

/// Wait after the first read of a target that cannot be used.
const FIRST_REREAD: Duration = Duration::from_secs(5);
/// Longest wait between two reads of such a target.
const LONGEST_REREAD: Duration = Duration::from_secs(600);

/// The wait before a target is read again that could not be used at the last `reads` reads (at least 1). It
/// doubles from 5 s to 10 min. `jitter` (`0.0..1.0`) takes away up to a fifth.
///
/// The wait must grow, because each read is a request, and anybody who may write a resource decides how many
/// such targets there are. With 5 s for ever, 1,000 resources with 16 targets each would cause 3,200 requests
/// per second.
pub fn reread(reads: u32, jitter: f64) -> Duration {
    let doublings = reads.saturating_sub(1).min(16);
    let full = FIRST_REREAD.saturating_mul(1 << doublings).min(LONGEST_REREAD);
    full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 5.0)
}

/// The wait until an unchanged object is reconciled again: `period` plus or minus a tenth.
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

    /// Looks at one missing target in each hour.
    fn looks_per_hour(jitter: f64, hours: usize) -> Vec<u32> {
        let hour = Duration::from_secs(3600);
        let mut counts = vec![0; hours];
        let (mut at, mut reads) = (Duration::ZERO, 0);
        while let Some(count) = counts.get_mut(usize::try_from(at.as_secs() / hour.as_secs()).unwrap()) {
            *count += 1;
            reads += 1;
            at += reread(reads, jitter);
        }
        counts
    }

    /// A missing Deployment or StatefulSet costs nothing: a watch tells. The table is for every other kind,
    /// and for clusters where that watch is refused. Each look is one request.
    #[test]
    fn a_missing_target_costs_a_dozen_requests_at_first_and_then_six_an_hour() {
        let table = |jitter| {
            let hours = looks_per_hour(jitter, 24);
            (hours[0], hours[1], hours[23], hours.iter().sum::<u32>())
        };
        //                       hour 1, 2, 24, the day
        assert_eq!(table(0.0), (12, 6, 6, 150));
        assert_eq!(table(1.0), (14, 7, 7, 186), "the shortest waits");
        let of_a_tenant = 1000 * 16 * looks_per_hour(0.5, 24)[23];
        assert!(
            of_a_tenant / 3600 <= 32,
            "{of_a_tenant} requests an hour for 16,000 missing targets"
        );
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
