//! `vas test capacity`: how much so many replicas carry.
//!
//! ```text
//! hold      a workload suspended as long as it is renewed, its replicas held through the scale subresource
//! guardian  a process that gives them back when this one is gone
//! steps     loads of a search, one after the other -> search
//! elastic   plateaus and ramps with scaling on
//! ```
//!
//! What is changed and how it is put back is decided in `loadtest::cluster::hold_patch`.

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
pub mod text;
pub mod usl;
