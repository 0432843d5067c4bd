//! Answers a read of a metric from memory: which objects it is about, and what their values are.
//!
//! No I/O happens here. If there is no value, the error says which metric of which resource has none, and
//! why.

mod identify;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use self::identify::{Requested, Subject};
use super::{
    path::{ExternalPath, MetricPath, NamespacePath, Selectors},
    payload::{DescribedObject, ExternalValue, MetricValue},
    pod_index::PodIndex,
    registry::{Registry, ServedMetric},
    resource_names::ResourceNames,
    store::Store,
};
use crate::status_error::StatusError;
use vas_api::v1alpha1::ScaleTargetRef;
use vas_core::{
    k8s::label_selector::LabelSelector,
    metrics::{
        freshness::{self, Failure, Missing, PollState, Reading},
        promql::ShapeError,
    },
    spec::model::{MetricType, Series},
};

/// Why an external metric has no value if the group is not served.
const EXTERNAL_OFF: &str = "external metrics are turned off here (--external-metrics=false)";
/// The name in a path that stands for all selected objects.
const ALL: &str = "*";

/// The data that reads are answered from.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Which metrics are served.
    pub registry: Arc<Registry>,
    /// The state of each shape from its polls.
    pub store: Arc<Store>,
    /// The pods that reads may be about: those that are neither finished nor being deleted.
    pub pods: Arc<PodIndex>,
    /// The plural names of the kinds of scale targets.
    pub resource_names: Arc<ResourceNames>,
    /// Whether external.metrics.k8s.io is served.
    pub external_metrics: bool,
}

/// The time of a read, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Wall-clock time: the timestamp of values without a sample time.
    pub wall: Timestamp,
    /// Monotonic time, for the ages of samples.
    pub monotonic: Duration,
}

impl Memory {
    /// Answers a read of a metric of pods or of one object.
    ///
    /// # Errors
    /// 400 for selectors that do not parse and for an ambiguous metric, 404 for an unknown metric, 503 for a
    /// metric without a usable value.
    pub fn read(
        &self,
        path: &MetricPath,
        selectors: &Selectors,
        now: Now,
    ) -> Result<Vec<MetricValue>, StatusError> {
        let objects = parse("labelSelector", &selectors.objects)?;
        let metric = parse("metricLabelSelector", &selectors.metric)?;
        let requested = Requested {
            namespace: &path.namespace,
            metric: &path.metric,
            subject: Subject::Object {
                resource: &path.resource,
                name: &path.name,
            },
        };
        let metric = self.identify(&requested, &metric)?;
        // A metric of pods has a value for each pod. Any other metric is one number of the scale target.
        if metric.describes_pods() {
            let readings = self.read_pods(path, &objects, &metric, now.monotonic)?;
            let values = readings.into_iter();
            Ok(values
                .map(|(object, reading)| value(&metric, object, reading, now.wall))
                .collect())
        } else {
            let reading = self.read_number(&metric, now.monotonic)?;
            Ok(vec![value(&metric, target(&metric), reading, now.wall)])
        }
    }

    /// Answers a read of a metric that describes a namespace. A number that describes a scale target may be
    /// read this way too, because it comes from series of the whole namespace.
    ///
    /// # Errors
    /// As [`Memory::read`].
    pub fn read_namespace(
        &self,
        path: &NamespacePath,
        selectors: &Selectors,
        now: Now,
    ) -> Result<MetricValue, StatusError> {
        let selector = parse("metricLabelSelector", &selectors.metric)?;
        let requested = Requested {
            namespace: &path.namespace,
            metric: &path.metric,
            subject: Subject::Namespace,
        };
        let metric = self.identify(&requested, &selector)?;
        let reading = self.read_number(&metric, now.monotonic)?;
        let namespace = DescribedObject {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: path.namespace.clone(),
        };
        Ok(value(&metric, namespace, reading, now.wall))
    }

    /// Answers a read of an external metric. The list has one value, because the HPA adds up all values that
    /// it gets.
    ///
    /// # Errors
    /// As [`Memory::read`].
    pub fn read_external(
        &self,
        path: &ExternalPath,
        selectors: &Selectors,
        now: Now,
    ) -> Result<ExternalValue, StatusError> {
        let selector = parse("labelSelector", &selectors.objects)?;
        let requested = Requested {
            namespace: &path.namespace,
            metric: &path.metric,
            subject: Subject::External,
        };
        let metric = self.identify(&requested, &selector)?;
        let reading = self.read_number(&metric, now.monotonic)?;
        Ok(ExternalValue {
            labels: metric.identity(),
            metric: metric.name.clone(),
            timestamp: reading.sampled.unwrap_or(now.wall),
            value: reading.value,
        })
    }

    /// Why a read of the metric by the HPA would fail now; `None` if it has a value. The HPA's own pod
    /// selector is not known here. So the pods of the scale target are taken, as far as pods show their
    /// target, or else all pods.
    pub fn missing(&self, metric: &ServedMetric, now: Duration) -> Option<Missing> {
        self.age_and_missing(metric, now).1
    }

