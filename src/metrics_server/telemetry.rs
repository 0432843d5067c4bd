//! The metrics server's own metrics. Label sets are bounded: no namespace, resource or query is a label.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Buckets of the time a poll takes, in seconds.
const POLL_BUCKETS: [f64; 8] = [0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0];
/// Buckets of the time a request takes, in seconds.
const REQUEST_BUCKETS: [f64; 8] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PollLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    code: u16,
}

/// Counters and gauges of this process.
#[derive(Debug)]
pub struct Telemetry {
    polls: Family<PollLabels, Counter>,
    poll_seconds: Histogram,
    shapes: Gauge,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    ca_bundle_foreign: Gauge,
    latest_answer: Gauge<f64, AtomicU64>,
}

impl Telemetry {
    /// Registers everything.
    pub fn new(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("vas_metrics_server");
        let telemetry = Self {
            polls: Family::default(),
            poll_seconds: Histogram::new(POLL_BUCKETS),
            shapes: Gauge::default(),
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_BUCKETS),
            ca_bundle_foreign: Gauge::default(),
            latest_answer: Gauge::default(),
        };
        registry.register("polls", "Polls of Prometheus by outcome", telemetry.polls.clone());
        registry.register_with_unit(
            "poll_duration",
            "Time one poll of a shape takes",
            Unit::Seconds,
            telemetry.poll_seconds.clone(),
        );
        registry.register(
            "shapes",
            "Distinct queries that are polled",
            telemetry.shapes.clone(),
        );
        registry.register(
            "requests",
            "Requests by HTTP status code",
            telemetry.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time one request takes",
            Unit::Seconds,
            telemetry.request_seconds.clone(),
        );
        registry.register(
            "foreign_apiservices",
            "APIServices of custom.metrics.k8s.io that lead to another adapter",
            telemetry.ca_bundle_foreign.clone(),
        );
        registry.register(
            "latest_answer_timestamp_seconds",
            "When Prometheus last answered a poll cleanly",
            telemetry.latest_answer.clone(),
        );
        telemetry
    }

    /// A poll ended.
    pub fn polled(&self, success: bool, taken: Duration, now: jiff::Timestamp) {
        let outcome = if success { "success" } else { "failure" };
        self.polls.get_or_create(&PollLabels { outcome }).inc();
        self.poll_seconds.observe(taken.as_secs_f64());
        if success {
            self.latest_answer.set(now.as_duration().as_secs_f64());
        }
    }

    /// So many shapes are polled.
    pub fn shapes(&self, count: usize) {
        self.shapes.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A request was answered.
    pub fn answered(&self, code: u16, taken: Duration) {
        self.requests.get_or_create(&RequestLabels { code }).inc();
        self.request_seconds.observe(taken.as_secs_f64());
    }

    /// So many of our APIServices lead to somebody else.
    pub fn foreign_api_services(&self, count: usize) {
        self.ca_bundle_foreign
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
