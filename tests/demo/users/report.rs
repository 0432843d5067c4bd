//! The fields of a report of `vas test run` that the demo reads, as docs/load-testing.md describes them.
//! Durations are in seconds.

use jiff::Timestamp;
use serde::Deserialize;

/// The report of one run.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Report {
    /// Figures of the whole run.
    pub summary: Summary,
    /// When the run began, and how long it took.
    pub run: Run,
    /// The thresholds of the run, each with its verdict.
    pub checks: Vec<Check>,
    /// Reasons why the run proves nothing; empty for a run without doubts.
    pub doubts: Vec<String>,
    /// Figures of each second.
    pub seconds: Vec<Second>,
}

/// Figures of the whole run.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Summary {
    /// Requests that were due.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Time from the moment a request was due; `None` without an answer.
    pub latency: Option<Latency>,
}

/// Quantiles of a latency, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Latency {
    /// Half of the requests took at most this long.
    pub p50: f64,
    /// 95 % of the requests took at most this long.
    pub p95: f64,
    /// The longest time of all requests.
    pub max: f64,
}

/// When the run was.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Run {
    /// When the first request was due.
    pub began: Timestamp,
}

/// The outcome of a threshold.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Check {
    /// The threshold as it is written.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was measured.
    pub measured: String,
}

/// Figures of one second.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Second {
    /// Seconds since the run began.
    pub at: u32,
    /// Requests that failed in this second.
    pub errors: u64,
    /// Latency of the requests that ended in this second.
    pub latency: Option<Latency>,
}
