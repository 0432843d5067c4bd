//! The types of the JSON document. Their docs are the descriptions of the published schema. Durations are in
//! seconds, shares from 0 to 1.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workload::WorkloadRow;
use crate::model::{check::Area, latencies::Quantiles, measured::Fault};

/// A run of vas test as one document. Durations are in seconds, shares from 0 to 1.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Document {
    /// Version of the format. It changes when a field changes its meaning; new fields may come without that.
    pub(super) schema_version: u32,
    /// Version of vas that wrote the report: `vas VERSION`.
    pub(super) generated_by: String,
    /// Name of the scenario.
    pub(super) name: String,
    /// URL that requests were sent to.
    pub(super) target: String,
    /// The most important figures.
    pub(super) summary: Summary,
    /// When the run began, how long it took, and its load.
    pub(super) run: Run,
    /// Every check, in the order of the scenario.
    pub(super) checks: Vec<CheckRow>,
    /// Reasons why the run proves nothing; empty for a run without doubts.
    pub(super) doubts: Vec<String>,
    /// Lost points of the grade by cause, most points first.
    pub(super) lost_points: Vec<LostRow>,
    /// Requests by step.
    pub(super) steps: BTreeMap<String, Step>,
    /// How much later requests were sent than they were due; `null` if none was sent.
    pub(super) schedule_error: Option<QuantileRow>,
    /// Figures of the load generator itself.
    pub(super) generator: GeneratorRow,
    /// Figures of WebSocket connections; `null` for a scenario without any.
    pub(super) websocket: Option<WebSocketRow>,
    /// Observations of the cluster; empty where it was not watched.
    pub(super) workloads: Vec<WorkloadRow>,
    /// Figures of each second of the run, without gaps.
    pub(super) seconds: Vec<SecondRow>,
    /// HDR histograms in microseconds, as base64 of their V2 format. Runs are merged from them.
    pub(super) histograms: Histograms,
}

/// The most important figures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Summary {
    /// The verdict on the run.
    pub(super) verdict: VerdictRow,
    /// A to D; `null` for an invalid run.
    pub(super) grade: Option<GradeRow>,
    /// Points, from 0 to 100; `null` for an invalid run.
    pub(super) points: Option<f64>,
    /// Requests that were due.
    pub(super) requests: u64,
    /// Requests that were answered as expected.
    pub(super) answered: u64,
    /// Answered requests whose answer came before the load ended.
    #[serde(default)]
    pub(super) answered_in_time: Option<u64>,
    /// Requests that failed.
    pub(super) errors: u64,
    /// Failed requests as a share of those that ended; `null` if none ended.
    pub(super) error_share: Option<f64>,
    /// Requests that were sent twice: their connection had been closed as an idle one, or the server said
    /// that it had not processed them.
    #[serde(default)]
    pub(super) retried: u64,
    /// Requests sent twice as a share of those that ended; `null` if none ended.
    #[serde(default)]
    pub(super) retried_share: Option<f64>,
    /// Requests per second that were answered before the load ended, counted from when answers could come;
    /// `null` where no rate can be computed.
    pub(super) achieved_rate: Option<f64>,
    /// Answers by status, and bytes of bodies; `null` where they were not counted.
    #[serde(default)]
    pub(super) traffic: Option<TrafficRow>,
    /// Time from the moment a request was due to its answer; `null` without an answer.
    pub(super) latency: Option<QuantileRow>,
    /// How many of the requests in `latency` failed.
    #[serde(default)]
    pub(super) failed_in_latency: Option<u64>,
    /// Time from the moment a request was really sent to its answer; `null` without an answer.
    pub(super) service_time: Option<QuantileRow>,
}

/// Quantiles of durations, in seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Quantile")]
pub(super) struct QuantileRow {
    /// 50 % of the requests took at most this long.
    pub(super) p50: f64,
    /// 90 % of the requests took at most this long.
    pub(super) p90: f64,
    /// 95 % of the requests took at most this long.
    pub(super) p95: f64,
    /// 99 % of the requests took at most this long.
    pub(super) p99: f64,
    /// 99.9 % of the requests took at most this long.
    pub(super) p999: f64,
    /// The longest request.
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

/// When the run began, how long it took, and its load.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Run {
    /// ID of the run, in hexadecimal digits. A merged run has the IDs of all its runs.
    #[serde(default)]
    pub(super) ids: Vec<String>,
    /// When the first request was due.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) began: Timestamp,
    /// How long requests were planned to be sent.
    pub(super) planned_seconds: f64,
    /// How long requests were really sent.
    pub(super) elapsed_seconds: f64,
    /// How the run ended.
    pub(super) end: EndRow,
    /// Why the run was given up; `null` if it was not.
    pub(super) abort_reason: Option<String>,
    /// Unit of the levels of the load: `requests/s`, `journeys/s` or `users`.
    pub(super) load_unit: String,
    /// Highest level of the load.
    pub(super) load_peak: f64,
    /// The planned load: straight lines, one after another.
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
    /// Length of the line in seconds.
    pub(super) seconds: f64,
}

