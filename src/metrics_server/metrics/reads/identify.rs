//! Finds the one metric that a read means: by its name, by what it describes, and by the selector.

use std::sync::Arc;

use super::Memory;
use crate::{metrics::registry::ServedMetric, status_error::StatusError};
use vas_api::{CUSTOM_METRICS_GROUP, EXTERNAL_METRICS_GROUP, LABEL_SCALING, LABEL_WORKLOAD};
use vas_core::{k8s::label_selector::LabelSelector, spec::model::MetricType};

/// The resource name of pods in paths.
const PODS: &str = "pods";

/// A metric as a request describes it.
pub(super) struct Requested<'a> {
    /// Namespace of the resource that declares the metric.
    pub(super) namespace: &'a str,
    /// Name of the metric.
    pub(super) metric: &'a str,
    /// What the metric must describe.
    pub(super) subject: Subject<'a>,
}

/// What a metric describes.
pub(super) enum Subject<'a> {
    /// Pods, or another object in the namespace.
    Object {
        /// `pods`, or `RESOURCE.GROUP`.
        resource: &'a str,
        /// Name of one object; `*` for all that the label selector selects.
        name: &'a str,
    },
    /// The namespace itself.
    Namespace,
    /// No Kubernetes object: the metric is external.
    External,
}

impl Memory {
    /// The one metric that a request means.
    ///
    /// # Errors
    /// 400 if there are several, 404 if there is none.
    pub(super) fn identify(
        &self,
        requested: &Requested<'_>,
        selector: &LabelSelector,
    ) -> Result<Arc<ServedMetric>, StatusError> {
        let named = self
            .registry
            .find(requested.namespace, requested.metric, selector);
        let mut meant = named
            .iter()
            .filter(|metric| self.is_meant(metric, &requested.subject));
        match (meant.next(), meant.next()) {
            (Some(metric), None) => Ok(metric.clone()),
            (Some(first), Some(second)) => Err(StatusError::bad_request(format!(
                "metric {} is ambiguous in namespace {}: {} and {} have it; select one with \
                 {}={LABEL_SCALING}=NAME,{LABEL_WORKLOAD}=WORKLOAD",
                requested.metric,
                requested.namespace,
                owner(first),
                owner(second),
                requested.subject.selector()
            ))),
            (None, _) => Err(StatusError::not_found(format!(
                "the server could not find the metric {} for {}{}",
                requested.metric,
                requested.subject.describe(requested.namespace),
                named.first().map(|metric| self.hint(metric)).unwrap_or_default()
            ))),
        }
    }

    fn is_meant(&self, metric: &ServedMetric, subject: &Subject<'_>) -> bool {
        match (metric.metric.metric_type(), subject) {
            (MetricType::Pods, Subject::Object { resource, .. }) => *resource == PODS,
            (MetricType::Object, Subject::Object { resource, name }) => {
                *name == metric.target.name && *resource == self.resource_names.of(&metric.target)
            }
            (MetricType::Object, Subject::Namespace) | (MetricType::External, Subject::External) => true,
            (MetricType::Pods, Subject::Namespace | Subject::External)
            | (MetricType::Object, Subject::External)
            | (MetricType::External, Subject::Object { .. } | Subject::Namespace) => false,
        }
    }

    /// Tells a client that read a metric in the wrong place where to find it.
    fn hint(&self, metric: &ServedMetric) -> String {
        let place = match metric.metric.metric_type() {
            MetricType::Pods => format!("describes pods, in {CUSTOM_METRICS_GROUP}"),
            MetricType::Object => format!(
                "describes {} {} and the namespace, in {CUSTOM_METRICS_GROUP}",
                self.resource_names.of(&metric.target),
                metric.target.name
            ),
            MetricType::External => format!("is in {EXTERNAL_METRICS_GROUP}"),
        };
        format!("; {} {place}", metric.describe())
    }
}

impl Subject<'_> {
    /// The query parameter that selects the metric.
    fn selector(&self) -> &'static str {
        match self {
            Self::Object { .. } | Self::Namespace => "metricLabelSelector",
            Self::External => "labelSelector",
        }
    }

    fn describe(&self, namespace: &str) -> String {
        match self {
            Self::Object { resource, name } => format!("{resource} {name} in namespace {namespace}"),
            Self::Namespace => format!("namespaces {namespace}"),
            Self::External => format!("{EXTERNAL_METRICS_GROUP} in namespace {namespace}"),
        }
    }
}

fn owner(metric: &ServedMetric) -> String {
    format!("{}/{}", metric.key.name, metric.workload)
}
