//! Reads a JSON report: everything that merging and comparing need.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::error::Category;

use super::{
    SCHEMA_VERSION,
    document::{
        CheckRow, Document, EndRow, GeneratorRow, LineRow, QuantileRow, SecondRow, TrafficRow,
        WebSocketHistograms, WebSocketRow,
    },
    histogram::decode,
};
use crate::{
    model::{
        check::Check,
        latencies::{Latencies, Quantiles},
        measured::{End, Generator, Measured, Requests, RunId, Second, WebSockets},
        traffic::Traffic,
    },
    report::Workload,
    scenario::rate::Profile,
};

/// A run that was read from a report.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Name of the scenario, or of what was tested.
    pub name: String,
    /// The URL that requests were sent to.
    pub target: String,
    /// Unit of the load's levels: "requests/s", "journeys/s" or "users".
    pub load_unit: String,
    /// The planned load.
    pub load: Profile,
    /// The checks. Names of thresholds can be parsed as thresholds again.
    pub checks: Vec<Check>,
    /// Reasons why the run proves nothing; empty for a run without doubts.
    pub doubts: Vec<String>,
    /// What was measured.
    pub measured: Measured,
    /// Observations of the cluster; empty where it was not watched.
    pub workloads: Vec<Workload>,
}

/// Why a document was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text is not JSON, or not a report.
    #[error("not a report of vas test: {0}")]
    Form(#[from] serde_json::Error),
    /// The text ends in the middle of the document.
    #[error(
        "the report is cut off: it ends before its end; was the disk full, or is it still being written?"
    )]
    Truncated,
    /// The report has another version of the format.
    #[error("its schema_version is {0}, and this vas reads {SCHEMA_VERSION}")]
    Version(u64),
    /// A histogram is damaged.
    #[error("the histogram of {0} is damaged: {1}")]
    Histogram(String, String),
    /// The seconds are not numbered 0, 1, 2, ...
    #[error("seconds[{0}].at is {1}: seconds must follow each other from 0")]
    Order(usize, u32),
    /// A count is larger than any run can have.
    #[error("{0} is not a count of requests")]
    Count(u64),
    /// Answers are counted under a name that is not an HTTP status.
    #[error("{0:?} is not a status")]
    Status(String),
    /// A duration is negative, too large or not a number.
    #[error("{0} is not a number of seconds")]
    Seconds(f64),
}

/// Reads a report.
///
/// # Errors
/// When the text is not a report, is of another version, or has a value that no run can have.
pub fn read(text: &str) -> Result<Stored, ReadError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Eof => ReadError::Truncated,
        _ => ReadError::Form(error),
    })?;
    // The version is checked before the fields, because another version may have other fields.
    let version = value.get("schema_version").and_then(serde_json::Value::as_u64);
    if let Some(version) = version.filter(|version| *version != u64::from(SCHEMA_VERSION)) {
        return Err(ReadError::Version(version));
    }
    let document: Document = serde_json::from_value(value)?;
    Ok(Stored {
        measured: measured(&document)?,
        name: document.name,
        target: document.target,
        load_unit: document.run.load_unit,
        load: load(&document.run.load)?,
        checks: document.checks.into_iter().map(Check::from).collect(),
        doubts: document.doubts,
        workloads: document.workloads.into_iter().map(Workload::from).collect(),
    })
}

fn load(lines: &[LineRow]) -> Result<Profile, ReadError> {
    let mut profile = Profile::default();
    for line in lines {
        profile.line(line.from, line.to, seconds(line.seconds)?);
    }
    Ok(profile)
}

impl From<CheckRow> for Check {
    fn from(row: CheckRow) -> Self {
        Self {
            name: row.name,
            area: row.area,
            measured: row.measured,
            passed: row.passed,
            hint: row.hint,
        }
    }
}

fn histogram(name: &str, text: &str) -> Result<Latencies, ReadError> {
    decode(text).map_err(|error| ReadError::Histogram(name.to_owned(), error))
}

fn seconds(seconds: f64) -> Result<Duration, ReadError> {
    Duration::try_from_secs_f64(seconds).map_err(|_| ReadError::Seconds(seconds))
}

fn measured(document: &Document) -> Result<Measured, ReadError> {
    let (steps, total) = steps(document)?;
    let run = &document.run;
    // An ID that cannot be parsed cannot identify a run, so it is left out.
    let mut runs: BTreeSet<RunId> = run.ids.iter().filter_map(|id| id.parse().ok()).collect();
    if runs.is_empty() {
        // A report of an earlier version has no ID.
        runs.insert(RunId::of(run.began, &total));
    }
    Ok(Measured {
        runs,
        began: run.began,
        planned: seconds(run.planned_seconds)?,
        elapsed: seconds(run.elapsed_seconds)?,
        end: match run.end {
            EndRow::Aborted => End::Aborted(run.abort_reason.clone().unwrap_or_default()),
            EndRow::Interrupted => End::Interrupted,
            EndRow::Completed => End::Completed,
        },
        total,
        steps,
        schedule_error: histogram("schedule_error", &document.histograms.schedule_error)?,
        seconds: document
            .seconds
            .iter()
            .enumerate()
            .map(|(index, row)| second(index, row))
            .collect::<Result<_, _>>()?,
        generator: generator(&document.generator),
        websocket: match (&document.websocket, &document.histograms.websocket) {
            (Some(row), Some(histograms)) => Some(websocket(row, histograms)?),
            _ => None,
        },
    })
}

