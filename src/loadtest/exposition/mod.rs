//! The metrics of a run, for Prometheus. They are counted from the seconds that the engine hands on, so that
//! a scrape never disturbs a sending thread.
//!
//! ```text
//! encode  the metrics, by name        endpoint  serves them over HTTP
//! ```

mod encode;
pub mod endpoint;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use vas_cluster::telemetry::process;
use vas_core::monitoring::families::Exporter;

use super::{
    engine::{Buckets, Detail},
    model::{cause, measured::Second},
    scenario::model::Scenario,
};

/// All runs of this process so far. A clone is cheap and shares them.
#[derive(Clone, Debug, Default)]
pub struct Exposition(Arc<Mutex<Runs>>);

#[derive(Debug, Default)]
struct Runs {
    /// Runs by the name of the scenario; a suite has several, one after the other.
    runs: BTreeMap<String, Run>,
    now: Option<Now>,
}

/// What was counted since a run began.
#[derive(Debug, Default)]
struct Run {
    steps: BTreeMap<String, StepCounts>,
    schedule_error: Buckets,
}

/// What was counted of one step.
#[derive(Debug, Default)]
struct StepCounts {
    due: u64,
    answered: u64,
    retried: u64,
    /// Failures by cause. The cause is a label, so its values must be few.
    failures: BTreeMap<String, u64>,
    latency: Buckets,
    failed_latency: Buckets,
}

/// The run in progress.
#[derive(Debug)]
struct Now {
    scenario: Arc<Scenario>,
    /// The last complete second, if there is one.
    second: Option<Second>,
}

impl Now {
    /// The planned load for the last second, or for the first one: requests per second, or users.
    fn planned(&self) -> f64 {
        let middle = |second: &Second| f64::from(second.at) + 0.5;
        let at = self.second.as_ref().map_or(0.0, middle);
        self.scenario.load.profile().level(at)
    }

    fn is_open(&self) -> bool {
        self.scenario.load.has_schedule()
    }
}

impl Exposition {
    /// An exposition of no run.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry that exposes the metrics.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        process::register(&mut registry, Exporter::LoadTest);
        registry
    }

    /// Begins a run. Its steps start at zero: only so does `rate()` see the first failures.
    pub fn begin(&self, scenario: &Arc<Scenario>, steps: &[String]) {
        let mut runs = self.0.lock();
        let run = runs.runs.entry(scenario.name.clone()).or_default();
        for name in steps {
            run.steps.entry(name.clone()).or_default();
        }
        runs.now = Some(Now {
            scenario: scenario.clone(),
            second: None,
        });
    }

    /// Adds a complete second of the run. `steps` are the names for `detail`.
    pub fn second(&self, steps: &[String], second: &Second, detail: &Detail) {
        let mut runs = self.0.lock();
        let runs = &mut *runs;
        let Some(now) = &mut runs.now else { return };
        now.second = Some(second.clone());
        let run = runs.runs.entry(now.scenario.name.clone()).or_default();
        run.schedule_error.merge(&detail.schedule_error);
        for (name, more) in steps.iter().zip(&detail.steps) {
            let step = run.steps.entry(name.clone()).or_default();
            step.due += more.due;
            step.answered += more.answered;
            step.retried += more.retried;
            step.latency.merge(&more.latency);
            step.failed_latency.merge(&more.failed_latency);
            for (failure, count) in &more.failures {
                // `cause::count` bounds the number of causes, and so the label values.
                cause::count(&mut step.failures, failure.to_string(), *count);
            }
        }
    }
}
