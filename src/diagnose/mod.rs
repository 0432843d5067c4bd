//! `vas doctor` and `vas explain`: why something does not scale, and why it scales as it does.

pub mod doctor;
pub mod explain;