/// The verdict on a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Verdict")]
pub(super) enum VerdictRow {
    /// Every check passed.
    Pass,
    /// A check failed, or the run was given up.
    Fail,
    /// The load generator, and not the service, caused the result.
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
    /// The run ended as planned.
    Completed,
    /// A signal or the live page ended the run. What was measured until then counts.
    Interrupted,
    /// A guard ended the run, such as the one against too many errors.
    Aborted,
}

/// A requirement on the run, and whether the run met it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Check")]
pub(super) struct CheckRow {
    /// What was checked, unique within a run. For a threshold it is the text of the threshold.
    pub(super) name: String,
    /// The part of the grade that the check belongs to.
    #[serde(with = "AreaRow")]
    pub(super) area: Area,
    /// Whether the requirement is met. It is not met where nothing could be measured.
    pub(super) passed: bool,
    /// The measured value with its unit. Where nothing could be measured, the words say what was missing.
    pub(super) measured: String,
    /// What to change where the check failed; `null` where it passed.
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

/// Points that were lost through one failed check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Lost")]
pub(super) struct LostRow {
    /// Number of points lost.
    pub(super) points: f64,
    /// The failed check and what was measured.
    pub(super) cause: String,
    /// What to change; may be empty.
    pub(super) hint: String,
}

/// Requests of one step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Step {
    /// Requests that were due.
    pub(super) requests: u64,
    /// Requests that were answered as expected.
    pub(super) answered: u64,
    /// Answered requests whose answer came before the load ended.
    #[serde(default)]
    pub(super) answered_in_time: Option<u64>,
    /// Time from the beginning of the load until the first request was due; `null` in the closed model.
    #[serde(default)]
    pub(super) first_due_seconds: Option<f64>,
    /// Requests that failed.
    pub(super) errors: u64,
    /// Requests that were sent twice.
    #[serde(default)]
    pub(super) retried: u64,
    /// Failed requests by cause; at most 50, and `other`.
    pub(super) failures: BTreeMap<String, u64>,
    /// Details of one failure, by cause, where there is more to say than the cause.
    #[serde(default)]
    pub(super) examples: BTreeMap<String, String>,
    /// Answers by status, and bytes of bodies; `null` where they were not counted.
    #[serde(default)]
    pub(super) traffic: Option<TrafficRow>,
    /// Time from the moment a request was due to its answer; `null` without an answer.
    pub(super) latency: Option<QuantileRow>,
    /// How many of the requests in `latency` failed.
    #[serde(default)]
    pub(super) failed_in_latency: Option<u64>,
    /// Time from the moment a request was really sent to its answer; `null` without an answer.
    pub(super) service_time: Option<QuantileRow>,
}

/// Answers by status, and bytes of bodies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Traffic")]
pub(super) struct TrafficRow {
    /// Answers by status, counted when their head came. Some of them may have failed later.
    pub(super) statuses: BTreeMap<String, u64>,
    /// Bytes of the bodies of requests that had an answer.
    pub(super) bytes_sent: u64,
    /// Bytes of the bodies of answers, as they came over the wire.
    pub(super) bytes_received: u64,
}

/// Figures of the load generator itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Generator")]
pub(super) struct GeneratorRow {
    /// Number of threads that send.
    pub(super) threads: u32,
    /// Number of processors that the generator may use.
    pub(super) processors: u32,
    /// Processor time of the whole process; `null` where it is unknown.
    pub(super) cpu_seconds: Option<f64>,
    /// Share of its processors that the generator used while load was sent; `null` where it is unknown.
    #[serde(default)]
    pub(super) cpu_share: Option<f64>,
    /// Number of connections opened.
    pub(super) connections: u64,
    /// Most connections that were open at once.
    pub(super) connections_peak: u64,
    /// Most connections that the generator may have open at once.
    pub(super) connections_limit: u64,
    /// Requests that had to wait because the limit of connections was reached.
    pub(super) waited_for_connection: u64,
    /// Requests that were due and never sent, because the run ended before.
    pub(super) unsent: u64,
    /// Requests that the generator could not send, by what it lacked.
    #[serde(default)]
    pub(super) faults: FaultsRow,
    /// Longest time in which the generator as a whole stood still.
    pub(super) longest_pause_seconds: f64,
}

