//! The operator's own metrics. Invariant: every label has a small, fixed set of values, and no name of an
//! object is a value.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use vas_cluster::telemetry::families::register;
use vas_core::{monitoring::families::operator as families, reconcile::child::ChildKind};

/// Upper bounds in seconds. A reconcile of an unchanged resource takes milliseconds, the first one some
/// hundred milliseconds, and the limit is 30 s.
const DURATION_BUCKETS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 30.0];

/// The metric families. A clone counts into the same families.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    reconciles: Family<ReconcileLabels, Counter>,
    duration: Histogram,
    applies: Family<ApplyLabels, Counter>,
    events: Family<ResultLabels, Counter>,
    status_writes: Family<ResultLabels, Counter>,
    overwrites: Family<KindLabels, Counter>,
    resync_period: Gauge<f64, AtomicU64>,
    pub(super) leader: Gauge,
    pub(super) next_boundary: Gauge,
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
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

impl Metrics {
    /// Creates the families and registers them.
    pub(super) fn register(registry: &mut Registry, resync_period: Duration) -> Self {
        let metrics = Self {
            reconciles: Family::default(),
            duration: Histogram::new(DURATION_BUCKETS),
            applies: Family::default(),
            events: Family::default(),
            status_writes: Family::default(),
            overwrites: Family::default(),
            resync_period: Gauge::default(),
            leader: Gauge::default(),
            next_boundary: Gauge::default(),
        };
        metrics.start_at_zero();
        metrics.resync_period.set(resync_period.as_secs_f64());
        register(registry, families::RECONCILES, metrics.reconciles.clone());
        register(registry, families::RECONCILE_DURATION, metrics.duration.clone());
        register(registry, families::APPLIES, metrics.applies.clone());
        register(registry, families::EVENTS, metrics.events.clone());
        register(registry, families::STATUS_WRITES, metrics.status_writes.clone());
        register(registry, families::OVERWRITES, metrics.overwrites.clone());
        register(registry, families::RESYNC_PERIOD, metrics.resync_period.clone());
        register(registry, families::LEADER, metrics.leader.clone());
        register(registry, families::NEXT_BOUNDARY, metrics.next_boundary.clone());
        metrics
    }

    /// Series that are there from the start, so that `increase` sees the first failure.
    fn start_at_zero(&self) {
        for outcome in ["success", "error", "timeout", "panic"] {
            self.reconciles
                .get_or_create(&ReconcileLabels { outcome })
                .inc_by(0);
        }
        for kind in ChildKind::ALL.map(ChildKind::as_str) {
            self.overwrites.get_or_create(&KindLabels { kind }).inc_by(0);
            for result in ["created", "updated", "deleted", "failed"] {
                self.applies
                    .get_or_create(&ApplyLabels { kind, result })
                    .inc_by(0);
            }
        }
        for result in ["published", "failed"] {
            self.events.get_or_create(&ResultLabels { result }).inc_by(0);
        }
        for result in ["written", "failed"] {
            self.status_writes
                .get_or_create(&ResultLabels { result })
                .inc_by(0);
        }
    }

    pub(super) fn reconciled(&self, outcome: &'static str, took: Duration) {
        self.reconciles.get_or_create(&ReconcileLabels { outcome }).inc();
        self.duration.observe(took.as_secs_f64());
    }

    pub(super) fn applied(&self, kind: ChildKind, result: &'static str) {
        let kind = kind.as_str();
        self.applies.get_or_create(&ApplyLabels { kind, result }).inc();
    }

    pub(super) fn overwrote(&self, kind: ChildKind) {
        let kind = kind.as_str();
        self.overwrites.get_or_create(&KindLabels { kind }).inc();
    }

    pub(super) fn status_written(&self, success: bool) {
        let result = if success { "written" } else { "failed" };
        self.status_writes.get_or_create(&ResultLabels { result }).inc();
    }

    pub(super) fn event(&self, result: &'static str) {
        self.events.get_or_create(&ResultLabels { result }).inc();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use support::exposition;
    use vas_core::monitoring::families::{Exporter, Unit};

    use super::*;

    #[test]
    fn every_family_is_exposed_as_its_table_says() {
        let mut registry = Registry::default();
        let _metrics = Metrics::register(&mut registry, Duration::from_secs(1800));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        // The others are written by `Exposition`, from the table itself.
        let of_process = Exporter::Operator
            .families()
            .filter(|family| families::ALL.contains(family))
            // These are counted where they happen, in vas-cluster.
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
}
