//! Writes a report into the JSON document.

use std::collections::BTreeMap;

use super::{
    SCHEMA_VERSION,
    document::{
        CheckRow, Document, EndRow, FaultsRow, GeneratorRow, GradeRow, Histograms, LineRow, LostRow,
        QuantileRow, Run, SecondRow, Step, StepHistograms, Summary, TrafficRow, VerdictRow,
        WebSocketHistograms, WebSocketRow,
    },
    histogram::encode,
    workload::WorkloadRow,
};
use crate::{
    model::{
        latencies::Latencies,
        measured::{End, Generator, Measured, Requests, Second, WebSockets},
    },
    report::{Letter, Report, Verdict, words::achieved_rate},
};

/// Builds the document of a report.
pub(super) fn document(report: &Report) -> Result<Document, serde_json::Error> {
    let measured = &report.measured;
    Ok(Document {
        schema_version: SCHEMA_VERSION,
        generated_by: concat!("vas ", env!("CARGO_PKG_VERSION")).to_owned(),
        name: report.name.clone(),
        target: report.target.clone(),
        summary: summary(report),
        run: run(report),
        checks: report.checks.iter().map(CheckRow::from).collect(),
        doubts: report.doubts.clone(),
        lost_points: report
            .grade
            .iter()
            .flat_map(|grade| &grade.lost)
            .map(|lost| LostRow {
                points: lost.points,
                cause: lost.cause.clone(),
                hint: lost.hint.clone(),
            })
            .collect(),
        steps: measured
            .steps
            .iter()
            .map(|(name, requests)| (name.clone(), step(requests)))
            .collect(),
        schedule_error: row(&measured.schedule_error),
        generator: generator(&measured.generator),
        websocket: measured.websocket.as_ref().map(websocket),
        workloads: report.workloads.iter().map(WorkloadRow::from).collect(),
        seconds: measured.seconds.iter().map(second).collect(),
        histograms: histograms(measured)?,
    })
}

fn row(latencies: &Latencies) -> Option<QuantileRow> {
    latencies.quantiles().map(QuantileRow::from)
}

fn summary(report: &Report) -> Summary {
    let total = &report.measured.total;
    Summary {
        verdict: match report.verdict {
            Verdict::Pass => VerdictRow::Pass,
            Verdict::Fail => VerdictRow::Fail,
            Verdict::Invalid => VerdictRow::Invalid,
        },
        grade: report.grade.as_ref().map(|grade| match grade.letter {
            Letter::A => GradeRow::A,
            Letter::B => GradeRow::B,
            Letter::C => GradeRow::C,
            Letter::D => GradeRow::D,
        }),
        points: report.grade.as_ref().map(|grade| grade.points),
        requests: total.due,
        answered: total.answered,
        answered_in_time: Some(total.answered_in_time),
        errors: total.failed(),
        error_share: total.error_share(),
        retried: total.retried,
        retried_share: total.retried_share(),
        achieved_rate: achieved_rate(report),
        traffic: traffic(total),
        latency: row(&total.latency),
        failed_in_latency: Some(total.failed_latency.count()),
        service_time: row(&total.service_time),
    }
}

fn run(report: &Report) -> Run {
    let measured = &report.measured;
    let (end, abort_reason) = match &measured.end {
        End::Completed => (EndRow::Completed, None),
        End::Interrupted => (EndRow::Interrupted, None),
        End::Aborted(why) => (EndRow::Aborted, Some(why.clone())),
    };
    Run {
        ids: measured.runs.iter().map(ToString::to_string).collect(),
        began: measured.began,
        planned_seconds: measured.planned.as_secs_f64(),
        elapsed_seconds: measured.elapsed.as_secs_f64(),
        end,
        abort_reason,
        load_unit: report.load_unit.to_owned(),
        load_peak: report.load.peak(),
        load: report
            .load
            .lines()
            .map(|(from, to, length)| LineRow {
                from,
                to,
                seconds: length.as_secs_f64(),
            })
            .collect(),
    }
}

