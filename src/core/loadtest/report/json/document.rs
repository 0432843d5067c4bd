//! The form of the document. Durations are in seconds, shares from 0 to 1.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::loadtest::latencies::Quantiles;

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) schema_version: u32,
    /// `vas VERSION`.
    pub(super) generated_by: String,
    pub(super) name: String,
    pub(super) target: String,
    pub(super) summary: Summary,
    pub(super) run: Run,
    pub(super) checks: Vec<CheckRow>,
    /// Why the run proves nothing.
    pub(super) doubts: Vec<String>,
    pub(super) lost_points: Vec<LostRow>,
    pub(super) steps: BTreeMap<String, Step>,
    pub(super) schedule_error: Option<QuantileRow>,
    pub(super) generator: GeneratorRow,
    pub(super) websocket: Option<WebSocketRow>,
    pub(super) seconds: Vec<SecondRow>,
    /// HDR histograms in microseconds, as base64 of their V2 form; runs are merged from them.
    pub(super) histograms: Histograms,
}

/// What most people look at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Summary {
    /// `pass`, `fail` or `invalid`.
    pub(super) verdict: String,
    /// A to D; `null` for an invalid run.
    pub(super) grade: Option<String>,
    pub(super) points: Option<f64>,
    /// Requests that were due.
    pub(super) requests: u64,
    pub(super) answered: u64,
    pub(super) errors: u64,
    /// Failed among those that ended; `null` if none did.
    pub(super) error_share: Option<f64>,
    /// Answered requests per second.
    pub(super) achieved_rate: f64,
    /// From the moment a request was due; `null` without an answer.
    pub(super) latency: Option<QuantileRow>,
    /// From the moment it was really sent.
    pub(super) service_time: Option<QuantileRow>,
}

/// Seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct QuantileRow {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl From<Quantiles> for QuantileRow {
    fn from(quantiles: Quantiles) -> Self {
        Self {
            p50: quantiles.p50.as_secs_f64(),
            p90: quantiles.p90.as_secs_f64(),
            p95: quantiles.p95.as_secs_f64(),
            p99: quantiles.p99.as_secs_f64(),
            p999: quantiles.p999.as_secs_f64(),
            max: quantiles.max.as_secs_f64(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) began: Timestamp,
    pub(super) planned_seconds: f64,
    pub(super) elapsed_seconds: f64,
    /// `completed`, `interrupted` or `aborted`.
    pub(super) end: String,
    /// Why it was given up.
    pub(super) abort_reason: Option<String>,
    /// What the levels of the load count.
    pub(super) load_unit: String,
    /// Highest level of the load.
    pub(super) load_peak: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CheckRow {
    pub(super) name: String,
    pub(super) area: String,
    pub(super) passed: bool,
    pub(super) measured: String,
    pub(super) hint: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LostRow {
    pub(super) points: f64,
    pub(super) cause: String,
    pub(super) hint: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) requests: u64,
    pub(super) answered: u64,
    pub(super) errors: u64,
    /// Failed requests by cause.
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) latency: Option<QuantileRow>,
    pub(super) service_time: Option<QuantileRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GeneratorRow {
    pub(super) threads: u32,
    pub(super) processors: u32,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) connections: u64,
    pub(super) connections_peak: u64,
    pub(super) connections_limit: u64,
    pub(super) waited_for_connection: u64,
    pub(super) unsent: u64,
    pub(super) longest_pause_seconds: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WebSocketRow {
    pub(super) connected: u64,
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) held_peak: u64,
    pub(super) messages_sent: u64,
    pub(super) messages_received: u64,
    pub(super) connect: Option<QuantileRow>,
    pub(super) round_trip: Option<QuantileRow>,
    pub(super) first_byte: Option<QuantileRow>,
    /// How far gaps between voice frames were from what they should be.
    pub(super) jitter: Option<QuantileRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SecondRow {
    pub(super) at: u32,
    pub(super) due: u64,
    pub(super) answered: u64,
    pub(super) errors: u64,
    pub(super) concurrency: u64,
    pub(super) websockets: u64,
    pub(super) latency: Option<QuantileRow>,
    pub(super) generator_cpu: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Histograms {
    pub(super) schedule_error: String,
    /// By step: latency and service time.
    pub(super) steps: BTreeMap<String, StepHistograms>,
    pub(super) websocket: Option<WebSocketHistograms>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StepHistograms {
    pub(super) latency: String,
    pub(super) service_time: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WebSocketHistograms {
    pub(super) connect: String,
    pub(super) round_trip: String,
    pub(super) first_byte: String,
    pub(super) jitter: String,
}
