//! The metrics server's own metrics. Their label sets are bounded: no namespace, resource or query is a
//! label.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use vas_core::metrics::registration::{MetricsApi, Owner};

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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FallbackLabels {
    group: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiServiceLabels {
    name: &'static str,
    state: &'static str,
}

/// The label set of a metric with at most one series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoLabels {}

/// Which server an APIService leads to, as a label value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiServiceState {
    /// The APIService was not read yet.
    Unknown,
    /// The APIService does not exist.
    Absent,
    /// It leads to this server.
    Ours,
    /// It leads to another server.
    Foreign,
}

impl ApiServiceState {
    const ALL: [Self; 4] = [Self::Unknown, Self::Absent, Self::Ours, Self::Foreign];

    fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Absent => "absent",
            Self::Ours => "ours",
            Self::Foreign => "foreign",
        }
    }
}

impl From<&Owner> for ApiServiceState {
    fn from(owner: &Owner) -> Self {
        match owner {
            Owner::Unknown => Self::Unknown,
            Owner::Absent => Self::Absent,
            Owner::Ours => Self::Ours,
            Owner::Foreign(_) => Self::Foreign,
        }
    }
}

/// Counters and gauges of this process.
#[derive(Debug)]
pub struct Telemetry {
    polls: Family<PollLabels, Counter>,
    poll_seconds: Histogram,
    shapes: Gauge,
    refused: Gauge,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    fallback_requests: Family<FallbackLabels, Counter>,
    api_services: Family<ApiServiceLabels, Gauge>,
    certificate_expiry: Family<NoLabels, Gauge<f64, AtomicU64>>,
    certificate_reload_failures: Counter,
    latest_answer: Gauge<f64, AtomicU64>,
}

impl Telemetry {
    /// Registers all metrics.
    pub fn new(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("vas_metrics_server");
        let telemetry = Self {
            polls: Family::default(),
            poll_seconds: Histogram::new(POLL_BUCKETS),
            shapes: Gauge::default(),
            refused: Gauge::default(),
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_BUCKETS),
            fallback_requests: Family::default(),
            api_services: Family::default(),
            certificate_expiry: Family::default(),
            certificate_reload_failures: Counter::default(),
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
            "shapes_refused",
            "Distinct queries of each namespace that are not polled because of a limit, in all",
            telemetry.refused.clone(),
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
            "fallback_requests",
            "Reads that no resource describes and that are handed on to an adapter, by API group and HTTP status code of the answer",
            telemetry.fallback_requests.clone(),
        );
        registry.register(
            "apiservice",
            "1 for what an APIService of the metrics API is: ours, foreign, absent or unknown",
            telemetry.api_services.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "Until when the serving certificate is valid; absent before there is one",
            telemetry.certificate_expiry.clone(),
        );
        registry.register(
            "certificate_reload_failures",
            "Changed certificate files that could not be used; the certificate before them is still served",
            telemetry.certificate_reload_failures.clone(),
        );
        registry.register(
            "latest_answer_timestamp_seconds",
            "When Prometheus last answered a poll cleanly",
            telemetry.latest_answer.clone(),
        );
        telemetry
    }

    /// Records that a poll ended, after the time `taken`.
    pub fn polled(&self, success: bool, taken: Duration, now: jiff::Timestamp) {
        let outcome = if success { "success" } else { "failure" };
        self.polls.get_or_create(&PollLabels { outcome }).inc();
        self.poll_seconds.observe(taken.as_secs_f64());
        if success {
            self.latest_answer.set(now.as_duration().as_secs_f64());
        }
    }

    /// Sets the number of polled shapes.
    pub fn shapes(&self, count: usize) {
        self.shapes.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets the number of shapes that are not polled for a namespace because of a limit, summed over
    /// namespaces.
    pub fn refused(&self, count: usize) {
        self.refused.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Records that a request was answered with the status `code`, after the time `taken`.
    pub fn answered(&self, code: u16, taken: Duration) {
        self.requests.get_or_create(&RequestLabels { code }).inc();
        self.request_seconds.observe(taken.as_secs_f64());
    }

    /// Records that a read was handed on to the adapter of an API group, and answered with the status `code`.
    pub(super) fn handed_on(&self, api: MetricsApi, code: u16) {
        let labels = FallbackLabels {
            group: api.group(),
            code,
        };
        self.fallback_requests.get_or_create(&labels).inc();
    }

    /// Sets the state of an APIService of the metrics API.
    pub fn api_service(&self, name: &'static str, state: ApiServiceState) {
        for each in ApiServiceState::ALL {
            let labels = ApiServiceLabels {
                name,
                state: each.label(),
            };
            self.api_services
                .get_or_create(&labels)
                .set(i64::from(each == state));
        }
    }

    /// Sets the end of the validity of the served certificate.
    pub fn serving_until(&self, end: Option<jiff::Timestamp>) {
        match end {
            Some(end) => {
                let gauge = self.certificate_expiry.get_or_create(&NoLabels {});
                gauge.set(end.as_duration().as_secs_f64());
            }
            None => {
                self.certificate_expiry.remove(&NoLabels {});
            }
        }
    }

    /// Counts certificate files that changed and were not usable.
    pub fn certificate_reload_failed(&self) {
        self.certificate_reload_failures.inc();
    }
}