fn steps(document: &Document) -> Result<(BTreeMap<String, Requests>, Requests), ReadError> {
    let (mut steps, mut total) = (BTreeMap::new(), Requests::default());
    for (name, step) in &document.steps {
        let of = |which: fn(&super::document::StepHistograms) -> &String| {
            let histograms = document.histograms.steps.get(name);
            let text = histograms.map(which).map_or("", String::as_str);
            histogram(name, text)
        };
        // Reports of earlier versions do not have these histograms.
        let part = |which: fn(&super::document::StepHistograms) -> &Option<String>| {
            let histograms = document.histograms.steps.get(name);
            let text = histograms.and_then(|histograms| which(histograms).as_deref());
            text.map_or(Ok(Latencies::default()), |text| histogram(name, text))
        };
        let mut requests = Requests {
            latency: of(|histograms| &histograms.latency)?,
            service_time: of(|histograms| &histograms.service_time)?,
            failed_latency: part(|histograms| &histograms.failed_latency)?,
            first_latency: part(|histograms| &histograms.first_latency)?,
            first_due: step.first_due_seconds.map(seconds).transpose()?,
            due: count(step.requests)?,
            answered: count(step.answered)?,
            answered_in_time: count(step.answered_in_time.unwrap_or(step.answered))?.min(step.answered),
            retried: count(step.retried)?,
            traffic: step.traffic.as_ref().map(traffic).transpose()?,
            ..Requests::default()
        };
        for (cause, failed) in &step.failures {
            let example = step.examples.get(cause).map(String::as_str);
            requests.fail(cause, count(*failed)?, example);
        }
        total.merge(&requests);
        steps.insert(name.clone(), requests);
    }
    Ok((steps, total))
}

fn traffic(row: &TrafficRow) -> Result<Traffic, ReadError> {
    let statuses = row.statuses.iter();
    let counted = statuses.map(|(status, answers)| {
        let known = status.parse().map_err(|_| ReadError::Status(status.clone()))?;
        Ok((known, count(*answers)?))
    });
    Ok(Traffic {
        statuses: counted.collect::<Result<_, ReadError>>()?,
        sent_bytes: bytes(row.bytes_sent)?,
        received_bytes: bytes(row.bytes_received)?,
    })
}

/// Refuses more than 1 EB. A `u64` holds the sum of eighteen such counts.
fn bytes(bytes: u64) -> Result<u64, ReadError> {
    const MOST: u64 = 1_000_000_000_000_000_000;
    (bytes <= MOST).then_some(bytes).ok_or(ReadError::Count(bytes))
}

/// Refuses more than 2^48, so that counts of many merged runs cannot overflow.
fn count(count: u64) -> Result<u64, ReadError> {
    const MOST: u64 = 1 << 48;
    (count <= MOST).then_some(count).ok_or(ReadError::Count(count))
}

fn quantiles(row: &QuantileRow) -> Result<Quantiles, ReadError> {
    Ok(Quantiles {
        p50: seconds(row.p50)?,
        p90: seconds(row.p90)?,
        p95: seconds(row.p95)?,
        p99: seconds(row.p99)?,
        p999: seconds(row.p999)?,
        max: seconds(row.max)?,
    })
}

fn second(index: usize, row: &SecondRow) -> Result<Second, ReadError> {
    if usize::try_from(row.at) != Ok(index) {
        return Err(ReadError::Order(index, row.at));
    }
    Ok(Second {
        at: row.at,
        due: count(row.due)?,
        answered: count(row.answered)?,
        failed: count(row.errors)?,
        retried: count(row.retried)?,
        latency: row.latency.as_ref().map(quantiles).transpose()?,
        concurrency: row.concurrency,
        websockets: row.websockets,
        generator_cpu: row.generator_cpu,
    })
}

fn generator(row: &GeneratorRow) -> Generator {
    Generator {
        threads: row.threads,
        cpu_seconds: row.cpu_seconds,
        cpu_share: row.cpu_share,
        processors: row.processors,
        connections: row.connections,
        connections_peak: row.connections_peak,
        connections_limit: row.connections_limit,
        waited_for_connection: row.waited_for_connection,
        unsent: row.unsent,
        faults: row.faults.into(),
        longest_pause: row.longest_pause_seconds,
    }
}

fn websocket(row: &WebSocketRow, histograms: &WebSocketHistograms) -> Result<WebSockets, ReadError> {
    Ok(WebSockets {
        connect: histogram("websocket.connect", &histograms.connect)?,
        connected: row.connected,
        failures: row.failures.clone(),
        held: row.held,
        held_peak: row.held_peak,
        round_trip: histogram("websocket.round_trip", &histograms.round_trip)?,
        ping: histograms
            .ping
            .as_deref()
            .map_or(Ok(Latencies::default()), |text| histogram("websocket.ping", text))?,
        first_byte: histogram("websocket.first_byte", &histograms.first_byte)?,
        jitter: histogram("websocket.jitter", &histograms.jitter)?,
        messages: (row.messages_sent, row.messages_received),
        unanswered: row.messages_unanswered,
    })
}
