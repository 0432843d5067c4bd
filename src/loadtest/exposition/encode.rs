//! The metrics by name, all with the prefix `vas_test_`. docs/load-testing.md has the same list.

use std::{collections::HashMap, fmt};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder},
    metrics::{MetricType, exemplar::Exemplar},
    registry::Unit,
};

use super::{Exposition, Now, Runs};
use crate::{
    engine::Buckets,
    model::{latencies::Quantiles, measured::Second},
};

/// The labels of exemplars. A run keeps no example requests, so there are none.
type NoLabels = [(&'static str, &'static str); 0];

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let runs = self.0.lock();
        runs.counters(&mut encoder)?;
        runs.histograms(&mut encoder)?;
        match &runs.now {
            Some(now) => now.gauges(&mut encoder),
            None => Ok(()),
        }
    }
}

impl Runs {
    fn counters(&self, encoder: &mut DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut due = encoder.encode_descriptor(
            "requests_due",
            "Requests that became due",
            None,
            MetricType::Counter,
        )?;
        for (scenario, name, step) in self.steps() {
            let labels = [("scenario", scenario), ("step", name)];
            due.encode_family(&labels)?
                .encode_counter::<NoLabels, _, f64>(&step.due, None)?;
        }
        let mut retried = encoder.encode_descriptor(
            "requests_retried",
            "Requests that were sent twice, because the connection ended or the stream was refused",
            None,
            MetricType::Counter,
        )?;
        for (scenario, name, step) in self.steps() {
            let labels = [("scenario", scenario), ("step", name)];
            retried
                .encode_family(&labels)?
                .encode_counter::<NoLabels, _, f64>(&step.retried, None)?;
        }
        let mut requests = encoder.encode_descriptor(
            "requests",
            "Requests that ended, by outcome (answered, failed) and cause",
            None,
            MetricType::Counter,
        )?;
        for (scenario, name, step) in self.steps() {
            let failed = step
                .failures
                .iter()
                .map(|(cause, count)| ("failed", &**cause, *count));
            let answered = ("answered", "", step.answered);
            for (outcome, cause, count) in std::iter::once(answered).chain(failed) {
                let labels = [
                    ("scenario", scenario),
                    ("step", name),
                    ("outcome", outcome),
                    ("cause", cause),
                ];
                requests
                    .encode_family(&labels)?
                    .encode_counter::<NoLabels, _, f64>(&count, None)?;
            }
        }
        Ok(())
    }

    fn histograms(&self, encoder: &mut DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut latency = encoder.encode_descriptor(
            "latency",
            "From the moment a request was due to the last byte of its answer, or to its failure",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (scenario, name, step) in self.steps() {
            for (outcome, durations) in [("answered", &step.latency), ("failed", &step.failed_latency)] {
                let labels = [("scenario", scenario), ("step", name), ("outcome", outcome)];
                histogram(latency.encode_family(&labels)?, durations)?;
            }
        }
        let mut late = encoder.encode_descriptor(
            "schedule_error",
            "How much later than due requests were sent",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (scenario, run) in &self.runs {
            let labels = [("scenario", scenario.as_str())];
            histogram(late.encode_family(&labels)?, &run.schedule_error)?;
        }
        Ok(())
    }

    fn steps(&self) -> impl Iterator<Item = (&str, &str, &super::StepCounts)> {
        self.runs.iter().flat_map(|(scenario, run)| {
            let steps = run.steps.iter();
            steps.map(|(name, step)| (scenario.as_str(), name.as_str(), step))
        })
    }
}

fn histogram(mut encoder: MetricEncoder, buckets: &Buckets) -> Result<(), fmt::Error> {
    let each: Vec<(f64, u64)> = buckets.each().collect();
    encoder.encode_histogram(
        buckets.sum().as_secs_f64(),
        buckets.count(),
        &each,
        None::<&HashMap<usize, Exemplar<NoLabels, f64>>>,
    )
}

impl Now {
    fn gauges(&self, encoder: &mut DescriptorEncoder) -> Result<(), fmt::Error> {
        let (planned, help) = if self.is_open() {
            ("planned_rate", "Planned journeys per second in the last second")
        } else {
            ("planned_users", "Planned users in the last second")
        };
        gauge(encoder, planned, help, None, self.planned())?;
        match &self.second {
            Some(second) => of_second(encoder, second),
            None => Ok(()),
        }
    }
}

/// Gauges of the last complete second.
fn of_second(encoder: &mut DescriptorEncoder, second: &Second) -> Result<(), fmt::Error> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let counts = [
        (
            "concurrency",
            "Users (closed model), or requests under way (open model)",
            second.concurrency as f64,
        ),
        (
            "websockets",
            "WebSocket connections held",
            second.websockets as f64,
        ),
    ];
    for (name, help, value) in counts {
        gauge(encoder, name, help, None, value)?;
    }
    let elapsed = f64::from(second.at) + 1.0;
    gauge(
        encoder,
        "elapsed",
        "Time since the run began",
        Some(&Unit::Seconds),
        elapsed,
    )?;
    if let Some(share) = second.generator_cpu {
        let help = "Share of its processors that the load generator used in the last second";
        gauge(encoder, "generator_cpu_ratio", help, None, share)?;
    }
    let Some(latency) = second.latency else {
        // Without an answer there is no latency, and never one of zero.
        return Ok(());
    };
    let mut quantiles = encoder.encode_descriptor(
        "last_second_latency",
        "Exact quantiles of the latencies of the last second",
        Some(&Unit::Seconds),
        MetricType::Gauge,
    )?;
    let Quantiles {
        p50,
        p90,
        p95,
        p99,
        max,
        ..
    } = latency;
    for (quantile, value) in [
        ("0.5", p50),
        ("0.9", p90),
        ("0.95", p95),
        ("0.99", p99),
        ("1", max),
    ] {
        quantiles
            .encode_family(&[("quantile", quantile)])?
            .encode_gauge(&value.as_secs_f64())?;
    }
    Ok(())
}

fn gauge(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: f64,
) -> Result<(), fmt::Error> {
    encoder
        .encode_descriptor(name, help, unit, MetricType::Gauge)?
        .encode_gauge(&value)
}
