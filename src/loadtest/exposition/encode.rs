//! The families of [`vas_core::monitoring::families::load_test`], from what was counted.

use std::{collections::HashMap, fmt};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder},
    metrics::exemplar::Exemplar,
};
use vas_cluster::telemetry::families;
use vas_core::monitoring::families::{
    Family,
    load_test::{
        CONCURRENCY, ELAPSED, GENERATOR_CPU, LAST_SECOND_LATENCY, LATENCY, PLANNED_RATE, PLANNED_USERS,
        REQUESTS, REQUESTS_DUE, REQUESTS_RETRIED, SCHEDULE_ERROR, WEBSOCKETS,
    },
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
        let mut due = families::begin(encoder, REQUESTS_DUE)?;
        for (scenario, name, step) in self.steps() {
            let labels = [("scenario", scenario), ("step", name)];
            due.encode_family(&labels)?
                .encode_counter::<NoLabels, _, f64>(&step.due, None)?;
        }
        let mut retried = families::begin(encoder, REQUESTS_RETRIED)?;
        for (scenario, name, step) in self.steps() {
            let labels = [("scenario", scenario), ("step", name)];
            retried
                .encode_family(&labels)?
                .encode_counter::<NoLabels, _, f64>(&step.retried, None)?;
        }
        let mut requests = families::begin(encoder, REQUESTS)?;
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
        let mut latency = families::begin(encoder, LATENCY)?;
        for (scenario, name, step) in self.steps() {
            for (outcome, durations) in [("answered", &step.latency), ("failed", &step.failed_latency)] {
                let labels = [("scenario", scenario), ("step", name), ("outcome", outcome)];
                histogram(latency.encode_family(&labels)?, durations)?;
            }
        }
        let mut late = families::begin(encoder, SCHEDULE_ERROR)?;
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
        let scenario = self.scenario.name.as_str();
        let planned = if self.is_open() {
            PLANNED_RATE
        } else {
            PLANNED_USERS
        };
        gauge(encoder, planned, scenario, self.planned())?;
        match &self.second {
            Some(second) => of_second(encoder, scenario, second),
            None => Ok(()),
        }
    }
}

/// Gauges of the last complete second.
fn of_second(encoder: &mut DescriptorEncoder, scenario: &str, second: &Second) -> Result<(), fmt::Error> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let counts = [
        (CONCURRENCY, second.concurrency as f64),
        (WEBSOCKETS, second.websockets as f64),
        (ELAPSED, f64::from(second.at) + 1.0),
    ];
    for (family, value) in counts {
        gauge(encoder, family, scenario, value)?;
    }
    if let Some(share) = second.generator_cpu {
        gauge(encoder, GENERATOR_CPU, scenario, share)?;
    }
    let Some(latency) = second.latency else {
        // Without an answer there is no latency, and never one of zero.
        return Ok(());
    };
    let mut quantiles = families::begin(encoder, LAST_SECOND_LATENCY)?;
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
            .encode_family(&[("scenario", scenario), ("quantile", quantile)])?
            .encode_gauge(&value.as_secs_f64())?;
    }
    Ok(())
}

/// A family with one series: that of the run in progress.
fn gauge(
    encoder: &mut DescriptorEncoder,
    family: Family,
    scenario: &str,
    value: f64,
) -> Result<(), fmt::Error> {
    families::begin(encoder, family)?
        .encode_family(&[("scenario", scenario)])?
        .encode_gauge(&value)
}
