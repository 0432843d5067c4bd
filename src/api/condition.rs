//! Condition types and reasons. They are API: alerts and scripts match on them.

/// Summary of the other conditions: False if any of them is False, else Unknown if any is Unknown, else True.
pub const READY: &str = "Ready";
/// Every environment of the resource obeys the rules.
pub const SPEC_VALID: &str = "SpecValid";
/// The scale target exists and its `scale` subresource can be read.
pub const SCALE_TARGET_FOUND: &str = "ScaleTargetFound";
/// All children exist as planned.
pub const RESOURCES_APPLIED: &str = "ResourcesApplied";
/// The metrics server has a usable value for every Prometheus metric of the resource.
pub const METRICS_AVAILABLE: &str = "MetricsAvailable";
/// Copied from the HPA: the HPA could compute a proposal.
pub const SCALING_ACTIVE: &str = "ScalingActive";
/// Copied from the HPA: the HPA could read and write the scale subresource.
pub const ABLE_TO_SCALE: &str = "AbleToScale";
/// The quotas of the namespace leave room for `maxReplicas`. A warning only, never part of `Ready`.
pub const QUOTA_SUFFICIENT: &str = "QuotaSufficient";
/// False where the resource asks for limits, or has some, and the operator leaves them alone. A warning only, never part
/// of `Ready`.
pub const LIMITS_MANAGED: &str = "LimitsManaged";
/// Names the workloads that do not scale because somebody suspended them, until when and why. Present only
/// while a workload is suspended, and never part of `Ready`.
pub const SUSPENDED: &str = "Suspended";

/// Reasons of conditions, in PascalCase as the Kubernetes API conventions require.
pub mod reason {
    /// All conditions that count for `Ready` are True.
    pub const READY: &str = "Ready";
    /// The spec obeys every rule.
    pub const VALID: &str = "Valid";
    /// The spec breaks at least one rule.
    pub const INVALID: &str = "Invalid";
    /// The stored object does not parse as a `VoiceAssistScaling`.
    pub const MALFORMED: &str = "Malformed";
    /// The target exists.
    pub const FOUND: &str = "Found";
    /// The target, or its kind, does not exist (yet).
    pub const NOT_FOUND: &str = "NotFound";
    /// The operator may not read the target; the message names the missing RBAC rule.
    pub const FORBIDDEN: &str = "Forbidden";
    /// The target kind has no `scale` subresource.
    pub const NOT_SCALABLE: &str = "NotScalable";
    /// Everything planned was applied.
    pub const APPLIED: &str = "Applied";
    /// An object with the child's name exists and belongs to another owner.
    pub const OWNERSHIP_CONFLICT: &str = "OwnershipConflict";
    /// Another HPA, VPA, PDB or `VoiceAssistScaling` already manages the same pods.
    pub const TARGET_ALREADY_MANAGED: &str = "TargetAlreadyManaged";
    /// Another writer undoes the operator's writes to a child again and again.
    pub const CONTESTED: &str = "Contested";
    /// The API server refused a child.
    pub const APPLY_FAILED: &str = "ApplyFailed";
    /// The resource has `vertical` and the cluster has no VPA CRD.
    pub const VPA_NOT_INSTALLED: &str = "VpaNotInstalled";
    /// The installed VPA CRD does not know the requested update mode.
    pub const VPA_TOO_OLD: &str = "VpaTooOld";
    /// The resource has `limits` and the operator runs with `--manage-limits=false`.
    pub const LIMITS_NOT_MANAGED: &str = "LimitsNotManaged";
    /// The state was not checked, because an earlier step failed.
    pub const NOT_CHECKED: &str = "NotChecked";
    /// The operator waits for another component to report the state.
    pub const PENDING: &str = "Pending";
    /// Autoscaling is suspended by the resource or an annotation of it.
    pub const SUSPENDED: &str = "Suspended";
    /// An annotation that suspends cannot be parsed. It suspends every workload.
    pub const SUSPENSION_UNREADABLE: &str = "SuspensionUnreadable";
    /// An annotation that suspends names only workloads that cannot be suspended.
    pub const WORKLOAD_UNKNOWN: &str = "WorkloadUnknown";
    /// Every Prometheus metric has a fresh value.
    pub const METRICS_FRESH: &str = "MetricsFresh";
    /// The resource has no Prometheus metric.
    pub const NO_PROMETHEUS_METRICS: &str = "NoPrometheusMetrics";
    /// At least one Prometheus metric has no usable value.
    pub const METRICS_MISSING: &str = "MetricsMissing";
    /// Prometheus did not answer, or answered with an error.
    pub const PROMETHEUS_UNAVAILABLE: &str = "PrometheusUnavailable";
    /// Another adapter serves the metrics API that the HPAs of the resource read.
    pub const API_SERVICE_FOREIGN: &str = "ApiServiceForeign";
    /// No component serves the metrics API that the HPAs of the resource read.
    pub const API_SERVICE_ABSENT: &str = "ApiServiceAbsent";
    /// The metrics server, or its APIService, is missing or not available.
    pub const METRICS_SERVER_UNAVAILABLE: &str = "MetricsServerUnavailable";
    /// The quotas of the namespace leave room.
    pub const QUOTA_SUFFICIENT: &str = "QuotaSufficient";
    /// A quota of the namespace would stop a scale-up before `maxReplicas`.
    pub const QUOTA_TOO_SMALL: &str = "QuotaTooSmall";
}
