//! Condition types and reasons, spelled once. They are API: alerts and scripts match on them.

/// Summary of all the others: False beats Unknown beats True.
pub const READY: &str = "Ready";
/// Every environment of the resource obeys the rules.
pub const SPEC_VALID: &str = "SpecValid";
/// The scale target exists and its `scale` subresource can be read.
pub const SCALE_TARGET_FOUND: &str = "ScaleTargetFound";
/// All children exist as planned.
pub const RESOURCES_APPLIED: &str = "ResourcesApplied";
/// The metrics server has a usable value for every Prometheus metric of the resource.
pub const METRICS_AVAILABLE: &str = "MetricsAvailable";
/// Mirrored from the HPA: it could compute a proposal.
pub const SCALING_ACTIVE: &str = "ScalingActive";
/// Mirrored from the HPA: it could read and write the scale subresource.
pub const ABLE_TO_SCALE: &str = "AbleToScale";
/// Warning only, never part of `Ready`: the namespace's quotas leave room for `maxReplicas`.
pub const QUOTA_SUFFICIENT: &str = "QuotaSufficient";
/// Never part of `Ready`, and there only while there is something to say: which workloads do not scale because somebody
/// suspended them, until when and why.
pub const SUSPENDED: &str = "Suspended";

/// Reasons of conditions, PascalCase as the Kubernetes API conventions ask.
pub mod reason {
    /// Positive summary.
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
    /// A rule is missing in RBAC; the message names it.
    pub const FORBIDDEN: &str = "Forbidden";
    /// The target kind has no `scale` subresource.
    pub const NOT_SCALABLE: &str = "NotScalable";
    /// Everything planned was applied.
    pub const APPLIED: &str = "Applied";
    /// An object of the child's name belongs to somebody else.
    pub const OWNERSHIP_CONFLICT: &str = "OwnershipConflict";
    /// Another HPA, VPA, PDB or `VoiceAssistScaling` already manages the same pods.
    pub const TARGET_ALREADY_MANAGED: &str = "TargetAlreadyManaged";
    /// Somebody undoes what is written to a child, again and again.
    pub const CONTESTED: &str = "Contested";
    /// The API server refused a child.
    pub const APPLY_FAILED: &str = "ApplyFailed";
    /// A VPA was asked for and the cluster serves no VPA CRD.
    pub const VPA_NOT_INSTALLED: &str = "VpaNotInstalled";
    /// The installed VPA CRD does not know the asked update mode.
    pub const VPA_TOO_OLD: &str = "VpaTooOld";
    /// The resource has `limits` and the operator runs with `--manage-limits=false`.
    pub const LIMITS_NOT_MANAGED: &str = "LimitsNotManaged";
    /// Not looked at, because something before it failed.
    pub const NOT_CHECKED: &str = "NotChecked";
    /// Waiting for another component to say.
    pub const PENDING: &str = "Pending";
    /// Autoscaling is suspended by the resource or an annotation of it.
    pub const SUSPENDED: &str = "Suspended";
    /// An annotation that suspends cannot be read; it suspends every workload.
    pub const SUSPENSION_UNREADABLE: &str = "SuspensionUnreadable";
    /// An annotation that suspends names only workloads that cannot be suspended.
    pub const WORKLOAD_UNKNOWN: &str = "WorkloadUnknown";
    /// Every Prometheus metric has a fresh value.
    pub const METRICS_FRESH: &str = "MetricsFresh";
    /// The resource asks for no Prometheus metric.
    pub const NO_PROMETHEUS_METRICS: &str = "NoPrometheusMetrics";
    /// At least one Prometheus metric has no usable value.
    pub const METRICS_MISSING: &str = "MetricsMissing";
    /// Prometheus did not answer, or answered with an error.
    pub const PROMETHEUS_UNAVAILABLE: &str = "PrometheusUnavailable";
    /// Another adapter answers for the API of metrics that the resource's HPA reads.
    pub const API_SERVICE_FOREIGN: &str = "ApiServiceForeign";
    /// Nobody answers for the API of metrics that the resource's HPA reads.
    pub const API_SERVICE_ABSENT: &str = "ApiServiceAbsent";
    /// The metrics server, or its APIService, is not there.
    pub const METRICS_SERVER_UNAVAILABLE: &str = "MetricsServerUnavailable";
    /// The quotas of the namespace leave room.
    pub const QUOTA_SUFFICIENT: &str = "QuotaSufficient";
    /// A quota of the namespace would stop a scale-up before `maxReplicas`.
    pub const QUOTA_TOO_SMALL: &str = "QuotaTooSmall";
}
