//! The oracle: which replica counts the HPA may choose, computed without asking vas.
//!
//! An implementation of the HPA v2 algorithm of Kubernetes 1.36 and later, for HPAs with `behavior` and
//! at least one replica, written from a description of the algorithm and sharing nothing with what vas
//! runs. It is pure: samples, pods, the moments of the HPA's syncs and what it wrote come in as
//! [`Evidence`]; [`judge`] says of every sync whether the count was right.
//!
//! Which sample a sync saw is not known exactly, because the metrics server polls and Prometheus scrapes. So
//! every step is computed for all samples that the sync may have seen, and a count is right if *some* of them
//! give it. Everything after the samples is exact: grouping of pods, rounding, tolerance, stabilization and
//! rate limits.

mod between;
mod combine;
mod evidence;
mod hpa;
mod judge;
mod number;
mod pods;
mod propose;
mod rate;
mod stabilize;
mod track;

pub(crate) use self::{
    between::Between,
    evidence::{Evidence, Feed, Reading, Sync},
    hpa::{Direction, Hpa, Metric, Policy, PolicyUnit, Resource, Select, Target, Tolerance},
    judge::{Verdict, judge},
    pods::{Phase, Pod, Pods, Readiness, Sample},
    track::Track,
};

/// Seconds on the clock of the evidence.
pub(crate) type Moment = f64;
