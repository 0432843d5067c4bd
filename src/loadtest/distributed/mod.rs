//! One load that several pods of a Kubernetes Job send together, and one report about all of it.
//!
//! ```text
//! here:    parcel --Secret--> pods      objects  the Job, its Service and its Secret     conduct  from all of them to their end
//!          follow <--logs-- pods        workers  what their logs said so far             outcome  their reports as one
//!                                worker   what the log of one said
//! in pods: barrier  all are ready before any begins          lines  what a worker writes into its log
//! ```
//!
//! Invariant: what was not reported is said. A worker without a whole report makes the result invalid and is named.
//! Must not: put anything into a ConfigMap or an argument that may be a secret; leave an object that does not belong
//! to the Job.

pub mod barrier;
pub mod conduct;
mod follow;
pub mod lines;
pub mod objects;
mod outcome;
pub mod parcel;
mod pod;
mod worker;
pub mod workers;

pub use self::outcome::NoReport;
