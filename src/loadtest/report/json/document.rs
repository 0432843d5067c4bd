//! The form of the document. Durations are in seconds, shares from 0 to 1.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workload::WorkloadRow;
use crate::loadtest::model::{check::Area, latencies::Quantiles, measured::Fault};

/// A run of vas test as one document. Durations are in seconds, shares from 0 to 1.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Document {
    /// Changes when a field changes its meaning; new fields may come without that.
    pub(super) schema_version: u32,
    /// `vas VERSION`.
    pub(super) generated_by: String,
    /// Name of the scenario.
    pub(super) name: String,
    /// Where requests went.
    pub(super) target: String,
    /// What most people look at.
    pub(super) summary: Summary,
    /// When, how long and how much.
    pub(super) run: Run,
    /// Every check, in the order of the scenario.
    pub(super) checks: Vec<CheckRow>,
    /// Why the run proves nothing.
    pub(super) doubts: Vec<String>,
    /// Where points of the grade were lost, most first.
    pub(super) lost_points: Vec<LostRow>,
    /// Requests by step.
    pub(super) steps: BTreeMap<String, Step>,
    /// How much later than due requests were sent; `null` if none was.
    pub(super) schedule_error: Option<QuantileRow>,
    /// The load generator itself.
    pub(super) generator: GeneratorRow,
    /// WebSocket connections; `null` for a scenario without any.
    pub(super) websocket: Option<WebSocketRow>,
    /// What was seen of the cluster; empty where nobody watched.
    pub(super) workloads: Vec<WorkloadRow>,
    /// The run second by second, without gaps.
    pub(super) seconds: Vec<SecondRow>,
    /// HDR histograms in microseconds, as base64 of their V2 form; runs are merged from them.
    pub(super) histograms: Histograms,
}

/// What most people look at.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Summary {
    /// What the run says.
    pub(super) verdict: VerdictRow,
    /// A to D; `null` for an invalid run.
    pub(super) grade: Option<GradeRow>,
    /// Points of 100; `null` for an invalid run.
    pub(super) points: Option<f64>,
    /// Requests that were due.
    pub(super) requests: u64,
    /// Requests that were answered as they should be.
    pub(super) answered: u64,
    /// Those of them whose answer came before the load ended.
    #[serde(default)]
    pub(super) answered_in_time: Option<u64>,
    /// Requests that failed.
    pub(super) errors: u64,
    /// Failed among those that ended; `null` if none did.
    pub(super) error_share: Option<f64>,
    /// Requests that were sent twice: their connection ended as idle connections end, or the server said that it had
    /// not looked at them.
    #[serde(default)]
    pub(super) retried: u64,
    /// Those among the requests that ended; `null` if none did.
    #[serde(default)]
    pub(super) retried_share: Option<f64>,
    /// Requests per second that were answered before the load ended, counted from when answers could come; `null` where
    /// that cannot be told.
    pub(super) achieved_rate: Option<f64>,
    /// Answers by status, and bytes of bodies; `null` where it was not counted.
    #[serde(default)]
    pub(super) traffic: Option<TrafficRow>,
    /// From the moment a request was due; `null` without an answer.
    pub(super) latency: Option<QuantileRow>,
    /// So many of the requests in `latency` failed.
    #[serde(default)]
    pub(super) failed_in_latency: Option<u64>,
    /// From the moment it was really sent.
    pub(super) service_time: Option<QuantileRow>,
}

/// Quantiles of durations, in seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Quantile")]
pub(super) struct QuantileRow {
    /// Half of the requests took no longer.
    pub(super) p50: f64,
    /// 90 %.
    pub(super) p90: f64,
    /// 95 %.
    pub(super) p95: f64,
    /// 99 %.
    pub(super) p99: f64,
    /// 99.9 %.
    pub(super) p999: f64,
    /// The longest.
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

/// When, how long and how much.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Run {
    /// What tells the run from all others, in hexadecimal digits; several for merged runs.
    #[serde(default)]
    pub(super) ids: Vec<String>,
    /// When its first request was due.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) began: Timestamp,
    /// How long requests were to be sent.
    pub(super) planned_seconds: f64,
    /// How long they were sent.
    pub(super) elapsed_seconds: f64,
    /// How it ended.
    pub(super) end: EndRow,
    /// Why it was given up; `null` if it was not.
    pub(super) abort_reason: Option<String>,
    /// What the levels of the load count: `requests/s`, `journeys/s` or `users`.
    pub(super) load_unit: String,
    /// Highest level of the load.
    pub(super) load_peak: f64,
    /// The load as it was planned: straight lines, one after another.
    pub(super) load: Vec<LineRow>,
}

