//! The durable queue in PostgreSQL.
//!
//! ```text
//! enqueue ──> waiting ──claim──> hidden until its visibility timeout ──complete──> done
//!                ^                       │ fail: back after 1 s, 2 s, 4 s, ... or dead after the last attempt
//!                └── the timeout is over ┘
//! ```
//!
//! Invariant: a job that was accepted ends as done or as a dead letter, and its effect happens once. A claim has a number
//! (`attempts`); completing writes the result and the end of the job in one transaction that changes nothing where the number is
//! not the newest any more. So a worker that was thought dead and was only slow cannot add a second result.

mod claim;
mod enqueue;
mod finish;
mod observe;
mod work;

pub use self::{
    claim::{Claim, bury, claim},
    enqueue::enqueue,
    finish::{Completed, complete, delete_done, fail, hand_back},
    observe::{Observed, Observer},
    work::Work,
};
use crate::database::Statement;

/// All jobs go through this queue: the shipped resource scales by it. Kinds are a label of other metrics.
pub const QUEUE: &str = "default";

/// Attempts after which a job is a dead letter.
pub const ATTEMPTS: i32 = 5;

/// Statements of this module.
pub const STATEMENTS: &[&Statement] = &[
    &enqueue::ENQUEUE,
    &claim::CLAIM,
    &claim::BURY,
    &finish::COMPLETE,
    &finish::RESULT,
    &finish::FAIL,
    &finish::HAND_BACK,
    &finish::DELETE_DONE,
    &observe::OBSERVE,
];