impl From<&crate::model::check::Check> for CheckRow {
    fn from(check: &crate::model::check::Check) -> Self {
        Self {
            name: check.name.clone(),
            area: check.area,
            passed: check.passed,
            measured: check.measured.clone(),
            hint: check.hint.clone(),
        }
    }
}

fn step(requests: &Requests) -> Step {
    Step {
        requests: requests.due,
        answered: requests.answered,
        answered_in_time: Some(requests.answered_in_time),
        first_due_seconds: requests.first_due.map(|due| due.as_secs_f64()),
        errors: requests.failed(),
        retried: requests.retried,
        failures: requests.failures.clone(),
        examples: requests.examples.clone(),
        traffic: traffic(requests),
        latency: row(&requests.latency),
        failed_in_latency: Some(requests.failed_latency.count()),
        service_time: row(&requests.service_time),
    }
}

fn traffic(requests: &Requests) -> Option<TrafficRow> {
    let traffic = requests.traffic.as_ref()?;
    Some(TrafficRow {
        statuses: traffic
            .statuses
            .iter()
            .map(|(status, answers)| (status.to_string(), *answers))
            .collect(),
        bytes_sent: traffic.sent_bytes,
        bytes_received: traffic.received_bytes,
    })
}

fn generator(generator: &Generator) -> GeneratorRow {
    GeneratorRow {
        threads: generator.threads,
        processors: generator.processors,
        cpu_seconds: generator.cpu_seconds,
        cpu_share: generator.cpu_share,
        connections: generator.connections,
        connections_peak: generator.connections_peak,
        connections_limit: generator.connections_limit,
        waited_for_connection: generator.waited_for_connection,
        unsent: generator.unsent,
        faults: FaultsRow::from(&generator.faults),
        longest_pause_seconds: generator.longest_pause,
    }
}

fn websocket(websocket: &WebSockets) -> WebSocketRow {
    WebSocketRow {
        connected: websocket.connected,
        failures: websocket.failures.clone(),
        held: websocket.held,
        held_peak: websocket.held_peak,
        messages_sent: websocket.messages.0,
        messages_received: websocket.messages.1,
        messages_unanswered: websocket.unanswered,
        connect: row(&websocket.connect),
        round_trip: row(&websocket.round_trip),
        ping: row(&websocket.ping),
        first_byte: row(&websocket.first_byte),
        jitter: row(&websocket.jitter),
    }
}

fn second(second: &Second) -> SecondRow {
    SecondRow {
        at: second.at,
        due: second.due,
        answered: second.answered,
        errors: second.failed,
        retried: second.retried,
        concurrency: second.concurrency,
        websockets: second.websockets,
        latency: second.latency.map(QuantileRow::from),
        generator_cpu: second.generator_cpu,
    }
}

fn histograms(measured: &Measured) -> Result<Histograms, serde_json::Error> {
    let mut steps = BTreeMap::new();
    for (name, requests) in &measured.steps {
        let histograms = StepHistograms {
            latency: encode(&requests.latency)?,
            service_time: encode(&requests.service_time)?,
            failed_latency: Some(encode(&requests.failed_latency)?),
            first_latency: Some(encode(&requests.first_latency)?),
        };
        steps.insert(name.clone(), histograms);
    }
    let websocket = measured.websocket.as_ref().map(|websocket| {
        Ok::<_, serde_json::Error>(WebSocketHistograms {
            connect: encode(&websocket.connect)?,
            round_trip: encode(&websocket.round_trip)?,
            ping: Some(encode(&websocket.ping)?),
            first_byte: encode(&websocket.first_byte)?,
            jitter: encode(&websocket.jitter)?,
        })
    });
    Ok(Histograms {
        schedule_error: encode(&measured.schedule_error)?,
        steps,
        websocket: websocket.transpose()?,
    })
}
