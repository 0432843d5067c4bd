//! What the demo reads of a report of `vas test run`, as docs/load-testing.md has it. Durations are in seconds.

use jiff::Timestamp;
use serde::Deserialize;

/// One run.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// All of it.
    pub summary: Summary,
    /// When it was.
    pub run: Run,
    /// Its thresholds.
    pub checks: Vec<Check>,
    /// Why it proves nothing, if so.
    pub doubts: Vec<String>,
    /// Second by second.
    pub seconds: Vec<Second>,
}

/// The sum.
#[derive(Clone, Debug, Deserialize)]
pub struct Summary {
    /// Requests that were due.
    pub requests: u64,
    /// Failed ones.
    pub errors: u64,
    /// From the moment a request was due.
    pub latency: Option<Latency>,
}

/// Quantiles.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50: f64,
    /// One in twenty took longer.
    pub p95: f64,
    /// The longest.
    pub max: f64,
}

/// Its time.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    /// When the first request was due.
    pub began: Timestamp,
}

/// A threshold.
#[derive(Clone, Debug, Deserialize)]
pub struct Check {
    /// As it is written.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was measured.
    pub measured: String,
}

/// A second.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Second {
    /// Seconds since the run began.
    pub at: u32,
    /// Requests that failed in it.
    pub errors: u64,
    /// Latency of those that ended in it.
    pub latency: Option<Latency>,
}
