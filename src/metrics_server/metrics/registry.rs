//! The registry of served metrics. A watch keeps it up to date from the resources, and reads look metrics up
//! in it.
//!
//! Only what serving needs is kept, not the resources. If a resource becomes invalid, its metrics stay as
//! they were, because its children stay too and their HPAs go on reading. A resource that does not parse, or
//! whose validation panics, harms only itself.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use parking_lot::RwLock;

use vas_api::{
    LABEL_SCALING,
    condition::METRICS_AVAILABLE,
    v1alpha1::{ScaleTargetRef, VoiceAssistScaling},
};
use vas_core::{
    k8s::{label_selector::LabelSelector, resource_ref::ResourceRef},
    metrics::{
        promql::{Shape, ShapeError, Sources},
        registration::MetricsApi,
    },
    reconcile::desired::hpa::metric_selector,
    spec::{
        model::{MetricType, PrometheusMetric, Scaling, ScalingKey, Series},
        rules::{Validation, validate},
    },
};

/// One served metric.
#[derive(Clone, Debug)]
pub struct ServedMetric {
    /// The resource that declares the metric.
    pub key: ScalingKey,
    /// Name of the workload that the metric scales.
    pub workload: String,
    /// The scale target of the workload.
    pub target: ScaleTargetRef,
    /// Name of the metric.
    pub name: String,
    /// The metric's declaration.
    pub metric: PrometheusMetric,
    /// The query for the metric, or why there is none.
    pub shape: Result<Arc<Shape>, ShapeError>,
}

/// One resource of the registry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The metrics of the resource, in the order of the spec.
    pub metrics: Vec<Arc<ServedMetric>>,
    /// Name and scale target of each workload, as the spec has them, whether or not it is valid.
    pub workloads: Vec<(String, ScaleTargetRef)>,
    /// When the resource was created; one without a time counts as the youngest.
    pub created: Timestamp,
    /// Which resource, and the generation that the metrics were read from.
    pub resource: ResourceRef,
    /// Whether the spec is valid. If not, some metrics come from an earlier spec.
    pub valid: bool,
    /// The condition [`METRICS_AVAILABLE`] of the resource in the cluster.
    pub condition: Option<Condition>,
}

/// All resources, and the sources that queries are planned with.
#[derive(Debug)]
pub struct Registry {
    /// Invariant: this lock is held while `entries` is written, so that a plan made from old sources never
    /// overwrites a newer one. It is not held while something is planned. A plan whose sources were replaced
    /// meanwhile is made again before it is written.
    sources: RwLock<Arc<Sources>>,
    entries: RwLock<BTreeMap<ScalingKey, Arc<Entry>>>,
}

/// A judged resource that is not in the registry yet.
pub struct Judged {
    entry: Entry,
    /// The sources with which the queries were planned.
    sources: Arc<Sources>,
}

impl ServedMetric {
    /// Whether the metric describes pods; otherwise it is a single number.
    pub fn describes_pods(&self) -> bool {
        self.metric.metric_type() == MetricType::Pods
    }

    /// The API group that serves the metric.
    pub fn api(&self) -> MetricsApi {
        match self.metric.metric_type() {
            MetricType::Pods | MetricType::Object => MetricsApi::Custom,
            MetricType::External => MetricsApi::External,
        }
    }

    /// The namespace under which an answer holds the metric's values; empty if the query aggregates the
    /// namespace away.
    pub fn answer_namespace(&self) -> &str {
        match self.metric.series {
            Series::Query { .. } | Series::PodQuery { .. } => "",
            Series::RequestRate { .. } | Series::PodGauge { .. } | Series::Gauge { .. } => {
                &self.key.namespace
            }
        }
    }

    /// Names the metric and its resource in messages.
    pub fn describe(&self) -> String {
        format!(
            "metric {} of {} (workload {})",
            self.name, self.key, self.workload
        )
    }

    /// The same metric, planned with other sources.
    fn planned(&self, sources: &Sources) -> Self {
        let shape = sources.shape(&self.key.namespace, &self.metric).map(Arc::new);
        Self {
            shape,
            ..self.clone()
        }
    }

