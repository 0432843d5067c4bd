//! Metrics of jobs, by kind.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Jobs that this worker did.
#[derive(Debug)]
pub struct JobMetrics {
    ended: Family<Ended, Counter>,
    durations: Family<Kind, Histogram, fn() -> Histogram>,
}

impl JobMetrics {
    /// Metrics that `registry` exports.
    pub fn register(registry: &mut Registry) -> Arc<Self> {
        let metrics = Self {
            ended: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        };
        registry.register(
            "voiceassist_jobs",
            "Attempts at jobs by kind and result: done, failed, lost, handed_back",
            metrics.ended.clone(),
        );
        registry.register(
            "voiceassist_job_duration_seconds",
            "Time of attempts by kind of job",
            metrics.durations.clone(),
        );
        Arc::new(metrics)
    }

    pub(super) fn ended(&self, kind: &'static str, result: &'static str, time: Duration) {
        self.ended.get_or_create(&Ended { kind, result }).inc();
        self.durations
            .get_or_create(&Kind { kind })
            .observe(time.as_secs_f64());
    }
}
