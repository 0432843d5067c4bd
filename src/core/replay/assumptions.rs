//! What a replay takes for granted.

use super::{Millis, fleet::TimeToReady};
use crate::hpa::Controller;

/// What a replay takes for granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumptions {
    /// Requests per second that one Ready pod serves at most, above 0.
    pub capacity: f64,
    /// How long a pod takes until it is Ready.
    pub time_to_ready: TimeToReady,
    /// A request that waits longer violates the objective, in seconds.
    pub objective: f64,
    /// A request that would wait longer is refused, in seconds, at least the objective.
    pub patience: f64,
    /// The scrape interval of Prometheus.
    pub scrape: Millis,
    /// The time between polls of the metrics server.
    pub poll: Millis,
    /// The time between syncs of the HPA controller. A whole number of seconds sits on the edges of windows and
    /// periods, where a real controller, whose syncs come a little late, seldom is; so take 15,001 ms.
    pub sync: Millis,
    /// The time at the beginning that is not judged.
    pub warm_up: Millis,
    /// The flags of the HPA controller.
    pub controller: Controller,
}