    /// The labels that distinguish the metric from others of the same name in its namespace.
    pub fn identity(&self) -> BTreeMap<String, String> {
        metric_selector(&self.key, &self.workload)
    }
}

impl Entry {
    /// The same resource, planned with other sources.
    fn planned(&self, sources: &Sources) -> Self {
        let metrics = self.metrics.iter();
        Self {
            metrics: metrics.map(|metric| Arc::new(metric.planned(sources))).collect(),
            ..self.clone()
        }
    }
}

impl Registry {
    /// An empty registry that plans queries with these sources.
    pub fn new(sources: Sources) -> Self {
        Self {
            sources: RwLock::new(Arc::new(sources)),
            entries: RwLock::default(),
        }
    }

    /// Takes in a new or changed resource, on this thread.
    pub fn apply(&self, object: &VoiceAssistScaling) {
        if let Some(resource) = identified(&object.metadata) {
            self.insert(self.judge(&resource, object));
        }
    }

    /// Judges a new or changed resource. This is the costly part, and holds no lock meanwhile.
    pub fn judge(&self, resource: &ResourceRef, object: &VoiceAssistScaling) -> Judged {
        self.judge_by(resource, object, validate)
    }

    fn judge_by(
        &self,
        resource: &ResourceRef,
        object: &VoiceAssistScaling,
        validate: impl Fn(&VoiceAssistScaling) -> Validation,
    ) -> Judged {
        let sources = self.sources.read().clone();
        let key = ScalingKey::of(resource);
        let entry = self.entries.read().get(&key).cloned();
        let before = entry.map(|entry| entry.metrics.clone()).unwrap_or_default();
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let validation = validate(object);
            let metrics = metrics(&sources, object, validation.scaling.as_ref(), &before);
            (metrics, validation.violations.is_empty())
        }));
        let (metrics, valid) = judged.unwrap_or_else(|_| {
            tracing::error!(scaling = %key, "the validation panicked; its metrics stay as they were");
            (kept(&sources, &before).collect(), false)
        });
        let workloads = object.spec.workloads.iter();
        let entry = Entry {
            metrics,
            workloads: workloads
                .map(|workload| (workload.name.clone(), workload.scale_target_ref.clone()))
                .collect(),
            valid,
            created: created(&object.metadata),
            resource: resource.clone(),
            condition: condition_of(object),
        };
        Judged { entry, sources }
    }

    /// Writes a judged resource. If the sources were replaced meanwhile, its queries are planned again first.
    pub fn insert(&self, judged: Judged) {
        let Judged {
            mut entry,
            sources: mut planned_with,
        } = judged;
        let key = ScalingKey::of(&entry.resource);
        loop {
            // The read lock on `sources` is held across the write to `entries`: see the invariant.
            let sources = self.sources.read();
            if Arc::ptr_eq(&sources, &planned_with) {
                self.entries.write().insert(key, Arc::new(entry));
                return;
            }
            planned_with = sources.clone();
            drop(sources);
            entry = entry.planned(&planned_with);
        }
    }

    /// Plans all queries again with other sources. This takes long, so it must run on a blocking thread.
    pub fn replan(&self, sources: Sources) {
        let sources = Arc::new(sources);
        *self.sources.write() = sources.clone();
        for (key, entry) in self.entries() {
            let replanned = Arc::new(entry.planned(&sources));
            let mut entries = self.entries.write();
            // An entry that was written meanwhile is planned with the new sources already, and a removed one
            // stays removed.
            if let Some(standing) = entries.get_mut(&key)
                && Arc::ptr_eq(standing, &entry)
            {
                *standing = replanned;
            }
        }
    }

    /// Removes a resource.
    pub fn remove(&self, key: &ScalingKey) {
        self.entries.write().remove(key);
    }

    /// Removes the resources for which `keep` is false.
    pub fn retain(&self, keep: impl Fn(&ScalingKey) -> bool) {
        self.entries.write().retain(|key, _| keep(key));
    }

    /// All resources as they are now.
    pub fn entries(&self) -> Vec<(ScalingKey, Arc<Entry>)> {
        self.entries
            .read()
            .iter()
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect()
    }

    /// Whether a resource of the namespace describes a metric of this name in an API group, with or without a
    /// value.
    pub fn describes(&self, api: MetricsApi, namespace: &str, name: &str) -> bool {
        let entries = self.entries.read();
        in_namespace(&entries, namespace)
            .flat_map(|entry| &entry.metrics)
            .any(|metric| metric.name == name && metric.api() == api)
    }

    /// The metrics with this name in a namespace that the selector matches.
    pub fn find(&self, namespace: &str, name: &str, selector: &LabelSelector) -> Vec<Arc<ServedMetric>> {
        let entries = self.entries.read();
        let in_entry = |entry: &Entry| -> Vec<Arc<ServedMetric>> {
            let named = entry.metrics.iter().filter(|metric| metric.name == name);
            named
                .filter(|metric| selector.matches(&metric.identity()))
                .cloned()
                .collect()
        };
        // A selector with the name of the resource, as the operator writes it, needs no scan of the
        // namespace.
        if let Some(scaling) = selector.exact(LABEL_SCALING) {
            let key = ScalingKey {
                namespace: namespace.to_owned(),
                name: scaling.to_owned(),
            };
            return entries.get(&key).map(|entry| in_entry(entry)).unwrap_or_default();
        }
        in_namespace(&entries, namespace).flat_map(in_entry).collect()
    }
}

