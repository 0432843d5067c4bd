//! The series about served metrics and about pods, made anew for each scrape: how old each value is, why one is missing,
//! and which workload a pod belongs to.
//!
//! Every replica polls for itself, so each one exports what it would answer itself.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    reads::Memory,
    registry::{Entry, ServedMetric},
};
use vas_core::{
    monitoring::{
        exposition::{Detail, Exposition},
        families::metrics_server::{METRIC_AGE, METRIC_MAX_AGE, METRIC_MISSING, POD_INFO},
    },
    spec::model::ScalingKey,
};

/// Most series in one scrape; beyond that, none of these families is exported.
const MAX_SERIES: usize = 300_000;

/// What the series are made from.
pub(crate) struct Exported {
    memory: Memory,
    max_series: usize,
    /// Whether the latest scrape had too many series, so that each change is logged once.
    left_out: AtomicBool,
}

impl Exported {
    pub(crate) fn new(memory: Memory) -> Self {
        Self {
            memory,
            max_series: MAX_SERIES,
            left_out: AtomicBool::new(false),
        }
    }

    /// The series of all served metrics, in parts. `now` is our monotonic time.
    pub(crate) fn parts(&self, now: Duration) -> Vec<String> {
        let mut exposition = Exposition::new(Detail::Full, self.max_series);
        let entries = self.memory.registry.entries();
        for (_, entry) in &entries {
            for metric in &entry.metrics {
                self.add(&mut exposition, metric, now);
            }
        }
        self.add_pods(&mut exposition, &entries);
        self.log(exposition.detail() < Detail::Full);
        exposition.into_parts()
    }

    fn add(&self, exposition: &mut Exposition, metric: &ServedMetric, now: Duration) {
        let labels = [
            metric.key.namespace.as_str(),
            &metric.key.name,
            &metric.workload,
            &metric.name,
        ];
        exposition.add(METRIC_MAX_AGE, &labels, metric.metric.max_age.as_secs_f64());
        let (age, missing) = self.memory.age_and_missing(metric, now);
        if let Some(age) = age {
            exposition.add(METRIC_AGE, &labels, age.as_secs_f64());
        }
        if let Some(missing) = missing {
            let [namespace, scaling, workload, name] = labels;
            let labels = [namespace, scaling, workload, name, missing.slug()];
            exposition.add(METRIC_MISSING, &labels, 1.0);
        }
    }

    /// Adds which workload each live pod belongs to. Entries of one namespace stand together.
    fn add_pods(&self, exposition: &mut Exposition, entries: &[(ScalingKey, Arc<Entry>)]) {
        for entries in entries.chunk_by(|(one, _), (next, _)| one.namespace == next.namespace) {
            let workloads = entries.iter().flat_map(|(key, entry)| {
                let workloads = entry.workloads.iter();
                workloads.map(move |(workload, target)| (target.name.as_str(), (key, workload)))
            });
            let targets: BTreeMap<&str, (&ScalingKey, &String)> = workloads.collect();
            let Some((ScalingKey { namespace, .. }, _)) = entries.first() else {
                continue;
            };
            self.memory
                .pods
                .with_target(namespace, &targets, |pod, (key, workload)| {
                    exposition.add(POD_INFO, &[namespace, pod, &key.name, workload], 1.0);
                });
        }
    }

    /// Logs that metrics are left out, or that they are back, at the first scrape of which that is so. Returns whether
    /// it did.
    fn log(&self, left_out: bool) -> bool {
        let changed = self.left_out.swap(left_out, Ordering::Relaxed) != left_out;
        if changed && left_out {
            tracing::warn!(
                most = self.max_series,
                "ages of metrics and workloads of pods are not exported: there would be too many series"
            );
        } else if changed {
            tracing::info!(
                most = self.max_series,
                "ages of metrics and workloads of pods are exported again"
            );
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::registry::Registry;

    #[test]
    fn too_many_series_are_logged_once() {
        let exported = Exported::new(Memory {
            registry: Arc::new(Registry::new(std::iter::empty().collect())),
            store: Arc::default(),
            pods: Arc::default(),
            resource_names: Arc::default(),
            external_metrics: true,
        });
        let logged = [false, true, true, false, false, true].map(|left_out| exported.log(left_out));
        assert_eq!(logged, [false, true, false, true, false, true]);
    }
}
