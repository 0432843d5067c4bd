//! What happens in a run, for Prometheus: counted from the seconds that the engine hands on, so a scrape never meets a
//! thread that sends.
//!
//! ```text
//! encode  the metrics, by name
//! ```
//!
//! Must not: know how it is served.

mod encode;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use super::{
    engine::{Buckets, Detail},
    model::{cause, measured::Second},
    scenario::model::{Load, Scenario},
};

/// The runs of a process so far; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Exposition(Arc<Mutex<Runs>>);

#[derive(Debug, Default)]
struct Runs {
    /// By scenario: a suite runs several, one after the other.
    runs: BTreeMap<String, Run>,
    now: Option<Now>,
}

/// Counted since a run began.
#[derive(Debug, Default)]
struct Run {
    steps: BTreeMap<String, Step>,
    schedule_error: Buckets,
}

/// Counted of one step.
#[derive(Debug, Default)]
struct Step {
    due: u64,
    answered: u64,
    retried: u64,
    /// By cause: a label, so there may be but few.
    failures: BTreeMap<String, u64>,
    latency: Buckets,
    failed_latency: Buckets,
}

/// The run that goes on.
#[derive(Debug)]
struct Now {
    scenario: Arc<Scenario>,
    /// Its last whole second, when there is one.
    second: Option<Second>,
}

impl Now {
    /// What was planned for the last second, or for the first one.
    fn planned(&self) -> f64 {
        let middle = |second: &Second| f64::from(second.at) + 0.5;
        let at = self.second.as_ref().map_or(0.0, middle);
        self.scenario.load.profile().level(at)
    }

    fn is_open(&self) -> bool {
        matches!(self.scenario.load, Load::Open(_))
    }
}

impl Exposition {
    /// Nothing has run yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry that shows it.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("vas_test");
        registry.register_collector(Box::new(self.clone()));
        registry
    }

    /// A run begins. Its steps are there with zeros, so that rates of the first failures are right.
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

    /// A second of the run is over. `steps` are the names for its details.
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
                cause::count(&mut step.failures, failure.to_string(), *count);
            }
        }
    }
}
