//! Which metrics are served: kept up to date from the resources by a watch, looked up by reads.
//!
//! Only what serving needs is kept, not the resources. What a resource no longer says validly stays as it
//! was: its children stay too, and their HPAs go on asking. A resource that does not parse, or on which the
//! validation panics, harms only itself.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use parking_lot::{Mutex, RwLock};

use crate::{
    api::{
        LABEL_SCALING,
        condition::METRICS_AVAILABLE,
        v1alpha1::{ScaleTargetRef, VoiceAssistScaling},
    },
    core::{
        desired::hpa::metric_selector,
        label_selector::LabelSelector,
        model::{MetricType, PrometheusMetric, Scaling, ScalingKey, Series},
        promql::{Shape, ShapeError, Sources},
        validate::{Validation, validate},
    },
};

/// One metric that is served.
#[derive(Clone, Debug)]
pub struct ServedMetric {
    /// The resource it stands in.
    pub key: ScalingKey,
    /// The workload it scales.
    pub workload: String,
    /// What the workload scales.
    pub target: ScaleTargetRef,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub metric: PrometheusMetric,
    /// The question behind it, or why there is none.
    pub shape: Result<Arc<Shape>, ShapeError>,
}

/// One resource.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its metrics, in the order of the spec.
    pub metrics: Vec<Arc<ServedMetric>>,
    /// When the resource was created; without a time it counts as the youngest.
    pub created: Timestamp,
    /// The generation they were read from.
    pub generation: Option<i64>,
    /// Whether they are all that the spec asks for; otherwise some are what an earlier spec asked for.
    pub valid: bool,
    /// UID of the resource.
    pub uid: Option<String>,
    /// The condition [`METRICS_AVAILABLE`] as it stands in the cluster.
    pub condition: Option<Condition>,
}

/// All resources.
#[derive(Debug)]
pub struct Registry {
    /// Held by whoever writes entries: what was planned with old sources is never written after a new plan.
    sources: Mutex<Sources>,
    entries: RwLock<BTreeMap<ScalingKey, Arc<Entry>>>,
}

impl ServedMetric {
    /// Whether it describes pods; otherwise it is one number.
    pub fn describes_pods(&self) -> bool {
        self.metric.metric_type() == MetricType::Pods
    }

    /// The namespace under which its answer keeps its values.
    pub fn answer_namespace(&self) -> &str {
        match self.metric.series {
            Series::Query { .. } => "",
            Series::RequestRate { .. } | Series::Gauge { .. } => &self.key.namespace,
        }
    }

    /// For messages: which metric of which resource.
    pub fn describe(&self) -> String {
        format!(
            "metric {} of {} (workload {})",
            self.name, self.key, self.workload
        )
    }

    /// The same metric, asked of other sources.
    fn planned(&self, sources: &Sources) -> Self {
        let shape = sources.shape(&self.key.namespace, &self.metric).map(Arc::new);
        Self {
            shape,
            ..self.clone()
        }
    }

    /// The labels that tell it from others of its name in its namespace.
    pub fn identity(&self) -> BTreeMap<String, String> {
        metric_selector(&self.key, &self.workload)
    }
}

impl Registry {
    /// An empty registry that plans queries to these sources.
    pub fn new(sources: Sources) -> Self {
        Self {
            sources: Mutex::new(sources),
            entries: RwLock::default(),
        }
    }

    /// Takes a resource in, or what changed of it. Only the one watch calls it, so all work on the spec is done
    /// outside of the lock that reads wait for.
    pub fn apply(&self, object: &VoiceAssistScaling) {
        self.apply_validated(object, validate);
    }

    fn apply_validated(
        &self,
        object: &VoiceAssistScaling,
        validate: impl Fn(&VoiceAssistScaling) -> Validation,
    ) {
        let Some(key) = key_of(&object.metadata) else {
            return;
        };
        let sources = self.sources.lock();
        let entry = self.entries.read().get(&key).cloned();
        let before = entry.map(|entry| entry.metrics.clone()).unwrap_or_default();
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let validation = validate(object);
            let metrics = metrics(&sources, object, validation.scaling.as_ref(), &before);
            (metrics, validation.violations.is_empty())
        }));
        let (metrics, valid) = judged.unwrap_or_else(|_| {
            tracing::error!(scaling = %key, "the validation panicked; its metrics stay as they were");
            (before, false)
        });
        let entry = Entry {
            metrics,
            valid,
            created: created(&object.metadata),
            generation: object.metadata.generation,
            uid: object.metadata.uid.clone(),
            condition: condition_of(object),
        };
        self.entries.write().insert(key, Arc::new(entry));
    }

    /// Plans all queries anew, for other sources.
    pub fn replan(&self, sources: Sources) {
        let mut current = self.sources.lock();
        let replanned: Vec<_> = self
            .entries()
            .into_iter()
            .map(|(key, entry)| {
                let metrics = entry.metrics.iter();
                let entry = Entry {
                    metrics: metrics.map(|metric| Arc::new(metric.planned(&sources))).collect(),
                    ..(*entry).clone()
                };
                (key, Arc::new(entry))
            })
            .collect();
        let mut entries = self.entries.write();
        for (key, entry) in replanned {
            // What was removed meanwhile stays away.
            entries.entry(key).and_modify(|standing| *standing = entry);
        }
        *current = sources;
    }

    /// Forgets a resource.
    pub fn remove(&self, key: &ScalingKey) {
        self.entries.write().remove(key);
    }

    /// Forgets all resources but those that `keep` says are still there.
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

    /// The metrics of a name in a namespace that a metric selector selects.
    pub fn find(&self, namespace: &str, name: &str, selector: &LabelSelector) -> Vec<Arc<ServedMetric>> {
        let entries = self.entries.read();
        let in_entry = |entry: &Entry| -> Vec<Arc<ServedMetric>> {
            let named = entry.metrics.iter().filter(|metric| metric.name == name);
            named
                .filter(|metric| selector.matches(&metric.identity()))
                .cloned()
                .collect()
        };
        if let Some(scaling) = selector.exact(LABEL_SCALING) {
            let key = ScalingKey {
                namespace: namespace.to_owned(),
                name: scaling.to_owned(),
            };
            return entries.get(&key).map(|entry| in_entry(entry)).unwrap_or_default();
        }
        let first = ScalingKey {
            namespace: namespace.to_owned(),
            name: String::new(),
        };
        entries
            .range(first..)
            .take_while(|(key, _)| key.namespace == namespace)
            .flat_map(|(_, entry)| in_entry(entry))
            .collect()
    }
}

/// What the resource asks for, and what it no longer says validly as it was `before`.
fn metrics(
    sources: &Sources,
    object: &VoiceAssistScaling,
    scaling: Option<&Scaling>,
    before: &[Arc<ServedMetric>],
) -> Vec<Arc<ServedMetric>> {
    let Some(scaling) = scaling else {
        return before.to_vec();
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
                metrics.extend(
                    before
                        .iter()
                        .filter(|metric| metric.workload == workload.name)
                        .cloned(),
                );
            }
        }
    }
    metrics
}

/// The identity of an object from the API server.
pub fn key_of(metadata: &ObjectMeta) -> Option<ScalingKey> {
    Some(ScalingKey {
        namespace: metadata.namespace.clone()?,
        name: metadata.name.clone()?,
    })
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
