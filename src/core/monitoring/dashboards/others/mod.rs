//! Families of metrics that boards read and others export. The labels are those that the series have in Prometheus, so
//! `namespace` and `pod` are among them where Prometheus adds them.
//!
//! Must not: be taken for families of vas, which are in [`crate::monitoring::families::all`].

pub mod kubelet;
pub mod voiceassist;

use crate::monitoring::families::Family;

/// Every family of others.
pub fn all() -> impl Iterator<Item = Family> {
    [voiceassist::ALL, kubelet::ALL].into_iter().flatten().copied()
}
