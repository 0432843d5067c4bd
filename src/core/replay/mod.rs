//! Replays a load through the HPA algorithm: which replicas a policy would have had at each moment, and for how
//! long they were too few.
//!
//! ```text
//! load      the load over time, with gaps          assumptions  what is taken for granted
//! fleet     pods that become Ready some time after they are asked for; the youngest go first
//! queue     requests that wait in front of the pods, violate the objective or are refused
//! history   what a metric could have known: sums over time, to look back at
//! model     which metrics of an HPA follow from the load, and their readings
//! policy    who decides on the replicas: an HPA, a constant, or somebody who knows the future
//! run       one policy over the whole load
//! outcome   what came of it
//! ```
//!
//! Time is in whole milliseconds since the load's first value, because sums of decimal seconds drift. Requests are
//! a fluid: a rate of 0.5 requests per second is half a request each second, not one every two seconds. For a queue
//! of jobs, read "job" for "request".
//!
//! Invariant: the same load, assumptions and policy give the same outcome. A stretch without a value of the load
//! is judged nowhere, and is no value for the HPA. Must not: read clocks, files or the cluster.

mod assumptions;
mod fleet;
mod history;
mod load;
mod model;
mod outcome;
mod policy;
mod queue;
mod run;
#[cfg(test)]
mod tests;

pub use assumptions::Assumptions;
pub use fleet::TimeToReady;
pub use load::{Builder, Load, LoadError, MOST_VALUES, Value};
pub use model::{Kind, Model, NoModel};
pub use outcome::{Moment, Outcome};
pub use policy::Policy;
pub use run::{replay, replay_from};

/// A moment, in milliseconds since the load's first value.
pub type Millis = i64;

/// Seconds of so many milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a century of milliseconds is exact")]
#[must_use]
pub fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1000.0
}

/// Whole milliseconds of a time; what is longer than a replay can be is as good as for ever.
#[must_use]
pub fn millis(time: std::time::Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap_or(FOR_EVER)
}

/// Longer than any replay, and short enough to be added to any moment of one.
const FOR_EVER: Millis = Millis::MAX / 4;
