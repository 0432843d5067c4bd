//! The pure part of `vas test`: what is to be sent when, what a run brought, and what follows from it.
//!
//! ```text
//! scenario file --parse--> Scenario --rate--> the moments of requests
//! load engine --> Measured     cluster watch --> Scaling     (both on the clock of the run: seconds since it began)
//! Measured + Scaling --judge--> checks, grade, verdict --> report
//! ```
//!
//! Must not: send anything, look at a clock or a cluster. `src/loadtest` does that.

pub mod achieved;
pub mod autoscaling;
pub mod capacity;
pub mod cause;
pub mod chain;
pub mod check;
pub mod compare;
pub mod curve;
pub mod duration;
pub mod elasticity;
pub mod hold;
pub mod judge;
pub mod latencies;
pub mod measured;
pub mod merge;
pub mod rate;
pub mod report;
pub mod scaling;
pub mod scenario;
pub mod search;
pub mod step;
pub mod suggestion;
pub mod traffic;
pub mod usl;
