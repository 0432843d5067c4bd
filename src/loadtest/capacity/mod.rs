//! `vas test capacity`: measures the load that a number of replicas carries.
//!
//! ```text
//! test      the test from the hold to the report
//! hold      suspends a workload while the hold is renewed; sets replicas through the scale subresource
//! guardian  a process that gives the replicas back when this process is gone
//! steps     loads of a search, one after the other -> search
//! elastic   plateaus and ramps while the workload scales
//! ```
//!
//! `loadtest::cluster::hold_patch` decides what is changed and how it is restored.

pub mod curve;
pub mod elastic;
pub mod guardian;
pub mod hold;
pub mod markdown;
pub mod outcome;
pub mod report;
pub mod search;
pub mod steps;
pub mod suggestion;
pub mod test;
pub mod text;
#[cfg(test)]
mod truth;
pub mod usl;
