//! What came of a policy.

use super::Millis;

/// One moment of a replay, after the sync at that moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// When it is.
    pub at: Millis,
    /// The load, in requests per second; `None` in a gap.
    pub rate: Option<f64>,
    /// Fewest replicas that carry the load; 0 in a gap.
    pub demand: u32,
    /// Replicas that the policy asks for.
    pub desired: u32,
    /// Pods that are Ready.
    pub ready: u32,
    /// Whether the moment is judged: it is after the warm-up and in no gap.
    pub judged: bool,
}

/// What came of a policy, over the judged time: after the warm-up, without gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Length of the judged time, in seconds.
    pub seconds: f64,
    /// Requests that were offered.
    pub offered: f64,
    /// Seconds in which the load was above what the Ready pods carry.
    pub short_seconds: f64,
    /// Requests that came when the wait was longer than the objective.
    pub violations: f64,
    /// Requests that waited longer than the patience.
    pub refused: f64,
    /// Replicas times seconds, from their creation on.
    pub replica_seconds: f64,
    /// How often the replicas were changed.
    pub rescales: u32,
    /// The most replicas.
    pub peak: u32,
}

impl Outcome {
    /// Replicas times hours.
    #[must_use]
    pub fn replica_hours(&self) -> f64 {
        self.replica_seconds / 3600.0
    }

    /// Share of the time in which the load was above what the Ready pods carry, from 0 to 1.
    #[must_use]
    pub fn short(&self) -> f64 {
        if self.seconds > 0.0 {
            self.short_seconds / self.seconds
        } else {
            0.0
        }
    }

    /// Replicas on average.
    #[must_use]
    pub fn mean_replicas(&self) -> f64 {
        if self.seconds > 0.0 {
            self.replica_seconds / self.seconds
        } else {
            0.0
        }
    }
}
