//! Adds the seconds of two runs by time of day.

use std::collections::BTreeMap;

use crate::model::{latencies::Quantiles, measured::Second};

/// Adds two runs, each of which began the given number of seconds after the merged one. Quantiles cannot be
/// added, so the larger ones are kept as an upper bound.
pub(super) fn side_by_side(
    one: &[Second],
    one_after: u32,
    other: &[Second],
    other_after: u32,
) -> Vec<Second> {
    let mut seconds: BTreeMap<u32, Second> = BTreeMap::new();
    for (run, after) in [(one, one_after), (other, other_after)] {
        for second in run {
            let at = second.at + after;
            let all = seconds.entry(at).or_insert_with(|| Second {
                at,
                ..Second::default()
            });
            beside(all, second);
        }
    }
    let last = seconds.keys().next_back().copied();
    // A merged run has no gaps either, so a second in which nobody sent gets an empty entry.
    last.map(|last| {
        (0..=last)
            .map(|at| {
                seconds.remove(&at).unwrap_or(Second {
                    at,
                    ..Second::default()
                })
            })
            .collect()
    })
    .unwrap_or_default()
}

/// Adds what another run did in the same second.
pub(crate) fn beside(all: &mut Second, second: &Second) {
    all.due += second.due;
    all.answered += second.answered;
    all.failed += second.failed;
    all.retried += second.retried;
    all.concurrency += second.concurrency;
    all.websockets += second.websockets;
    all.latency = worse(all.latency, second.latency);
    all.generator_cpu = match (all.generator_cpu, second.generator_cpu) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    };
}

fn worse(one: Option<Quantiles>, other: Option<Quantiles>) -> Option<Quantiles> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.worse(other)),
        (one, other) => one.or(other),
    }
}
