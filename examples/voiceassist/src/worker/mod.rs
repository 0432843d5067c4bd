//! The worker: takes jobs from the queue, does them, and keeps house.
//!
//! Invariant: what a job changes, it changes in the transaction in which it is completed.

mod embed;
mod housekeeping;
mod index;
mod metrics;
mod outcome;
mod run;
mod transcribe;

pub use self::{
    housekeeping::keep_house,
    metrics::JobMetrics,
    run::{Pace, Worker, run},
};
use crate::database::Statement;

/// Statements of this module.
pub const STATEMENTS: &[&Statement] = &[
    &embed::READ,
    &embed::WRITE,
    &index::READ,
    &index::CLEAR,
    &index::WRITE,
    &index::INDEXED,
    &transcribe::WRITE,
    &housekeeping::EXPIRED_TOKENS,
];
