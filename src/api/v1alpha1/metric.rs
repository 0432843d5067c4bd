//! What a workload scales on: resource metrics and the metrics read from Prometheus.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::schema;

/// Exactly one of `resource`, `containerResource`, `requestRate`, `podGauge`, `queueDepth`, `queueAge` and
/// `prometheus` says where a metric comes from.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::ONE_SOURCE)
        .message("a metric has exactly one of resource, containerResource, requestRate, podGauge, queueDepth, queueAge and prometheus; split it into several entries"),
    validation = Rule::new(rules::PROMETHEUS_FIELDS)
        .message("onMissing, maxAge and prometheusServer apply to metrics from Prometheus, not to resource and containerResource"),
    validation = Rule::new(rules::MAX_AGE)
        .message("maxAge must be more than 0s and at most 1h")
        .field_path(".maxAge"),
    validation = Rule::new(rules::EXTERNAL)
        .message("external applies to queueDepth, queueAge and prometheus, which are one number; resource, containerResource, requestRate and podGauge describe pods; remove it")
        .field_path(".external")
)]
pub struct Metric {
    /// Name of the metric, unique in the workload; it is the HPA's metric name for everything that
    /// comes from Prometheus.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = schema::NAME_PATTERN)
    )]
    pub name: String,
    /// `false` takes the metric out of the HPA. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// CPU or memory of the whole pod, from metrics.k8s.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Box<ResourceSource>>,
    /// CPU or memory of one container, from metrics.k8s.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_resource: Option<Box<ContainerResourceSource>>,
    /// Requests per second per pod, from a counter that each pod exports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_rate: Option<Box<RequestRateSource>>,
    /// One number for each pod, from a gauge that each pod exports or from a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_gauge: Option<Box<PodGaugeSource>>,
    /// Jobs waiting in a queue, from a gauge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_depth: Option<Box<QueueDepthSource>>,
    /// Age in seconds of the oldest waiting job, from a gauge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_age: Option<Box<QueueAgeSource>>,
    /// Any PromQL query with one series, for what the other sources cannot express.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<Box<PrometheusSource>>,
    /// How the metric counts while Prometheus has no data for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_missing: Option<OnMissing>,
    /// Age beyond which a sample counts as missing, for example `2m` (default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 2, max = 16),
        regex(pattern = schema::DURATION_PATTERN)
    )]
    pub max_age: Option<String>,
    /// Which Prometheus to ask: a name from the metrics server's configuration, never a URL. Default
    /// `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = schema::NAME_PATTERN)
    )]
    pub prometheus_server: Option<String>,
    /// `true` makes it an External metric of the HPA, served by external.metrics.k8s.io and no longer by
    /// custom.metrics.k8s.io. For `queueDepth`, `queueAge` and `prometheus`. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<bool>,
}

/// How the metric counts while Prometheus has no data for it. `Hold` (default): as an error to the HPA, which
/// then does not scale down. `Zero`: as zero, but only after Prometheus has answered without error and
/// without series for as long as `maxAge`. With `Hold`, an empty queue whose series disappears keeps the
/// workload at its replicas.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum OnMissing {
    /// An error: the HPA holds.
    #[default]
    Hold,
    /// Zero, once Prometheus has answered cleanly and without series for as long as `maxAge`.
    Zero,
}

/// A compute resource.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum ResourceName {
    /// CPU, in cores.
    Cpu,
    /// Memory, in bytes.
    Memory,
}

/// A pod's resource usage against a target.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSource {
    /// `cpu` or `memory`.
    pub name: ResourceName,
    /// The level to keep.
    pub target: ResourceTarget,
}

/// One container's resource usage against a target.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContainerResourceSource {
    /// `cpu` or `memory`.
    pub name: ResourceName,
    /// Name of the container in the pods.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::NAME_PATTERN))]
    pub container: String,
    /// The level to keep.
    pub target: ResourceTarget,
}

/// Target of a resource metric: exactly one field.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.averageUtilization) != has(self.averageValue)")
        .message("exactly one of averageUtilization and averageValue is needed"),
    validation = Rule::new(rules::AVERAGE_VALUE_POSITIVE)
        .message("a target must be greater than zero: the HPA divides by it")
        .field_path(".averageValue")
)]
pub struct ResourceTarget {
    /// Percent of the pods' requests, averaged over the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub average_utilization: Option<i32>,
    /// Amount per pod, for example `500m` or `1Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub average_value: Option<Quantity>,
}

/// A counter with at least one series per pod, read as `sum by (pod) (rate(...))` and served as a Pods
/// metric.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::MATCH_LABELS)
        .message("matchLabels takes Prometheus label names; the namespace label is matched by vas itself, names with __ belong to Prometheus")
        .field_path(".matchLabels"),
    validation = Rule::new(rules::WINDOW)
        .message("window must be more than 0s and at most 1h")
        .field_path(".window")
)]
pub struct RequestRateSource {
    /// Name of the counter, for example `voiceassist_http_requests_total`.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::METRIC_PATTERN))]
    pub counter: String,
    /// Further labels the series must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::match_labels")]
    pub match_labels: Option<BTreeMap<String, String>>,
    /// Further conditions on labels, all of which the series must meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4))]
    pub match_expressions: Option<Vec<MatchExpression>>,
    /// Window of the rate, for example `1m` (default). At least twice the scrape interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 2, max = 16),
        regex(pattern = schema::DURATION_PATTERN)
    )]
    pub window: Option<String>,
    /// Requests per second that one pod should carry.
    pub target: PodsTarget,
}