    /// Age of the metric's newest sample, `None` where none is known, and [`Memory::missing`], from one look.
    pub fn age_and_missing(
        &self,
        metric: &ServedMetric,
        now: Duration,
    ) -> (Option<Duration>, Option<Missing>) {
        let view = match self.view(metric) {
            Ok(view) => view,
            Err(missing) => return (None, Some(missing)),
        };
        let off = metric.metric.metric_type() == MetricType::External && !self.external_metrics;
        let off = off.then(|| Missing::Failed(Failure::Unsuitable(EXTERNAL_OFF.into())));
        (view.age(metric, now), off.or_else(|| view.missing(metric, now)))
    }

    /// What the HPA's reads of the metric are answered from; an error if its shape is not polled.
    fn view(&self, metric: &ServedMetric) -> Result<View, Missing> {
        let target = (&metric.key.namespace, &metric.target.name);
        Ok(View {
            state: self.state(metric)?,
            pods: metric
                .describes_pods()
                .then(|| self.pods.of_target(target.0, target.1)),
        })
    }

    /// The state of the metric's shape; an error if the shape is not polled.
    fn state(&self, metric: &ServedMetric) -> Result<Option<Arc<PollState>>, Missing> {
        let unsuitable = |error: &ShapeError| Missing::Failed(Failure::Unsuitable(error.to_string().into()));
        let shape = metric.shape.as_ref().map_err(unsuitable)?;
        // Another namespace may be granted the same shape, so a state alone does not show that this one is.
        match self.store.refusal(&metric.key.namespace, shape) {
            Some(refusal) => Err(Missing::Refused(refusal)),
            None => Ok(self.store.get(shape)),
        }
    }

    /// The value of a metric that is a single number.
    fn read_number(&self, metric: &ServedMetric, now: Duration) -> Result<Reading, StatusError> {
        let state = self
            .state(metric)
            .map_err(|missing| unavailable(metric, &missing))?;
        freshness::object(state.as_deref(), metric.answer_namespace(), &metric.metric, now)
            .map_err(|missing| unavailable(metric, &missing))
    }

    fn read_pods(
        &self,
        path: &MetricPath,
        selector: &LabelSelector,
        metric: &ServedMetric,
        now: Duration,
    ) -> Result<Vec<(DescribedObject, Reading)>, StatusError> {
        let namespace = &path.namespace;
        let mut selected = self.pods.select(namespace, selector);
        // A read of one pod selects as a read of all does, so that both agree about which pods are live.
        if path.name != ALL {
            selected.retain(|name| *name == path.name);
        }
        let selected: Vec<&str> = selected.iter().map(String::as_str).collect();
        let state = self
            .state(metric)
            .map_err(|missing| unavailable(metric, &missing))?;
        let readings = freshness::pods(
            state.as_deref(),
            metric.answer_namespace(),
            &metric.metric,
            now,
            &selected,
        )
        .map_err(|missing| unavailable(metric, &missing))?;
        let object = |name: &str| DescribedObject {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: Some(namespace.clone()),
            name: name.to_owned(),
        };
        Ok(readings
            .into_iter()
            .map(|(name, reading)| (object(name), reading))
            .collect())
    }
}

/// What the HPA's reads of one metric are answered from.
struct View {
    state: Option<Arc<PollState>>,
    /// The pods of the scale target, of a metric that describes pods.
    pods: Option<Vec<String>>,
}

impl View {
    fn pods(&self) -> Option<Vec<&str>> {
        let pods = self.pods.as_ref()?;
        Some(pods.iter().map(String::as_str).collect())
    }

    fn missing(&self, served: &ServedMetric, now: Duration) -> Option<Missing> {
        let (state, namespace) = (self.state.as_deref(), served.answer_namespace());
        match self.pods() {
            Some(pods) => freshness::pods(state, namespace, &served.metric, now, &pods).err(),
            None => freshness::object(state, namespace, &served.metric, now).err(),
        }
    }

    fn age(&self, served: &ServedMetric, now: Duration) -> Option<Duration> {
        let (state, namespace) = (self.state.as_deref(), served.answer_namespace());
        freshness::age(state, namespace, &served.metric, now, self.pods().as_deref())
    }
}

fn parse(parameter: &str, text: &str) -> Result<LabelSelector, StatusError> {
    text.parse()
        .map_err(|error| StatusError::bad_request(format!("{parameter}: {error}")))
}

fn unavailable(metric: &ServedMetric, why: &Missing) -> StatusError {
    StatusError::unavailable(format!("{}: {why}", metric.describe()))
}

/// The scale target: the object that a single number describes.
fn target(metric: &ServedMetric) -> DescribedObject {
    let ScaleTargetRef {
        api_version,
        kind,
        name,
    } = metric.target.clone();
    DescribedObject {
        api_version,
        kind,
        namespace: Some(metric.key.namespace.clone()),
        name,
    }
}

fn value(metric: &ServedMetric, object: DescribedObject, reading: Reading, now: Timestamp) -> MetricValue {
    let window = match &metric.metric.series {
        Series::RequestRate { window, .. } => Some(*window),
        Series::PodGauge { .. } | Series::PodQuery { .. } | Series::Gauge { .. } | Series::Query { .. } => {
            None
        }
    };
    MetricValue {
        object,
        metric: metric.name.clone(),
        timestamp: reading.sampled.unwrap_or(now),
        window,
        value: reading.value,
    }
}

#[cfg(test)]
mod tests;
