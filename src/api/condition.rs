//! Condition types and reasons, and reasons of Events. They are API: alerts and scripts match on them.
//!
//! Each list is written once: its constants and its table, from which the reference is generated, come from the same lines.

/// A word of the API, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as it stands in objects.
    pub word: &'static str,
    /// Its meaning, as the lines of its documentation.
    pub meaning: &'static [&'static str],
}

/// Makes a constant of each word, and a table of all of them.
macro_rules! words {
    ($(#[$all:meta])* $table:ident: $($(#[doc = $meaning:literal])+ pub const $name:ident = $word:literal;)+) => {
        $($(#[doc = $meaning])+ pub const $name: &str = $word;)+
        $(#[$all])*
        pub const $table: &[$crate::condition::Word] =
            &[$($crate::condition::Word { word: $word, meaning: &[$($meaning),+] }),+];
    };
}

words! {
    /// Every type of condition.
    TYPES:
    /// Summary of the other conditions: False if any of them is False, else Unknown if any is Unknown, else True.
    pub const READY = "Ready";
    /// Every environment of the resource obeys the rules.
    pub const SPEC_VALID = "SpecValid";
    /// The scale target exists and its `scale` subresource can be read.
    pub const SCALE_TARGET_FOUND = "ScaleTargetFound";
    /// All children exist as planned.
    pub const RESOURCES_APPLIED = "ResourcesApplied";
    /// The metrics server has a usable value for every Prometheus metric of the resource.
    pub const METRICS_AVAILABLE = "MetricsAvailable";
    /// Copied from the HPA: the HPA could compute a proposal.
    pub const SCALING_ACTIVE = "ScalingActive";
    /// Copied from the HPA: the HPA could read and write the scale subresource.
    pub const ABLE_TO_SCALE = "AbleToScale";
    /// The quotas of the namespace leave room for `maxReplicas`. A warning only, never part of `Ready`.
    pub const QUOTA_SUFFICIENT = "QuotaSufficient";
    /// False where the resource asks for limits, or has some, and the operator leaves them alone. A warning only, never part
    /// of `Ready`.
    pub const LIMITS_MANAGED = "LimitsManaged";
    /// Names the workloads that do not scale because somebody suspended them, until when and why. Present only
    /// while a workload is suspended, and never part of `Ready`.
    pub const SUSPENDED = "Suspended";
}

/// Reasons of conditions, in PascalCase as the Kubernetes API conventions require.
pub mod reason {
    words! {
        /// Every reason that vas itself writes. `ScalingActive` and `AbleToScale` have those of the HPA.
        ALL:
        /// All conditions that count for `Ready` are True.
        pub const READY = "Ready";
        /// The spec obeys every rule.
        pub const VALID = "Valid";
        /// The spec breaks at least one rule.
        pub const INVALID = "Invalid";
        /// The stored object does not parse as a `VoiceAssistScaling`.
        pub const MALFORMED = "Malformed";
        /// The target exists.
        pub const FOUND = "Found";
        /// The target, or its kind, does not exist (yet).
        pub const NOT_FOUND = "NotFound";
        /// The operator may not read the target; the message names the missing RBAC rule.
        pub const FORBIDDEN = "Forbidden";
        /// The target kind has no `scale` subresource.
        pub const NOT_SCALABLE = "NotScalable";
        /// Everything planned was applied.
        pub const APPLIED = "Applied";
        /// An object with the child's name exists and belongs to another owner.
        pub const OWNERSHIP_CONFLICT = "OwnershipConflict";
        /// Another HPA, VPA, PDB or `VoiceAssistScaling` already manages the same pods.
        pub const TARGET_ALREADY_MANAGED = "TargetAlreadyManaged";
        /// Another writer undoes the operator's writes to a child again and again.
        pub const CONTESTED = "Contested";
        /// The API server refused a child.
        pub const APPLY_FAILED = "ApplyFailed";
        /// The resource has `vertical` and the cluster has no VPA CRD.
        pub const VPA_NOT_INSTALLED = "VpaNotInstalled";
        /// The installed VPA CRD does not know the requested update mode.
        pub const VPA_TOO_OLD = "VpaTooOld";
        /// The resource has `limits` and the operator runs with `--manage-limits=false`.
        pub const LIMITS_NOT_MANAGED = "LimitsNotManaged";
        /// The state was not checked, because an earlier step failed.
        pub const NOT_CHECKED = "NotChecked";
        /// The operator waits for another component to report the state.
        pub const PENDING = "Pending";
        /// Autoscaling is suspended by the resource or an annotation of it.
        pub const SUSPENDED = "Suspended";
        /// An annotation that suspends cannot be parsed. It suspends every workload.
        pub const SUSPENSION_UNREADABLE = "SuspensionUnreadable";
        /// An annotation that suspends names only workloads that cannot be suspended.
        pub const WORKLOAD_UNKNOWN = "WorkloadUnknown";
        /// Every Prometheus metric has a fresh value.
        pub const METRICS_FRESH = "MetricsFresh";
        /// The resource has no Prometheus metric.
        pub const NO_PROMETHEUS_METRICS = "NoPrometheusMetrics";
        /// At least one Prometheus metric has no usable value.
        pub const METRICS_MISSING = "MetricsMissing";
        /// Prometheus did not answer, or answered with an error.
        pub const PROMETHEUS_UNAVAILABLE = "PrometheusUnavailable";
        /// Another adapter serves the metrics API that the HPAs of the resource read.
        pub const API_SERVICE_FOREIGN = "ApiServiceForeign";
        /// No component serves the metrics API that the HPAs of the resource read.
        pub const API_SERVICE_ABSENT = "ApiServiceAbsent";
        /// The metrics server, or its APIService, is missing or not available.
        pub const METRICS_SERVER_UNAVAILABLE = "MetricsServerUnavailable";
        /// The quotas of the namespace leave room.
        pub const QUOTA_SUFFICIENT = "QuotaSufficient";
        /// A quota of the namespace would stop a scale-up before `maxReplicas`.
        pub const QUOTA_TOO_SMALL = "QuotaTooSmall";
    }
}

/// Reasons of Events that are not reasons of conditions. A condition that turns False has an Event with its reason, and
/// so have `Ready` when it turns True and the beginning of a suspension.
pub mod event {
    words! {
        /// Every reason of an Event that is not one of a condition.
        ALL:
        /// Children were created; the message names them.
        pub const CREATED = "Created";
        /// Children were changed to what the resource says.
        pub const UPDATED = "Updated";
        /// Children that the resource no longer asks for were deleted.
        pub const DELETED = "Deleted";
        /// A Warning: somebody had changed fields of a child, and the operator took them back. The message names the fields
        /// and who changed them.
        pub const CHANGE_OVERWRITTEN = "ChangeOverwritten";
        /// Entries of a schedule have become active; the message names the workload, the entries and the bounds.
        pub const SCHEDULE_STARTED = "ScheduleStarted";
        /// Entries of a schedule are no longer active; the message says which bounds count then.
        pub const SCHEDULE_ENDED = "ScheduleEnded";
        /// The last suspension is over, so every workload scales again.
        pub const RESUMED = "Resumed";
    }
}