/// The resources of a namespace.
fn in_namespace<'a>(
    entries: &'a BTreeMap<ScalingKey, Arc<Entry>>,
    namespace: &'a str,
) -> impl Iterator<Item = &'a Entry> {
    let first = ScalingKey {
        namespace: namespace.to_owned(),
        name: String::new(),
    };
    entries
        .range(first..)
        .take_while(move |(key, _)| key.namespace == namespace)
        .map(|(_, entry)| &**entry)
}

/// The metrics of a resource: those of valid workloads, and for each invalid workload those of `before`.
fn metrics(
    sources: &Sources,
    object: &VoiceAssistScaling,
    scaling: Option<&Scaling>,
    before: &[Arc<ServedMetric>],
) -> Vec<Arc<ServedMetric>> {
    let Some(scaling) = scaling else {
        return kept(sources, before).collect();
    };
    let key = &scaling.key;
    let mut metrics = Vec::new();
    for workload in &object.spec.workloads {
        match scaling.workloads.iter().find(|valid| valid.name == workload.name) {
            Some(valid) => metrics.extend(valid.prometheus_metrics().map(|(name, metric)| {
                Arc::new(ServedMetric {
                    key: key.clone(),
                    workload: valid.name.clone(),
                    target: valid.target.clone(),
                    name: name.to_owned(),
                    metric: metric.clone(),
                    shape: sources.shape(&key.namespace, metric).map(Arc::new),
                })
            })),
            None => {
                metrics.extend(kept(sources, before).filter(|metric| metric.workload == workload.name));
            }
        }
    }
    metrics
}

/// Metrics that stay as they were. They are planned again, because the sources may have changed since.
fn kept(sources: &Sources, before: &[Arc<ServedMetric>]) -> impl Iterator<Item = Arc<ServedMetric>> {
    before.iter().map(|metric| Arc::new(metric.planned(sources)))
}

/// Which resource the metadata is about. `None`, and an error in the log, if that is not known, which no API
/// server sends.
pub fn identified(metadata: &ObjectMeta) -> Option<ResourceRef> {
    ResourceRef::of(metadata)
        .inspect_err(|error| tracing::error!(%error, "skipped a VoiceAssistScaling"))
        .ok()
}

fn created(metadata: &ObjectMeta) -> Timestamp {
    let created = metadata.creation_timestamp.as_ref();
    created.map_or(Timestamp::MAX, |created| created.0)
}

fn condition_of(object: &VoiceAssistScaling) -> Option<Condition> {
    let conditions = object.status.as_ref()?.conditions.as_ref()?;
    conditions
        .iter()
        .find(|condition| condition.type_ == METRICS_AVAILABLE)
        .cloned()
}

#[cfg(test)]
mod tests;
