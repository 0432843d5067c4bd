//! The metrics server's own metrics. Their label sets are bounded: no namespace, resource or query is a
//! label.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::polling::poller::UNSUITABLE;
use vas_cluster::{telemetry::families::register, watch::Restarts};
use vas_core::{
    metrics::registration::{MetricsApi, Owner},
    monitoring::families::metrics_server as families,
};
use vas_prometheus::QueryError;

/// Buckets of the time a poll takes, in seconds.
const POLL_BUCKETS: [f64; 8] = [0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0];
/// Buckets of the time a request takes, in seconds.
const REQUEST_BUCKETS: [f64; 8] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PollLabels {
    server: String,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadLabels {
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
    /// Watches that failed and began again.
    pub(super) restarts: Restarts,
    polls: Family<PollLabels, Counter>,
    poll_seconds: Histogram,
    shapes: Gauge,
    refused: Gauge,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    reads: Family<ReadLabels, Counter>,
    fallback_requests: Family<ReadLabels, Counter>,
    api_services: Family<ApiServiceLabels, Gauge>,
    certificate_expiry: Family<NoLabels, Gauge<f64, AtomicU64>>,
    certificate_reload_failures: Counter,
    latest_answer: Gauge<f64, AtomicU64>,
}

impl Telemetry {
    /// Registers all metrics.
    pub fn new(registry: &mut Registry) -> Self {
        let telemetry = Self {
            restarts: Restarts::default(),
            polls: Family::default(),
            poll_seconds: Histogram::new(POLL_BUCKETS),
            shapes: Gauge::default(),
            refused: Gauge::default(),
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_BUCKETS),
            reads: Family::default(),
            fallback_requests: Family::default(),
            api_services: Family::default(),
            certificate_expiry: Family::default(),
            certificate_reload_failures: Counter::default(),
            latest_answer: Gauge::default(),
        };
        register(registry, families::POLLS, telemetry.polls.clone());
        register(registry, families::POLL_DURATION, telemetry.poll_seconds.clone());
        register(registry, families::SHAPES, telemetry.shapes.clone());
        register(registry, families::SHAPES_REFUSED, telemetry.refused.clone());
        register(registry, families::REQUESTS, telemetry.requests.clone());
        register(
            registry,
            families::REQUEST_DURATION,
            telemetry.request_seconds.clone(),
        );
        register(registry, families::READS, telemetry.reads.clone());
        register(
            registry,
            families::FALLBACK_REQUESTS,
            telemetry.fallback_requests.clone(),
        );
        register(registry, families::API_SERVICE, telemetry.api_services.clone());
        register(
            registry,
            families::CERTIFICATE_EXPIRY,
            telemetry.certificate_expiry.clone(),
        );
        register(
            registry,
            families::CERTIFICATE_RELOAD_FAILURES,
            telemetry.certificate_reload_failures.clone(),
        );
        telemetry.restarts.register(registry, families::WATCH_RESTARTS);
        register(registry, families::LATEST_ANSWER, telemetry.latest_answer.clone());
        telemetry
    }

    /// Records that a poll of a server ended after the time `taken`, with success or with the reason of its `failure`.
    pub fn polled(&self, server: &str, failure: Option<&'static str>, taken: Duration, now: jiff::Timestamp) {
        let of = |outcome, reason| {
            let server = server.to_owned();
            let labels = PollLabels {
                server,
                outcome,
                reason,
            };
            self.polls.get_or_create_owned(&labels)
        };
        let succeeded = of("success", "");
        // All are there from the first poll on, so that a rate sees the first failure.
        for reason in QueryError::SLUGS.into_iter().chain([UNSUITABLE]) {
            let failed = of("failure", reason);
            if failure == Some(reason) {
                failed.inc();
            }
        }
        self.poll_seconds.observe(taken.as_secs_f64());
        if failure.is_none() {
            succeeded.inc();
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

    /// Records that a read of a metric was answered with the status `code`.
    pub(super) fn read(&self, api: MetricsApi, code: u16) {
        let group = api.group();
        self.reads.get_or_create(&ReadLabels { group, code }).inc();
    }

    /// Records that a read was handed on to the adapter of an API group, and answered with the status `code`.
    pub(super) fn handed_on(&self, api: MetricsApi, code: u16) {
        let labels = ReadLabels {
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

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use support::exposition;
    use vas_core::monitoring::families::{Exporter, Level, Unit};

    use super::*;
    use crate::polling::reload::ReloadMetrics;

    #[test]
    fn every_family_is_exposed_as_its_table_says() {
        let mut registry = Registry::default();
        let telemetry = Telemetry::new(&mut registry);
        let _reload = ReloadMetrics::new(&mut registry);
        telemetry.answered(200, Duration::ZERO);
        telemetry.read(MetricsApi::Custom, 200);
        telemetry.polled("default", None, Duration::ZERO, jiff::Timestamp::UNIX_EPOCH);
        telemetry.handed_on(MetricsApi::Custom, 200);
        telemetry.api_service("v1beta2.custom.metrics.k8s.io", ApiServiceState::Ours);
        telemetry.serving_until(Some(jiff::Timestamp::UNIX_EPOCH));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        // Those of metrics are written by `Exposition`, from the table itself.
        let of_process = Exporter::MetricsServer
            .families()
            .filter(|family| family.level == Level::Process)
            // They are counted where they happen, in vas-cluster.
            .filter(|family| ![families::API_REQUESTS, families::WATCH_RESTARTS].contains(family));
        let listed = of_process.map(|family| exposition::Listed {
            name: family.name,
            kind: family.kind.as_str(),
            unit: family.unit.map(Unit::as_str),
            help: family.help,
            labels: family.labels,
        });
        exposition::check(&text, listed);
    }

    #[test]
    fn a_failed_poll_is_counted_under_its_reason_and_the_others_are_zero() {
        let mut registry = Registry::default();
        let telemetry = Telemetry::new(&mut registry);
        let now = jiff::Timestamp::UNIX_EPOCH;
        telemetry.polled("a", Some("timeout"), Duration::ZERO, now);
        telemetry.polled("b", Some(UNSUITABLE), Duration::ZERO, now);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let polls = families::POLLS.series();
        let series: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(&polls))
            .collect();
        assert_eq!(series.len(), 2 * (1 + QueryError::SLUGS.len() + 1), "{text}");
        for (server, reason) in [("a", "timeout"), ("b", UNSUITABLE)] {
            let counted = series
                .iter()
                .filter(|line| line.contains(&format!("server=\"{server}\"")) && line.ends_with(" 1"));
            let counted: Vec<_> = counted.collect();
            assert_eq!(counted.len(), 1, "{text}");
            assert!(
                counted[0].contains(&format!("outcome=\"failure\",reason=\"{reason}\"")),
                "{text}"
            );
        }
    }
}
