//! Requests that wait in front of the pods: first in, first out, as a fluid.
//!
//! Arrivals of `a` per second meet pods that serve `c` per second. While `a > c` the backlog grows by `a - c` each
//! second, and who arrives at a backlog of `b` waits `b / c` seconds. Example: 130/s arrive, 100/s are served and
//! the objective is 0.5 s: after 1.67 s the backlog is 50 and each further request violates the objective.

use super::{Millis, seconds};

/// What requests wait for at most, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waits {
    /// A request that waits longer violates the objective (`slo`).
    pub(super) objective: f64,
    /// A request that would wait longer is refused (`patience`), at least the objective.
    pub(super) patience: f64,
}

/// The backlog, in requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Queue {
    backlog: f64,
}

/// What waits at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Waiting {
    /// Requests that wait.
    pub(super) backlog: f64,
    /// Seconds that the oldest of them has waited.
    pub(super) wait: f64,
}

/// Requests of one stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flow {
    /// Requests that pods answered.
    pub(super) served: f64,
    /// Requests that arrived and will wait longer than the objective, or are refused.
    pub(super) violations: f64,
    /// Requests that waited longer than the patience, and are gone.
    pub(super) refused: f64,
}

impl Queue {
    /// What waits, while pods serve so many requests per second. With no pod at all, the oldest has waited as long as
    /// anybody does.
    pub(super) fn waiting(self, service: f64, waits: Waits) -> Waiting {
        let wait = if self.backlog == 0.0 {
            0.0
        } else if service > 0.0 {
            (self.backlog / service).min(waits.patience)
        } else {
            waits.patience
        };
        Waiting {
            backlog: self.backlog,
            wait,
        }
    }

    /// Nobody waits.
    pub(super) fn clear(&mut self) {
        self.backlog = 0.0;
    }

    /// A stretch in which the rates of arrivals and service stay the same, both in requests per second.
    pub(super) fn pass(&mut self, arrivals: f64, service: f64, time: Millis, waits: Waits) -> Flow {
        let time = seconds(time);
        let mut flow = Flow::default();
        // With no pod at all, those wait who arrived within the patience.
        let most = if service > 0.0 { service } else { arrivals } * waits.patience;
        if self.backlog > most {
            // Pods went away: who is behind `most` waits too long.
            flow.refused += self.backlog - most;
            self.backlog = most;
        }
        let growth = arrivals - service;
        let before = self.backlog;
        let after = (before + growth * time).clamp(0.0, most);
        let overflow = (before + growth * time - most).max(0.0);
        flow.refused += overflow;
        flow.served = (before + arrivals * time - after - overflow).max(0.0);
        let bound = if service > 0.0 {
            service * waits.objective
        } else {
            0.0
        };
        flow.violations = arrivals * above(before, growth, bound, time);
        self.backlog = after;
        flow
    }
}

/// For how long `before + growth * t` is above the bound, of `time` seconds.
fn above(before: f64, growth: f64, bound: f64, time: f64) -> f64 {
    if growth > 0.0 {
        (time - ((bound - before) / growth).max(0.0)).clamp(0.0, time)
    } else if before <= bound {
        0.0
    } else if growth < 0.0 {
        ((before - bound) / -growth).min(time)
    } else {
        time
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WAITS: Waits = Waits {
        objective: 0.5,
        patience: 10.0,
    };

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }

    #[test]
    fn the_example_of_the_module() {
        let mut queue = Queue::default();
        let flow = queue.pass(130.0, 100.0, 10_000, WAITS);
        near(queue.backlog, 300.0);
        near(flow.served, 1000.0);
        near(flow.violations, 130.0 * (10.0 - 50.0 / 30.0));
        near(flow.refused, 0.0);
        // The backlog drains at 100 a second, and the waits are within the objective once it is below 50.
        let flow = queue.pass(0.0, 100.0, 10_000, WAITS);
        near(flow.served, 300.0);
        near(queue.backlog, 0.0);
    }

    #[test]
    fn who_would_wait_beyond_the_patience_is_refused() {
        let mut queue = Queue::default();
        let flow = queue.pass(300.0, 100.0, 10_000, WAITS);
        near(queue.backlog, 1000.0);
        near(flow.refused, 1000.0);
        // Half of the pods go: those behind 500 wait longer than 10 s.
        let flow = queue.pass(50.0, 50.0, 1000, WAITS);
        near(flow.refused, 500.0);
        near(queue.backlog, 500.0);
        let mut empty = Queue::default();
        let flow = empty.pass(10.0, 0.0, 60_000, WAITS);
        near(flow.served, 0.0);
        near(flow.violations, 600.0);
        near(empty.backlog, 100.0);
        near(flow.refused, 500.0);
    }

    proptest! {
        #[test]
        fn every_request_is_served_refused_or_waits(
            stretches in prop::collection::vec((0.0..500.0_f64, 0.0..500.0_f64, 1..60_000_i64), 1..20)
        ) {
            let mut queue = Queue::default();
            let (mut arrived, mut gone) = (0.0, 0.0);
            for (arrivals, service, time) in stretches {
                let flow = queue.pass(arrivals, service, time, WAITS);
                arrived += arrivals * seconds(time);
                gone += flow.served + flow.refused;
                prop_assert!(flow.served <= service * seconds(time) + 1e-6);
                prop_assert!(flow.violations <= arrivals * seconds(time) + 1e-6);
            }
            prop_assert!((arrived - gone - queue.backlog).abs() < 1e-6 * (1.0 + arrived));
        }
    }
}
