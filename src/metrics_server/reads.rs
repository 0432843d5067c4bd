//! A read of a metric, answered from memory: which metric is meant, which objects, what their values are.
//!
//! No I/O happens here. Whatever has no value is an error whose message says whose metric, which, and why.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    path::{MetricPath, Selectors},
    payload::{DescribedObject, MetricValue},
    pod_index::PodIndex,
    registry::{Registry, ServedMetric},
    resource_names::ResourceNames,
    status_error::StatusError,
    store::Store,
};
use crate::{
    api::{LABEL_SCALING, LABEL_WORKLOAD, v1alpha1::ScaleTargetRef},
    core::{
        label_selector::LabelSelector,
        model::Series,
        reading::{self, Missing, PollState, Reading},
    },
};

/// The resource name of pods in paths.
const PODS: &str = "pods";
/// The name that stands for all selected objects.
const ALL: &str = "*";

/// What reads are answered from.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Which metrics are served.
    pub registry: Arc<Registry>,
    /// Their polls.
    pub store: Arc<Store>,
    /// The live pods.
    pub pods: Arc<PodIndex>,
    /// What the kinds of targets are called.
    pub resource_names: Arc<ResourceNames>,
}

/// The time at which a read is answered, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Wall-clock time, for values that have no sample of their own.
    pub wall: Timestamp,
    /// Monotonic time, for ages.
    pub monotonic: Duration,
}

impl Memory {
    /// Answers a read.
    ///
    /// # Errors
    /// 400 for selectors that do not parse and for an ambiguous metric, 404 for an unknown one, 503 for one
    /// without a usable value.
    pub fn read(
        &self,
        path: &MetricPath,
        selectors: &Selectors,
        now: Now,
    ) -> Result<Vec<MetricValue>, StatusError> {
        let objects = parse("labelSelector", &selectors.objects)?;
        let metric = parse("metricLabelSelector", &selectors.metric)?;
        let metric = self.identify(path, &metric)?;
        let readings = if metric.describes_pods() {
            self.read_pods(path, &objects, &metric, now.monotonic)
        } else {
            self.read_object(path, &metric, now.monotonic)
        };
        let readings = readings.map_err(|missing| unavailable(&metric, &missing))?;
        Ok(readings
            .into_iter()
            .map(|(object, reading)| value(&metric, object, reading, now.wall))
            .collect())
    }

    /// Why the HPA would be refused a metric now; `None` if it has a value. Which pods the HPA will ask for is
    /// not known here: those named after the scale target are taken, or else all.
    pub fn missing(&self, metric: &ServedMetric, now: Duration) -> Option<Missing> {
        let state = self.state(metric).ok()?;
        if metric.describes_pods() {
            let namespace = &metric.key.namespace;
            let pods = self.pods.select(namespace, &LabelSelector::default());
            let prefix = format!("{}-", metric.target.name);
            let own: Vec<&str> = pods
                .iter()
                .map(String::as_str)
                .filter(|name| name.starts_with(&prefix))
                .collect();
            let all = || pods.iter().map(String::as_str).collect();
            let selected: Vec<&str> = if own.is_empty() { all() } else { own };
            reading::pods(state.as_deref(), namespace, &metric.metric, now, &selected).err()
        } else {
            reading::object(state.as_deref(), metric.answer_namespace(), &metric.metric, now).err()
        }
    }

    /// The one metric that is meant.
    fn identify(
        &self,
        path: &MetricPath,
        selector: &LabelSelector,
    ) -> Result<Arc<ServedMetric>, StatusError> {
        let named = self.registry.find(&path.namespace, &path.metric, selector);
        let mut described = named.iter().filter(|metric| self.describes(metric, path));
        match (described.next(), described.next()) {
            (Some(metric), None) => Ok(metric.clone()),
            (Some(first), Some(second)) => Err(StatusError::bad_request(format!(
                "metric {} is ambiguous in namespace {}: {} and {} have it; select one with \
                 metricLabelSelector={LABEL_SCALING}=NAME,{LABEL_WORKLOAD}=WORKLOAD",
                path.metric,
                path.namespace,
                owner(first),
                owner(second)
            ))),
            (None, _) => Err(StatusError::not_found(format!(
                "the server could not find the metric {} for {} {} in namespace {}{}",
                path.metric,
                path.resource,
                path.name,
                path.namespace,
                named.first().map(|metric| self.hint(metric)).unwrap_or_default()
            ))),
        }
    }

    fn describes(&self, metric: &ServedMetric, path: &MetricPath) -> bool {
        if metric.describes_pods() {
            path.resource == PODS
        } else {
            path.name == metric.target.name && path.resource == self.resource_names.of(&metric.target)
        }
    }

    /// What a metric that was asked of the wrong object does describe.
    fn hint(&self, metric: &ServedMetric) -> String {
        if metric.describes_pods() {
            return format!("; {} describes pods", metric.describe());
        }
        let resource = self.resource_names.of(&metric.target);
        format!(
            "; {} describes {resource} {}",
            metric.describe(),
            metric.target.name
        )
    }

    fn state(&self, metric: &ServedMetric) -> Result<Option<Arc<PollState>>, String> {
        match &metric.shape {
            Ok(shape) => Ok(self.store.get(shape)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn read_object(
        &self,
        path: &MetricPath,
        metric: &ServedMetric,
        now: Duration,
    ) -> Result<Vec<(DescribedObject, Reading)>, String> {
        let state = self.state(metric)?;
        let reading = reading::object(state.as_deref(), metric.answer_namespace(), &metric.metric, now)
            .map_err(|missing| missing.to_string())?;
        let ScaleTargetRef {
            api_version,
            kind,
            name,
        } = metric.target.clone();
        let namespace = path.namespace.clone();
        Ok(vec![(
            DescribedObject {
                api_version,
                kind,
                namespace,
                name,
            },
            reading,
        )])
    }

    fn read_pods(
        &self,
        path: &MetricPath,
        selector: &LabelSelector,
        metric: &ServedMetric,
        now: Duration,
    ) -> Result<Vec<(DescribedObject, Reading)>, String> {
        let namespace = &path.namespace;
        let mut selected = self.pods.select(namespace, selector);
        if path.name != ALL {
            selected.retain(|name| *name == path.name);
        }
        let selected: Vec<&str> = selected.iter().map(String::as_str).collect();
        let state = self.state(metric)?;
        let readings = reading::pods(state.as_deref(), namespace, &metric.metric, now, &selected)
            .map_err(|missing| missing.to_string())?;
        let object = |name: &str| DescribedObject {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: namespace.clone(),
            name: name.to_owned(),
        };
        Ok(readings
            .into_iter()
            .map(|(name, reading)| (object(name), reading))
            .collect())
    }
}

fn parse(parameter: &str, text: &str) -> Result<LabelSelector, StatusError> {
    text.parse()
        .map_err(|error| StatusError::bad_request(format!("{parameter}: {error}")))
}

fn owner(metric: &ServedMetric) -> String {
    format!("{}/{}", metric.key.name, metric.workload)
}

fn unavailable(metric: &ServedMetric, why: &str) -> StatusError {
    StatusError::unavailable(format!("{}: {why}", metric.describe()))
}

fn value(metric: &ServedMetric, object: DescribedObject, reading: Reading, now: Timestamp) -> MetricValue {
    let window = match &metric.metric.series {
        Series::RequestRate { window, .. } => Some(*window),
        Series::Gauge { .. } | Series::Query { .. } => None,
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
