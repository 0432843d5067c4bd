//! The validated form of a `VoiceAssistScaling` in its active environment: types that cannot be wrong.
//!
//! Made by [`crate::core::spec::rules`] alone; everything behind it (children, queries, status) takes these
//! and checks nothing again. Quantities are kept twice where the child object must carry the user's own
//! spelling.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::apimachinery::pkg::{api::resource::Quantity, util::intstr::IntOrString};

use crate::api::v1alpha1::{
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
    /// Which resource.
    pub key: ScalingKey,
    /// The active environment; `None` means the base values alone.
    pub environment: Option<String>,
    /// The workloads that obey the rules, in the order of the spec.
    pub workloads: Vec<Workload>,
    /// Namespace-wide limits, where asked for and switched on.
    pub limits: Option<Limits>,
}

/// One workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Name, unique in the resource.
    pub name: String,
    /// What is scaled.
    pub target: ScaleTargetRef,
    /// Fewest replicas; 0 where there is no HPA.
    pub min_replicas: i32,
    /// Most replicas, at least `min_replicas` and 1; 0 where there is no HPA.
    pub max_replicas: i32,
    /// Frozen, by the workload's or the resource's `suspend`.
    pub suspended: bool,
    /// Enabled metrics in the order of the spec. Without any there is no HPA ([`Workload::has_hpa`]).
    pub metrics: Vec<Metric>,
    /// Behaviour with every default filled in.
    pub behavior: Behavior,
    /// Vertical sizing, where asked for and switched on.
    pub vertical: Option<Vertical>,
    /// Disruption budget, where asked for and switched on.
    pub disruption: Option<Disruption>,
}

/// One enabled metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Name, unique in the workload.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where a metric comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Pod CPU or memory from metrics.k8s.io.
    Resource {
        /// Which resource.
        name: ResourceName,
        /// Level to keep.
        target: ResourceTarget,
    },
    /// One container's CPU or memory from metrics.k8s.io.
    ContainerResource {
        /// Which resource.
        name: ResourceName,
        /// Container name.
        container: String,
        /// Level to keep.
        target: ResourceTarget,
    },
    /// Served by the metrics server from Prometheus.
    Prometheus(PrometheusMetric),
}

/// Level of a resource metric.
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
    /// What is read.
    pub series: Series,
    /// Read through external.metrics.k8s.io, and nowhere else. Never true of a metric of pods.
    pub external: bool,
    /// Level to keep.
    pub target: ObjectTarget,
    /// What no data means.
    pub on_missing: OnMissing,
    /// Age beyond which a sample counts as missing.
    pub max_age: Duration,
    /// Name of the Prometheus to ask; `default` unless the spec names one.
    pub server: String,
}

/// Which HPA metric a metric from Prometheus becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricType {
    /// One number for each pod.
    Pods,
    /// One number that describes the scale target, and its namespace.
    Object,
    /// One number that describes no Kubernetes object.
    External,
}

/// Level of a metric from Prometheus. A metric of pods always has `AverageValue`.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectTarget {
    /// The metric itself is kept at this level.
    Value(Quantity),
    /// The metric divided by the replicas is kept at this level.
    AverageValue(Quantity),
}

/// What is read from Prometheus.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Per-second rate of a counter, by pod.
    RequestRate {
        /// Counter name.
        counter: String,
        /// Equality matchers.
        match_labels: BTreeMap<String, String>,
        /// Other matchers, in a canonical order.
        match_expressions: Vec<MatchExpression>,
        /// Rate window.
        window: Duration,
    },
    /// A gauge of the namespace, aggregated to one number. Queue age is a gauge with `Max`.
    Gauge {
        /// Gauge name.
        gauge: String,
        /// Equality matchers.
        match_labels: BTreeMap<String, String>,
        /// How several series become one.
        aggregation: Aggregation,
    },
    /// A gauge, by pod.
    PodGauge {
        /// Gauge name.
        gauge: String,
        /// Equality matchers.
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

/// Rules for one direction, every field set but the tolerance (unset means the cluster's).
#[derive(Clone, Debug, PartialEq)]
pub struct ScalingRules {
    /// Look-back in seconds.
    pub stabilization_window_seconds: i32,
    /// Limits per period; at least one.
    pub policies: Vec<ScalingPolicy>,
    /// Which policy counts.
    pub select_policy: SelectPolicy,
    /// Deviation that is ignored, as a fraction.
    pub tolerance: Option<Quantity>,
}

/// One limit on the change per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingPolicy {
    /// Unit.
    pub type_: PolicyType,
    /// Amount in pods or percent.
    pub value: i32,
    /// Period in seconds.
    pub period_seconds: i32,
}

/// Vertical sizing.
#[derive(Clone, Debug, PartialEq)]
pub struct Vertical {
    /// Mode as written; a suspended workload is written as `Off` all the same.
    pub update_mode: UpdateMode,
    /// Fewest live replicas for an eviction.
    pub min_replicas: Option<i32>,
    /// Bounds per container.
    pub containers: Vec<VerticalContainer>,
}

/// Disruption budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disruption {
    /// How many pods may be away.
    pub bound: DisruptionBound,
    /// Which pods that are not Ready may be evicted.
    pub unhealthy_pods: UnhealthyPodEvictionPolicy,
}

/// The one bound that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisruptionBound {
    /// Pods that must stay.
    MinAvailable(IntOrString),
    /// Pods that may be away.
    MaxUnavailable(IntOrString),
}

/// Namespace-wide limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Container defaults and bounds.
    pub limit_range: Option<LimitRangeLimits>,
    /// Totals.
    pub resource_quota: Option<ResourceQuotaLimits>,
}

impl ScalingKey {
    /// Name of the children of a workload: `<cr>-<workload>`.
    #[must_use]
    pub fn child_name(&self, workload: &str) -> String {
        format!("{}-{workload}", self.name)
    }
}

impl PrometheusMetric {
    /// Which HPA metric it becomes.
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
    /// Whether an HPA scales it. Otherwise it has a VPA, a PodDisruptionBudget or both.
    #[must_use]
    pub fn has_hpa(&self) -> bool {
        !self.metrics.is_empty()
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
