//! The validated form of a `VoiceAssistScaling` in its active environment: types that cannot hold a wrong
//! value.
//!
//! Only [`crate::spec::rules`] makes these values. All later code (children, queries, status) takes
//! them and checks nothing again. A quantity stays in the user's own spelling, because the child object
//! carries it.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::{api::resource::Quantity, util::intstr::IntOrString};

use crate::{
    k8s::resource_ref::ResourceRef,
    schedule::{Bounds, Schedules},
};
use vas_api::v1alpha1::{
    Aggregation, LimitRangeLimits, MatchExpression, OnMissing, PolicyType, ResourceName, ResourceQuotaLimits,
    ScaleTargetRef, SelectPolicy, UnhealthyPodEvictionPolicy, UpdateMode, VerticalContainer,
};

/// Identity of a `VoiceAssistScaling`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScalingKey {
    /// Namespace of the resource and of everything it owns.
    pub namespace: String,
    /// Name of the resource, at most 63 characters.
    pub name: String,
}

/// A resource in its active environment, all rules checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Namespace and name of the resource.
    pub key: ScalingKey,
    /// Name of the active environment; `None` for the base values alone.
    pub environment: Option<String>,
    /// The workloads that obey the rules, in the order of the spec.
    pub workloads: Vec<Workload>,
    /// Namespace-wide limits; `None` if there are none or they are switched off.
    pub limits: Option<Limits>,
}

/// One workload of the resource: the scale target and what is written for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Name, unique in the resource.
    pub name: String,
    /// The scale target: the object whose replicas change.
    pub target: ScaleTargetRef,
    /// Smallest and largest number of replicas while no entry of the schedule is active; 0 for a workload without an
    /// HPA. The largest is at least 1 otherwise.
    pub base: Bounds,
    /// The enabled entries of the schedule. Each leaves the bounds in order.
    pub schedules: Schedules,
    /// Whether scaling is suspended, by the workload's or the resource's `suspend`.
    pub suspended: bool,
    /// Enabled metrics in the order of the spec. A workload without metrics has no HPA
    /// ([`Workload::has_hpa`]).
    pub metrics: Vec<Metric>,
    /// Behaviour with every default filled in.
    pub behavior: Behavior,
    /// Vertical sizing; `None` if there is none or it is switched off.
    pub vertical: Option<Vertical>,
    /// Disruption budget; `None` if there is none or it is switched off.
    pub disruption: Option<Disruption>,
}

/// One enabled metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Name, unique in the workload.
    pub name: String,
    /// The API that serves the metric, and its target.
    pub source: Source,
}

/// The API that serves a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Pod CPU or memory from metrics.k8s.io.
    Resource {
        /// CPU or memory.
        name: ResourceName,
        /// The target that the HPA keeps the usage at.
        target: ResourceTarget,
    },
    /// One container's CPU or memory from metrics.k8s.io.
    ContainerResource {
        /// CPU or memory.
        name: ResourceName,
        /// Name of the container.
        container: String,
        /// The target that the HPA keeps the usage at.
        target: ResourceTarget,
    },
    /// A metric from Prometheus, served by the metrics server.
    Prometheus(PrometheusMetric),
}

/// Target of a resource metric.
#[derive(Clone, Debug, PartialEq)]
pub enum ResourceTarget {
    /// Percent of requests, averaged over the pods.
    AverageUtilization(i32),
    /// Amount per pod.
    AverageValue(Quantity),
}

/// A metric that the metrics server reads from Prometheus.
#[derive(Clone, Debug, PartialEq)]
pub struct PrometheusMetric {
    /// The series or query to read.
    pub series: Series,
    /// Whether the HPA reads the metric through external.metrics.k8s.io. Always false for a metric of pods.
    pub external: bool,
    /// The target that the HPA keeps the metric at.
    pub target: ObjectTarget,
    /// What the metrics server answers while there is no data.
    pub on_missing: OnMissing,
    /// Age beyond which a sample counts as missing.
    pub max_age: Duration,
    /// Name of the Prometheus server to query; `default` unless the spec names one.
    pub server: String,
}

/// The type of HPA metric that a metric from Prometheus becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricType {
    /// One number for each pod.
    Pods,
    /// One number that describes the scale target, and its namespace.
    Object,
    /// One number that describes no Kubernetes object.
    External,
}

/// Target of a metric from Prometheus. A metric of pods always has `AverageValue`.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectTarget {
    /// The HPA keeps the metric itself at this value.
    Value(Quantity),
    /// The HPA keeps the metric divided by the replicas at this value.
    AverageValue(Quantity),
}

/// The series or query that is read from Prometheus.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Per-second rate of a counter, by pod.
    RequestRate {
        /// Name of the counter, such as `http_requests_total`.
        counter: String,
        /// Equality matchers, as label and value.
        match_labels: BTreeMap<String, String>,
        /// Other matchers, in a canonical order.
        match_expressions: Vec<MatchExpression>,
        /// Time range of the rate, `[1m]` in PromQL.
        window: Duration,
    },
    /// A gauge of the namespace, aggregated to one number. Queue age is a gauge with `Max`.
    Gauge {
        /// Name of the gauge.
        gauge: String,
        /// Equality matchers, as label and value.
        match_labels: BTreeMap<String, String>,
        /// How several series become one.
        aggregation: Aggregation,
    },
    /// A gauge, by pod.
    PodGauge {
        /// Name of the gauge.
        gauge: String,
        /// Equality matchers, as label and value.
        match_labels: BTreeMap<String, String>,
        /// How several series of a pod become one.
        aggregation: Aggregation,
    },
    /// The author's own query for one number by pod, already known to parse.
    PodQuery {
        /// PromQL as written; the namespace matcher is added when the query is planned.
        query: String,
    },
    /// The author's own query, already known to parse.
    Query {
        /// PromQL as written; the namespace matcher is added when the query is planned.
        query: String,
    },
}