/// Requests that the load generator could not send, by what it lacked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Faults")]
pub(super) struct FaultsRow {
    /// Requests that were not sent because there was no free local port.
    pub(super) no_local_port: u64,
    /// Requests that were not sent because too many files were open.
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

/// Figures of the WebSocket connections of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WebSocket")]
pub(super) struct WebSocketRow {
    /// Number of connections made.
    pub(super) connected: u64,
    /// Connections that were refused or lost, or on which the server did not answer as expected, by cause.
    pub(super) failures: BTreeMap<String, u64>,
    /// Connections that were held until their planned end and on which every expected answer came; `null`
    /// where they were not counted.
    pub(super) held: Option<u64>,
    /// Most connections that were held at once.
    pub(super) held_peak: u64,
    /// Number of messages sent.
    pub(super) messages_sent: u64,
    /// Number of messages received, without voice.
    pub(super) messages_received: u64,
    /// Messages that were given up before their echo or awaited answer came; `null` where they were not
    /// counted.
    pub(super) messages_unanswered: Option<u64>,
    /// Time to connect and to upgrade.
    pub(super) connect: Option<QuantileRow>,
    /// Time from a message to its echo, or to the message that its sequence awaits. A message whose answer
    /// never came counts with the time that it was waited for.
    pub(super) round_trip: Option<QuantileRow>,
    /// Time from a ping to its pong. A ping whose pong never came counts with the time that it was waited
    /// for.
    pub(super) ping: Option<QuantileRow>,
    /// Time from a request for voice to the first byte of voice.
    pub(super) first_byte: Option<QuantileRow>,
    /// By how much the gaps between voice frames differed from the expected gap.
    pub(super) jitter: Option<QuantileRow>,
}

/// One second of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Second")]
pub(super) struct SecondRow {
    /// Seconds since the run began. The figures are of the second from here to the next one.
    pub(super) at: u32,
    /// Requests that were due in this second.
    pub(super) due: u64,
    /// Requests that were answered in this second as expected.
    pub(super) answered: u64,
    /// Requests that failed in this second.
    pub(super) errors: u64,
    /// Requests that ended in this second and had been sent twice.
    #[serde(default)]
    pub(super) retried: u64,
    /// Users at the end of the second (closed model), or requests in flight (open model).
    pub(super) concurrency: u64,
    /// WebSocket connections that are held at the end of the second.
    pub(super) websockets: u64,
    /// Latency of the requests that ended in this second; `null` if none did.
    pub(super) latency: Option<QuantileRow>,
    /// Share of its processors that the load generator used; `null` where it is unknown.
    pub(super) generator_cpu: Option<f64>,
}

/// HDR histograms in microseconds, as base64 of their V2 format.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Histograms {
    /// How much later requests were sent than they were due.
    pub(super) schedule_error: String,
    /// Histograms of latency and service time by step.
    pub(super) steps: BTreeMap<String, StepHistograms>,
    /// Histograms of WebSocket connections; `null` for a scenario without any.
    pub(super) websocket: Option<WebSocketHistograms>,
}

/// HDR histograms of one step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct StepHistograms {
    /// Time from the moment a request was due to its answer.
    pub(super) latency: String,
    /// Time from the moment a request was really sent to its answer.
    pub(super) service_time: String,
    /// The durations in `latency` that belong to failed requests.
    #[serde(default)]
    pub(super) failed_latency: Option<String>,
    /// The durations in `latency` of answered requests that were due at the very beginning of the load; empty
    /// in the closed model.
    #[serde(default)]
    pub(super) first_latency: Option<String>,
}

/// HDR histograms of WebSocket connections.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct WebSocketHistograms {
    /// Time to connect and to upgrade.
    pub(super) connect: String,
    /// Time from a message to its echo.
    pub(super) round_trip: String,
    /// Time from a ping to its pong.
    #[serde(default)]
    pub(super) ping: Option<String>,
    /// Time from a request for voice to the first byte of voice.
    pub(super) first_byte: String,
    /// By how much the gaps between voice frames differed from the expected gap.
    pub(super) jitter: String,
}
