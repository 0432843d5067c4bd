//! A judged run as one value, from which every output is written.
//!
//! ```text
//! Report --> text      for people, at the end of a run      json      for programs; runs can be merged from it
//!            junit     a case for each check                markdown  for a pull request
//!            hgrm      the latency by percentile         html      one page with everything on one time axis
//! ```

pub mod compare;
mod escape;
pub mod hgrm;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod text;
mod words;

#[cfg(test)]
pub(super) mod example;
#[cfg(test)]
pub(super) mod testing;

use std::time::Duration;

use super::{
    autoscaling::elasticity::Elasticity,
    model::{chain::Chain, check::Check, measured::Measured, scaling::Scaling},
    scenario::rate::Profile,
};

/// A judged run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Name of the scenario, or of what was tested.
    pub name: String,
    /// The URL that requests were sent to.
    pub target: String,
    /// The planned load; `load_unit` is the unit of its levels.
    pub load: Profile,
    /// Unit of the load's levels: "requests/s", "journeys/s" or "users".
    pub load_unit: &'static str,
    /// The scenario's limit for the p95 latency, which charts show as a line; `None` without one.
    pub objective: Option<Duration>,
    /// What was measured.
    pub measured: Measured,
    /// Observations of the cluster; empty where it was not watched.
    pub workloads: Vec<Workload>,
    /// Every check, in the order of the scenario.
    pub checks: Vec<Check>,
    /// Reasons why the run proves nothing; empty for a run without doubts.
    pub doubts: Vec<String>,
    /// Pass, fail or invalid.
    pub verdict: Verdict,
    /// The grade with its points; `None` for an invalid run.
    pub grade: Option<Grade>,
}

/// One workload that was watched during the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workload {
    /// What was observed of the workload.
    pub scaling: Scaling,
    /// The time-to-scale chain of each of its scale-ups.
    pub chains: Vec<Chain>,
    /// How well its replicas followed the demand; `None` where the capacity of one replica is unknown.
    pub elasticity: Option<Elasticity>,
}

/// The verdict on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Pass,
    /// A check failed, or the run was aborted.
    Fail,
    /// The load generator, and not the service, caused the result.
    Invalid,
}

/// The grade of a run, as `docs/load-testing.md` defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grade {
    /// The letter that points and gates give.
    pub letter: Letter,
    /// Points, from 0 to 100.
    pub points: f64,
    /// Lost points by cause, most points first.
    pub lost: Vec<Lost>,
}

/// Letters of the grade; A is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    /// 90 points or more.
    A,
    /// 75 points or more.
    B,
    /// 60 points or more.
    C,
    /// Fewer than 60 points, or too many errors.
    D,
}

/// Points that were lost through one failed check.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// Number of points lost.
    pub points: f64,
    /// The failed check and what was measured.
    pub cause: String,
    /// What to change; may be empty.
    pub hint: String,
}
