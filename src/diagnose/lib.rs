//! `vas doctor` and `vas explain`: why something does not scale, and why it scales as it does.

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

pub mod doctor;
pub mod explain;
