//! `vas doctor`, `vas explain` and `vas init`: why something does not scale, why it scales as it does, and how it could.

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

pub mod doctor;
pub mod explain;
pub mod init;