/// A straight line of the load.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Line")]
pub(super) struct LineRow {
    /// Level at its beginning.
    pub(super) from: f64,
    /// Level at its end.
    pub(super) to: f64,
    /// Its length.
    pub(super) seconds: f64,
}

/// What a run says.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Verdict")]
pub(super) enum VerdictRow {
    /// Every check holds.
    Pass,
    /// A check does not hold, or the run was given up.
    Fail,
    /// The load generator, not the service, made the result.
    Invalid,
}

/// The letter of the grade; A is best.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Grade")]
pub(super) enum GradeRow {
    A,
    B,
    C,
    D,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "End")]
pub(super) enum EndRow {
    /// As planned.
    Completed,
    /// By a signal; what was measured until then counts.
    Interrupted,
    /// By a guard, such as a storm of errors.
    Aborted,
}

/// Something that a run had to fulfil.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Check")]
pub(super) struct CheckRow {
    /// What was checked, unique within a run; that of a threshold is the threshold.
    pub(super) name: String,
    /// The part of the grade that it belongs to.
    #[serde(with = "AreaRow")]
    pub(super) area: Area,
    /// Whether it holds. What could not be measured does not hold.
    pub(super) passed: bool,
    /// What was measured, with its unit; what was missing where nothing could be measured.
    pub(super) measured: String,
    /// What to change where it does not hold.
    pub(super) hint: Option<String>,
}

/// The parts of the grade.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Area", rename_all = "snake_case")]
enum AreaRow {
    ServiceLevel,
    UnderProvisioning,
    TimeToScale,
    Stability,
    OverProvisioning,
    ScaleDown,
}

/// Points that were lost for one cause.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Lost")]
pub(super) struct LostRow {
    /// How many.
    pub(super) points: f64,
    /// Why.
    pub(super) cause: String,
    /// What to change; may be empty.
    pub(super) hint: String,
}

/// Requests of one step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Step {
    /// Requests that were due.
    pub(super) requests: u64,
    /// Requests that were answered as they should be.
    pub(super) answered: u64,
    /// Those of them whose answer came before the load ended.
    #[serde(default)]
    pub(super) answered_in_time: Option<u64>,
    /// When the first one was due, since the load began; `null` in the closed model.
    #[serde(default)]
    pub(super) first_due_seconds: Option<f64>,
    /// Requests that failed.
    pub(super) errors: u64,
    /// Requests that were sent twice.
    #[serde(default)]
    pub(super) retried: u64,
    /// Failed requests by cause; at most 50, and `other`.
    pub(super) failures: BTreeMap<String, u64>,
    /// What was found in one failure of a cause, where there is more to say than the cause.
    #[serde(default)]
    pub(super) examples: BTreeMap<String, String>,
    /// Answers by status, and bytes of bodies; `null` where it was not counted.
    #[serde(default)]
    pub(super) traffic: Option<TrafficRow>,
    /// From the moment a request was due; `null` without an answer.
    pub(super) latency: Option<QuantileRow>,
    /// So many of the requests in `latency` failed.
    #[serde(default)]
    pub(super) failed_in_latency: Option<u64>,
    /// From the moment it was really sent.
    pub(super) service_time: Option<QuantileRow>,
}

/// Answers by status, and bytes of bodies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Traffic")]
pub(super) struct TrafficRow {
    /// Answers whose head came, by status; some of them may have failed all the same.
    pub(super) statuses: BTreeMap<String, u64>,
    /// Bytes of the bodies of requests that had an answer.
    pub(super) bytes_sent: u64,
    /// Bytes of the bodies of answers, as they came over the wire.
    pub(super) bytes_received: u64,
}

/// The load generator itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Generator")]
pub(super) struct GeneratorRow {
    /// Its threads that send.
    pub(super) threads: u32,
    /// Processors it may use.
    pub(super) processors: u32,
    /// Processor time of the whole process; `null` where it is unknown.
    pub(super) cpu_seconds: Option<f64>,
    /// Share of its processors that it used while load was sent; `null` where it is unknown.
    #[serde(default)]
    pub(super) cpu_share: Option<f64>,
    /// Connections opened.
    pub(super) connections: u64,
    /// Most connections open at once.
    pub(super) connections_peak: u64,
    /// Most connections it may have open at once.
    pub(super) connections_limit: u64,
    /// Requests that had to wait because that limit was reached.
    pub(super) waited_for_connection: u64,
    /// Requests that were due and never sent, because the run was ended before.
    pub(super) unsent: u64,
    /// Requests that it could not send, by what it lacked.
    #[serde(default)]
    pub(super) faults: FaultsRow,
    /// Longest pause of the generator as a whole.
    pub(super) longest_pause_seconds: f64,
}

