//! The types that users write, and the constants that name things in a cluster.
//!
//! Owns: the `VoiceAssistScaling` resource (serde and schema), the slice of the VPA type that vas
//! writes, and every well-known string (group, field managers, labels, condition types and reasons).
//! Must not: hold logic. Merging, validation and defaults live in `vas_core`.

#![allow(
    unreachable_pub,
    reason = "the derive macro of kube repeats each type inside a function"
)]
pub mod condition;
pub mod schema;
pub mod v1alpha1;
pub mod vpa;

/// API group of the resource, and prefix of every label and annotation vas writes.
pub const GROUP: &str = "scaling.voiceassist.io";
/// Field manager of the operator on the children. Renaming it orphans fields on live objects.
pub const FIELD_MANAGER: &str = "vas-operator";
/// Field manager of the operator on the status of a `VoiceAssistScaling`.
pub const FIELD_MANAGER_STATUS: &str = "vas-operator-status";
/// Field manager of the metrics server, which owns one condition and its `caBundle`s.
pub const FIELD_MANAGER_METRICS: &str = "vas-metrics-server";

/// Value of `app.kubernetes.io/managed-by` on every child; the owned watches select on it.
pub const MANAGED_BY: &str = "vas-operator";
/// Standard label: who manages the object.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Standard label: the name of the application; always [`APP_NAME`].
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// Value of `app.kubernetes.io/name` on every child.
pub const APP_NAME: &str = "voiceassist-scaling";
/// Standard label: the instance; the name of the `VoiceAssistScaling`.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";

/// Metric selector label and child label: the name of the `VoiceAssistScaling` that owns a metric.
pub const LABEL_SCALING: &str = "scaling.voiceassist.io/name";
/// Metric selector label and child label: the workload inside that `VoiceAssistScaling`.
pub const LABEL_WORKLOAD: &str = "scaling.voiceassist.io/workload";

/// The group of metrics that describe Kubernetes objects; `vas metrics-server` serves it.
pub const CUSTOM_METRICS_GROUP: &str = "custom.metrics.k8s.io";
/// The group of metrics that describe no Kubernetes object; `vas metrics-server` serves it unless told not to.
pub const EXTERNAL_METRICS_GROUP: &str = "external.metrics.k8s.io";
/// A kind of metric that discovery lists in each version of both groups. No other adapter has one of this name, so
/// `vas register` tells by it whose answer it got.
pub const DISCOVERED_METRIC: &str = "prometheus";
/// Lease held by the one operator replica that writes.
pub const OPERATOR_LEASE: &str = "vas-operator";
/// Lease held by the one metrics-server replica that writes the `MetricsAvailable` condition.
pub const METRICS_SERVER_LEASE: &str = "vas-metrics-server";
/// Service in front of the metrics server, named by its APIServices.
pub const METRICS_SERVER_SERVICE: &str = "vas-metrics-server";
