//! The series about resources and their workloads, made anew for each scrape from the caches. Only the leader exports
//! them, because the others do not know how reconciles went.
//!
//! Must not: change a cache or trigger a reconcile. A scrape only looks.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use kube::{Resource as _, runtime::reflector::Store};

use crate::{cache::Key, caches::Caches, metrics::Metrics, reconciles::LastReconciles, stored::Stored};
use vas_cluster::clock::Clock;
use vas_core::{
    monitoring::{
        exposition::{Detail, Exposition},
        families::operator::{METRICS_DETAIL, METRICS_SERIES, OLDEST_RECONCILE_AGE},
        readings::Reading,
        scaling::{self, Readings, Resource},
    },
    reconcile::child::ChildKind,
};

/// How much is exported of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsLimits {
    /// The detail that was asked for.
    pub detail: Detail,
    /// Most series of resources; beyond them the detail is less.
    pub max_series: usize,
}

/// What the series are made from.
pub(super) struct Objects {
    pub(super) store: Store<Stored>,
    pub(super) caches: Arc<Caches>,
    pub(super) reconciles: Arc<LastReconciles>,
    pub(super) metrics: Metrics,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: MetricsLimits,
    /// Whether the latest scrape had less detail than was asked for, so that each change is logged once.
    pub(super) reduced: AtomicBool,
}

impl Objects {
    /// The series in parts; none while this replica does not lead.
    pub(super) fn parts(&self) -> Vec<String> {
        if self.metrics.leader.get() != 1 {
            return Vec::new();
        }
        let resources = self.store.state();
        let mut exposition = Exposition::new(self.limits.detail, self.limits.max_series);
        for resource in &resources {
            self.add(&mut exposition, resource);
        }
        let (detail, series) = (exposition.detail(), exposition.series());
        self.log(detail);
        let mut parts = exposition.into_parts();
        parts.extend(self.of_leader(&resources, detail, series));
        parts
    }

    fn add(&self, exposition: &mut Exposition, stored: &Stored) {
        let metadata = stored.meta();
        let (Some(namespace), Some(name)) = (&metadata.namespace, &metadata.name) else {
            return;
        };
        let uid = metadata.uid.as_deref().unwrap_or_default();
        let content = stored.exported();
        let resource = Resource {
            namespace,
            name,
            generation: metadata.generation,
            content: content.as_ref(),
        };
        scaling::add(exposition, &resource, |child| {
            self.readings(namespace, child, uid)
        });
    }

    /// What the children of this name tell, if the resource with this UID controls them.
    fn readings(&self, namespace: &str, name: &str, uid: &str) -> Readings {
        let reading = |kind| {
            let child = self.caches.of_kind(kind)?.get(namespace, name)?;
            child.is_controlled_by(uid).then(|| child.reading.clone())?
        };
        let mut readings = Readings::default();
        for kind in [ChildKind::HorizontalPodAutoscaler, ChildKind::PodDisruptionBudget] {
            match reading(kind).map(|reading| *reading) {
                Some(Reading::Hpa(hpa)) => readings.hpa = Some(hpa),
                Some(Reading::Budget(budget)) => readings.budget = Some(budget),
                None => {}
            }
        }
        readings
    }

    fn of_leader(&self, resources: &[Arc<Stored>], detail: Detail, series: usize) -> Vec<String> {
        let mut exposition = Exposition::new(Detail::Full, usize::MAX);
        let oldest = self
            .reconciles
            .oldest(resynced(resources), self.clock.monotonic());
        if let Some(oldest) = oldest {
            exposition.add(OLDEST_RECONCILE_AGE, &[], oldest.as_secs_f64());
        }
        for each in Detail::ALL {
            let is_it = f64::from(u8::from(each == detail));
            exposition.add(METRICS_DETAIL, &[each.as_str()], is_it);
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        exposition.add(METRICS_SERIES, &[], series as f64);
        exposition.into_parts()
    }

    /// Logs a change of the detail.
    fn log(&self, detail: Detail) {
        let reduced = detail < self.limits.detail;
        if self.reduced.swap(reduced, Ordering::Relaxed) != reduced {
            let (asked, most) = (self.limits.detail.as_str(), self.limits.max_series);
            if reduced {
                tracing::warn!(
                    detail = detail.as_str(),
                    asked,
                    most,
                    "metrics of resources have less detail: there are more than --metrics-max-series"
                );
            } else {
                tracing::info!(asked, "metrics of resources have the detail of --metrics-detail");
            }
        }
    }
}

/// The resources that are reconciled again when their time comes. One that is being deleted, or does not parse, waits for
/// a change, however long that takes.
fn resynced(resources: &[Arc<Stored>]) -> impl Iterator<Item = Key> {
    let resynced = resources.iter().filter(|stored| stored.is_resynced());
    resynced.filter_map(|stored| {
        let metadata = stored.meta();
        Some((metadata.namespace.clone()?, metadata.name.clone()?))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_waits_for_a_change_is_not_late() {
        let stored = |name: &str, workloads: serde_json::Value, deleted: serde_json::Value| {
            let stored = serde_json::from_value(json!({
                "metadata": {"namespace": "ns", "name": name, "uid": name, "deletionTimestamp": deleted},
                "spec": {"workloads": workloads},
            }));
            Arc::new(stored.unwrap())
        };
        let resources = [
            stored("fine", json!([]), json!(null)),
            stored("malformed", json!(3), json!(null)),
            stored("deleted", json!([]), json!("2026-11-28T12:00:00Z")),
        ];
        let resynced: Vec<String> = resynced(&resources).map(|(_, name)| name).collect();
        assert_eq!(resynced, ["fine"]);
    }
}
