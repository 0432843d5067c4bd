//! What a run is judged to be, as one value that every output is written from.
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
    /// Where requests went.
    pub target: String,
    /// The load as it was planned; what its level means is in `load_unit`.
    pub load: Profile,
    /// "requests/s", "journeys/s" or "users".
    pub load_unit: &'static str,
    /// The bound of the p95 that the scenario sets, for the line in pictures.
    pub objective: Option<Duration>,
    /// What was measured.
    pub measured: Measured,
    /// What was seen of the cluster; empty where nobody watched.
    pub workloads: Vec<Workload>,
    /// Every check, in the order of the scenario.
    pub checks: Vec<Check>,
    /// Why the run proves nothing; empty for a run that does.
    pub doubts: Vec<String>,
    /// Pass, fail or invalid.
    pub verdict: Verdict,
    /// The grade with its points; `None` for an invalid run.
    pub grade: Option<Grade>,
}

/// One workload that was watched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workload {
    /// What was seen.
    pub scaling: Scaling,
    /// Its scale-ups.
    pub chains: Vec<Chain>,
    /// How its replicas followed the load, where its capacity is known.
    pub elasticity: Option<Elasticity>,
}

/// What a run says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check holds.
    Pass,
    /// A check does not hold.
    Fail,
    /// The load generator, not the service, made the result.
    Invalid,
}

/// The grade of a run, as `docs/load-testing.md` defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grade {
    /// The letter.
    pub letter: Letter,
    /// Points of 100.
    pub points: f64,
    /// Where points were lost, most first.
    pub lost: Vec<Lost>,
}

/// Letters; A is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    /// 90 points and more.
    A,
    /// 75 and more.
    B,
    /// 60 and more.
    C,
    /// Fewer, or a gate that was missed.
    D,
}

/// Points that were lost for one cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// How many.
    pub points: f64,
    /// Why.
    pub cause: String,
    /// What to change.
    pub hint: String,
}
