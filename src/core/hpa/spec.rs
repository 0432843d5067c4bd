//! Reads an HPA object, and fills in the defaults that the API server and the controller fill in.

use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec, MetricTarget};

use super::{
    conditions::Reason,
    controller::{Controller, Direction},
    milli::{Milli, milli},
    policy::Rules,
};

/// The fields of a HorizontalPodAutoscaler that its decisions depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Hpa {
    /// `minReplicas`, 1 by default.
    pub min: i32,
    /// The largest number of replicas (`maxReplicas`).
    pub max: i32,
    /// Metrics in the order of `spec.metrics`; 80 % of the requested CPU if the object has none.
    pub metrics: Vec<Result<Metric, RefusedMetric>>,
    /// `behavior`; without it the controller uses older rules, see [`super::step()`].
    pub behavior: Option<Behavior>,
}

/// Scaling rules of both directions. If the object sets one direction, the other one gets its defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Behavior {
    /// Rules for adding replicas.
    pub up: Rules,
    /// Rules for removing replicas.
    pub down: Rules,
}

/// One metric of an HPA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// What the metric describes.
    pub source: Source,
    /// The target that the controller keeps the value at.
    pub target: Target,
}

/// A metric that the controller refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct RefusedMetric {
    /// The reason of the condition `ScalingActive`.
    pub reason: Reason,
    words: String,
}

/// What a metric describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A resource, summed over all containers of each pod.
    Resource {
        /// `cpu` or `memory`.
        resource: String,
    },
    /// A resource of one container of each pod.
    ContainerResource {
        /// `cpu` or `memory`.
        resource: String,
        /// Name of the container.
        container: String,
    },
    /// Each pod of the target, with a custom metric.
    Pods,
    /// One object of the cluster, with a custom metric.
    Object,
    /// Something outside the cluster, with an external metric.
    External,
}

/// The target of a metric. Amounts are in milli-units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Percent of the requests.
    Utilization(i32),
    /// An amount per pod.
    AverageValue(Milli),
    /// An amount for all pods together.
    Value(Milli),
}

impl Hpa {
    /// Reads an HPA object. A metric that the controller refuses is an error here too.
    pub fn read(object: &HorizontalPodAutoscaler, controller: &Controller) -> Self {
        let spec = &object.spec;
        let metrics = spec.metrics.iter().flatten();
        let mut metrics: Vec<_> = metrics.map(metric).collect();
        if metrics.is_empty() {
            metrics.push(Ok(Metric::of_requested_cpu()));
        }
        let behavior = spec.behavior.as_ref().map(|behavior| Behavior {
            up: Rules::read(behavior.scale_up.as_ref(), Direction::Up, controller),
            down: Rules::read(behavior.scale_down.as_ref(), Direction::Down, controller),
        });
        // The API server defaults `behavior` (SetDefaults_HorizontalPodAutoscalerBehavior) only where the
        // object has one. So `None` is a rule of its own, not the default rules.
        Self {
            min: spec.min_replicas.unwrap_or(1),
            max: spec.max_replicas,
            metrics,
            behavior,
        }
    }

    /// Whether the ratio of a value to its target is so close to 1 that the controller does nothing
    /// (`Tolerances.isWithin`).
    pub(super) fn tolerates(&self, controller: &Controller, ratio: f64) -> bool {
        let tolerance = |rules: fn(&Behavior) -> &Rules| {
            let rules = self.behavior.as_ref().map(rules);
            rules
                .and_then(|rules| rules.tolerance)
                .unwrap_or(controller.tolerance)
        };
        let down = tolerance(|behavior| &behavior.down);
        let up = tolerance(|behavior| &behavior.up);
        // Keep this form: `(1.0 - ratio).abs() <= 0.1` is false for the ratio 1.1, this comparison is true.
        (1.0 - down) <= ratio && ratio <= (1.0 + up)
    }

    /// Whether the ratio of a value to its target makes the controller scale up: 1.1 is within the default tolerance.
    #[must_use]
    pub fn scales_up_at(&self, controller: &Controller, ratio: f64) -> bool {
        ratio > 1.0 && !self.tolerates(controller, ratio)
    }

    /// Whether some metric is an Object or External metric (`hasObjectOrExternalMetrics`). With zero
    /// replicas, only these can have a value.
    pub(super) fn has_object_or_external(&self) -> bool {
        self.metrics
            .iter()
            .flatten()
            .any(|metric| matches!(metric.source, Source::Object | Source::External))
    }
}

impl Metric {
    /// The metric of an object without any, as the API server fills it in.
    fn of_requested_cpu() -> Self {
        let resource = "cpu".to_owned();
        Self {
            source: Source::Resource { resource },
            target: Target::Utilization(80),
        }
    }
}

impl Source {
    /// The reason of the condition `ScalingActive` if the metric has no value.
    pub(super) fn failure(&self) -> Reason {
        match self {
            Self::Resource { .. } => Reason::FailedGetResourceMetric,
            Self::ContainerResource { .. } => Reason::FailedGetContainerResourceMetric,
            Self::Pods => Reason::FailedGetPodsMetric,
            Self::Object => Reason::FailedGetObjectMetric,
            Self::External => Reason::FailedGetExternalMetric,
        }
    }
}

/// Reads one metric. `target.type` counts for Object metrics alone (`computeStatusForObjectMetric`). For the
/// other types the controller takes the field that is set, `averageValue` first.
fn metric(spec: &MetricSpec) -> Result<Metric, RefusedMetric> {
    let refused = |reason, words| RefusedMetric { reason, words };
    let unknown = || {
        let words = format!("unknown metric source type {:?}", spec.type_);
        refused(Reason::InvalidMetricSourceType, words)
    };
    let (source, target) = match spec.type_.as_str() {
        "Resource" => {
            let metric = spec.resource.as_ref().ok_or_else(unknown)?;
            let resource = metric.name.clone();
            (Source::Resource { resource }, resource_target(&metric.target))
        }
        "ContainerResource" => {
            let metric = spec.container_resource.as_ref().ok_or_else(unknown)?;
            let (resource, container) = (metric.name.clone(), metric.container.clone());
            (
                Source::ContainerResource { resource, container },
                resource_target(&metric.target),
            )
        }
        "Pods" => {
            let metric = spec.pods.as_ref().ok_or_else(unknown)?;
            (Source::Pods, average(&metric.target))
        }
        "Object" => {
            let target = &spec.object.as_ref().ok_or_else(unknown)?.target;
            let target = match target.type_.as_str() {
                "Value" => value(target),
                "AverageValue" => average(target),
                _ => None,
            };
            (Source::Object, target)
        }
        "External" => {
            let target = &spec.external.as_ref().ok_or_else(unknown)?.target;
            // computeStatusForExternalMetric
            (Source::External, average(target).or_else(|| value(target)))
        }
        _ => return Err(unknown()),
    };
    let target = target.ok_or_else(|| {
        let words = format!("the {} metric has no usable target", spec.type_);
        refused(source.failure(), words)
    })?;
    Ok(Metric { source, target })
}

/// The target of a Resource or ContainerResource metric (`computeStatusForResourceMetricGeneric`).
fn resource_target(target: &MetricTarget) -> Option<Target> {
    average(target).or(target.average_utilization.map(Target::Utilization))
}

fn average(target: &MetricTarget) -> Option<Target> {
    target
        .average_value
        .as_ref()
        .and_then(milli)
        .map(Target::AverageValue)
}

fn value(target: &MetricTarget) -> Option<Target> {
    target.value.as_ref().and_then(milli).map(Target::Value)
}