/// A condition on one label.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::MATCH_EXPRESSION)
        .message("the namespace label is matched by vas itself, names with __ belong to Prometheus, and Matches and NotMatches take one value")
)]
pub struct MatchExpression {
    /// Name of the label.
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = schema::LABEL_NAME_PATTERN)
    )]
    pub key: String,
    /// How the label is compared.
    pub operator: MatchOperator,
    /// What the label is compared with: values, or one regular expression.
    #[schemars(length(min = 1, max = 8), inner(length(max = 128)))]
    pub values: Vec<String>,
}

/// How a label is compared. `In` and `NotIn`: its value is, or is not, one of `values`. `Matches` and
/// `NotMatches`: its whole value matches, or does not match, the one regular expression (RE2) in `values`. A
/// series without the label has an empty value.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOperator {
    /// One of the values.
    In,
    /// None of the values.
    NotIn,
    /// The regular expression.
    Matches,
    /// Not the regular expression.
    NotMatches,
}

/// One number for each pod, served as a Pods metric: a gauge that each pod exports, or a query whose result
/// has one series for each pod, such as a ratio. Exactly one of `gauge` and `query`.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.gauge) != has(self.query)")
        .message("exactly one of gauge and query is needed"),
    validation = Rule::new("has(self.gauge) || !(has(self.matchLabels) || has(self.aggregation))")
        .message("matchLabels and aggregation go with gauge; write them into the query"),
    validation = Rule::new(rules::MATCH_LABELS)
        .message("matchLabels takes Prometheus label names; the namespace label is matched by vas itself, names with __ belong to Prometheus")
        .field_path(".matchLabels")
)]
pub struct PodGaugeSource {
    /// Name of the gauge, for example `voiceassist_requests_in_flight`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::METRIC_PATTERN))]
    pub gauge: Option<String>,
    /// Further labels the series must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::match_labels")]
    pub match_labels: Option<BTreeMap<String, String>>,
    /// How several series of one pod become one number. Default `Sum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<Aggregation>,
    /// A PromQL query with one series for each pod, for example
    /// `sum by (pod) (busy_workers) / sum by (pod) (workers)`. The namespace of the resource is put into
    /// every selector of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub query: Option<String>,
    /// Amount that one pod should have.
    pub target: PodsTarget,
}

/// Target of a metric that is averaged over the pods.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::AVERAGE_VALUE_POSITIVE)
        .message("a target must be greater than zero: the HPA divides by it")
        .field_path(".averageValue")
)]
pub struct PodsTarget {
    /// Amount per pod.
    #[schemars(schema_with = "schema::quantity")]
    pub average_value: Quantity,
}

/// A gauge that holds the number of waiting jobs, served as an Object metric on the scale target unless it is
/// `external`.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::MATCH_LABELS)
        .message("matchLabels takes Prometheus label names; the namespace label is matched by vas itself, names with __ belong to Prometheus")
        .field_path(".matchLabels")
)]
pub struct QueueDepthSource {
    /// Name of the gauge, for example `voiceassist_queue_depth`.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::METRIC_PATTERN))]
    pub gauge: String,
    /// Further labels the series must carry, for example the queue's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::match_labels")]
    pub match_labels: Option<BTreeMap<String, String>>,
    /// How several series become one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<Aggregation>,
    /// Jobs per pod (`averageValue`) or in total (`value`).
    pub target: ObjectTarget,
}

/// A gauge that holds the age of the oldest waiting job in seconds, served as an Object metric on the
/// scale target unless it is `external`. The largest series counts.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::MATCH_LABELS)
        .message("matchLabels takes Prometheus label names; the namespace label is matched by vas itself, names with __ belong to Prometheus")
        .field_path(".matchLabels")
)]
pub struct QueueAgeSource {
    /// Name of the gauge, for example `voiceassist_queue_oldest_job_age_seconds`.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::METRIC_PATTERN))]
    pub gauge: String,
    /// Further labels the series must carry, for example the queue's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::match_labels")]
    pub match_labels: Option<BTreeMap<String, String>>,
    /// Age in seconds to keep (`value`).
    pub target: ObjectTarget,
}

/// Any query with one series as its result, served as an Object metric on the scale target unless it is
/// `external`. The namespace of the resource is put into every selector of the query.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusSource {
    /// The PromQL query. Its result must be a scalar or exactly one series.
    #[schemars(length(min = 1, max = 4096))]
    pub query: String,
    /// The level to keep: in total (`value`) or per pod (`averageValue`).
    pub target: ObjectTarget,
}

/// How several series become one number. `Max`, the default of `queueDepth`, is right when every worker exports the
/// same queue's depth: a sum would multiply it by the replicas. `Sum`, the default of `podGauge`, is for series that
/// each hold a part.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum Aggregation {
    /// The largest of the values.
    #[default]
    Max,
    /// The sum of the values.
    Sum,
}

/// Target of a metric that describes one object: exactly one field.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.value) != has(self.averageValue)")
        .message("exactly one of value and averageValue is needed"),
    validation = Rule::new(rules::VALUE_POSITIVE)
        .message("a target must be greater than zero: the HPA divides by it")
        .field_path(".value"),
    validation = Rule::new(rules::AVERAGE_VALUE_POSITIVE)
        .message("a target must be greater than zero: the HPA divides by it")
        .field_path(".averageValue")
)]
pub struct ObjectTarget {
    /// The metric itself is kept at this level; replicas follow its ratio to the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub value: Option<Quantity>,
    /// The metric divided by the replicas is kept at this level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub average_value: Option<Quantity>,
}
