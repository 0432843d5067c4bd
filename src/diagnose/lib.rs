//! `vas doctor`, `vas explain`, `vas simulate` and `vas init`: why something does not scale, why it scales as it does, how it
//! would, and how it could.

#![cfg_attr(
    test,
    allow(clippy::needless_pass_by_value, reason = "tests pass json!(..) inline")
)]

pub mod doctor;
pub mod explain;
pub mod init;
pub mod simulate;