/// Requests that the load generator could not send, by what it lacked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Faults")]
pub(super) struct FaultsRow {
    /// For want of a free local port.
    pub(super) no_local_port: u64,
    /// Because too many files were open.
    pub(super) too_many_files: u64,
}

impl From<&BTreeMap<Fault, u64>> for FaultsRow {
    fn from(faults: &BTreeMap<Fault, u64>) -> Self {
        let of = |fault| faults.get(&fault).copied().unwrap_or(0);
        Self {
            no_local_port: of(Fault::NoLocalPort),
            too_many_files: of(Fault::TooManyFiles),
        }
    }
}

impl From<FaultsRow> for BTreeMap<Fault, u64> {
    fn from(row: FaultsRow) -> Self {
        let all = [
            (Fault::NoLocalPort, row.no_local_port),
            (Fault::TooManyFiles, row.too_many_files),
        ];
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// WebSocket connections of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WebSocket")]
pub(super) struct WebSocketRow {
    /// Connections made.
    pub(super) connected: u64,
    /// Connections refused or lost, by cause, and those on which the server did not do its part.
    pub(super) failures: BTreeMap<String, u64>,
    /// Connections that were held as long as they should be, and did all that they should; `null` where it was not
    /// counted.
    pub(super) held: Option<u64>,
    /// Most held at once.
    pub(super) held_peak: u64,
    /// Messages sent.
    pub(super) messages_sent: u64,
    /// Messages received, without voice.
    pub(super) messages_received: u64,
    /// Messages whose echo, or awaited answer, had not come when they were given up; `null` where it was not counted.
    pub(super) messages_unanswered: Option<u64>,
    /// Time to connect and upgrade.
    pub(super) connect: Option<QuantileRow>,
    /// From a message to its echo, or to the message that its sequence awaits; those that never came count with the time
    /// that they were waited for.
    pub(super) round_trip: Option<QuantileRow>,
    /// From a ping to its pong; those that never came count too.
    pub(super) ping: Option<QuantileRow>,
    /// From a request for voice to its first byte.
    pub(super) first_byte: Option<QuantileRow>,
    /// How far gaps between voice frames were from what they should be.
    pub(super) jitter: Option<QuantileRow>,
}

/// One second of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Second")]
pub(super) struct SecondRow {
    /// Seconds since the run began; this is what happened from here to the next.
    pub(super) at: u32,
    /// Requests that were due in it.
    pub(super) due: u64,
    /// Requests that were answered in it as they should be.
    pub(super) answered: u64,
    /// Requests that failed in it.
    pub(super) errors: u64,
    /// Requests that ended in it and were sent twice.
    #[serde(default)]
    pub(super) retried: u64,
    /// Users at its end (closed model), or requests under way (open model).
    pub(super) concurrency: u64,
    /// Held WebSocket connections at its end.
    pub(super) websockets: u64,
    /// Latency of the requests that ended in it; `null` if none did.
    pub(super) latency: Option<QuantileRow>,
    /// Share of the processors that the generator itself used; `null` where it is unknown.
    pub(super) generator_cpu: Option<f64>,
}

/// HDR histograms in microseconds, as base64 of their V2 form.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Histograms {
    /// How much later than due requests were sent.
    pub(super) schedule_error: String,
    /// By step: latency and service time.
    pub(super) steps: BTreeMap<String, StepHistograms>,
    /// Those of WebSocket connections; `null` for a scenario without any.
    pub(super) websocket: Option<WebSocketHistograms>,
}

/// HDR histograms of one step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct StepHistograms {
    /// From the moment a request was due.
    pub(super) latency: String,
    /// From the moment it was really sent.
    pub(super) service_time: String,
    /// The part of `latency` that is of failed requests.
    #[serde(default)]
    pub(super) failed_latency: Option<String>,
    /// The part of `latency` that is of the answered requests that were due at the very beginning; empty in the closed
    /// model.
    #[serde(default)]
    pub(super) first_latency: Option<String>,
}

/// HDR histograms of WebSocket connections.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct WebSocketHistograms {
    /// Time to connect and upgrade.
    pub(super) connect: String,
    /// From a message to its echo.
    pub(super) round_trip: String,
    /// From a ping to its pong.
    #[serde(default)]
    pub(super) ping: Option<String>,
    /// From a request for voice to its first byte.
    pub(super) first_byte: String,
    /// How far gaps between voice frames were from what they should be.
    pub(super) jitter: String,
}