/// HPA behaviour, every field set.
#[derive(Clone, Debug, PartialEq)]
pub struct Behavior {
    /// Rules for adding replicas.
    pub scale_up: ScalingRules,
    /// Rules for removing replicas.
    pub scale_down: ScalingRules,
}

/// Rules for one direction. Every field is set but the tolerance, which defaults to the cluster's.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalingRules {
    /// Length of the stabilization window in seconds.
    pub stabilization_window_seconds: i32,
    /// Limits on the change per period; at least one.
    pub policies: Vec<ScalingPolicy>,
    /// Which of the policies counts.
    pub select_policy: SelectPolicy,
    /// Deviation from the target that is ignored, as a fraction: `100m` is 10 %.
    pub tolerance: Option<Quantity>,
}

/// One limit on the change per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingPolicy {
    /// Whether `value` counts pods or percent.
    pub type_: PolicyType,
    /// Largest change in pods or percent.
    pub value: i32,
    /// Period in seconds.
    pub period_seconds: i32,
}

/// Vertical sizing: what the workload's VPA does.
#[derive(Clone, Debug, PartialEq)]
pub struct Vertical {
    /// Mode as in the spec. The VPA of a suspended workload has mode `Off` whatever this says.
    pub update_mode: UpdateMode,
    /// Number of live replicas below which the VPA evicts no pod.
    pub min_replicas: Option<i32>,
    /// Bounds per container.
    pub containers: Vec<VerticalContainer>,
}

/// The workload's PodDisruptionBudget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disruption {
    /// How many pods may be unavailable.
    pub bound: DisruptionBound,
    /// Which pods that are not Ready may be evicted.
    pub unhealthy_pods: UnhealthyPodEvictionPolicy,
}

/// The bound of a disruption budget. Exactly one of the two is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisruptionBound {
    /// Pods that must stay available, as a count or a percentage.
    MinAvailable(IntOrString),
    /// Pods that may be unavailable, as a count or a percentage.
    MaxUnavailable(IntOrString),
}

/// Limits of the whole namespace: its LimitRange and its ResourceQuota.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Defaults and bounds of each container.
    pub limit_range: Option<LimitRangeLimits>,
    /// Totals of the namespace.
    pub resource_quota: Option<ResourceQuotaLimits>,
}

impl ScalingKey {
    /// The key of a stored resource.
    #[must_use]
    pub fn of(resource: &ResourceRef) -> Self {
        Self {
            namespace: resource.namespace.clone(),
            name: resource.name.clone(),
        }
    }

    /// Name of the children of a workload.
    #[must_use]
    pub fn child_name(&self, workload: &str) -> String {
        child_name(&self.name, workload)
    }
}

/// Name of the children of a workload: `RESOURCE-WORKLOAD`.
#[must_use]
pub fn child_name(resource: &str, workload: &str) -> String {
    format!("{resource}-{workload}")
}

impl PrometheusMetric {
    /// The type of HPA metric that this metric becomes.
    #[must_use]
    pub fn metric_type(&self) -> MetricType {
        match self.series {
            Series::RequestRate { .. } | Series::PodGauge { .. } | Series::PodQuery { .. } => {
                MetricType::Pods
            }
            Series::Gauge { .. } | Series::Query { .. } if self.external => MetricType::External,
            Series::Gauge { .. } | Series::Query { .. } => MetricType::Object,
        }
    }
}

impl Workload {
    /// Whether an HPA scales the workload. A workload without an HPA has a VPA, a PodDisruptionBudget or
    /// both.
    #[must_use]
    pub fn has_hpa(&self) -> bool {
        !self.metrics.is_empty()
    }

    /// The bounds that the HPA has at a moment. Those of a suspended workload are the widest, so that no boundary of the
    /// schedule moves replicas that somebody holds.
    #[must_use]
    pub fn bounds_at(&self, now: Timestamp) -> Bounds {
        if self.suspended {
            self.widest()
        } else {
            self.schedules.bounds(self.base, now)
        }
    }

    /// The lowest minimum and the highest maximum that the workload ever has.
    #[must_use]
    pub fn widest(&self) -> Bounds {
        self.base.widest(self.schedules.entries())
    }

    /// The metrics that the metrics server must serve for this workload, with their names.
    pub fn prometheus_metrics(&self) -> impl Iterator<Item = (&str, &PrometheusMetric)> {
        self.metrics.iter().filter_map(|metric| match &metric.source {
            Source::Prometheus(prometheus) => Some((metric.name.as_str(), prometheus)),
            Source::Resource { .. } | Source::ContainerResource { .. } => None,
        })
    }
}

impl std::fmt::Display for ScalingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
