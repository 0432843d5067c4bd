//! The operator's own metrics. Invariant: every label has a small, fixed set of values, and no name of an
//! object is a value.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use vas_core::reconcile::child::ChildKind;

/// Upper bounds in seconds. A reconcile of an unchanged resource takes milliseconds, the first one some
/// hundred milliseconds, and the limit is 30 s.
const DURATION_BUCKETS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 30.0];

/// The metric families. A clone counts into the same families.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    reconciles: Family<ReconcileLabels, Counter>,
    duration: Histogram,
    applies: Family<ApplyLabels, Counter>,
    events: Family<EventLabels, Counter>,
    pub(super) leader: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApplyLabels {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    result: &'static str,
}

impl Metrics {
    /// Creates the families and registers them.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciles: Family::default(),
            duration: Histogram::new(DURATION_BUCKETS),
            applies: Family::default(),
            events: Family::default(),
            leader: Gauge::default(),
        };
        registry.register(
            "reconcile",
            "Reconciles by outcome; alert on error, panic and timeout",
            metrics.reconciles.clone(),
        );
        registry.register(
            "reconcile_duration_seconds",
            "How long a reconcile took",
            metrics.duration.clone(),
        );
        registry.register(
            "apply",
            "Writes of children by kind and result",
            metrics.applies.clone(),
        );
        registry.register(
            "events",
            "Kubernetes Events published, by result",
            metrics.events.clone(),
        );
        registry.register("leader", "1 while this replica leads", metrics.leader.clone());
        metrics
    }

    pub(super) fn reconciled(&self, outcome: &'static str, took: Duration) {
        self.reconciles.get_or_create(&ReconcileLabels { outcome }).inc();
        self.duration.observe(took.as_secs_f64());
    }

    pub(super) fn applied(&self, kind: ChildKind, result: &'static str) {
        let kind = kind.as_str();
        self.applies.get_or_create(&ApplyLabels { kind, result }).inc();
    }

    pub(super) fn event(&self, result: &'static str) {
        self.events.get_or_create(&EventLabels { result }).inc();
    }
}
