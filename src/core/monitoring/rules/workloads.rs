//! Alerts about resources and their workloads.

use super::{Alert, Severity};
use crate::monitoring::families::Family;
use crate::monitoring::families::{
    metrics_server::METRIC_MISSING,
    scalings::{
        SCALING_CONDITION, WORKLOAD_CONDITION, WORKLOAD_DISRUPTIONS_ALLOWED, WORKLOAD_REPLICAS_CURRENT,
        WORKLOAD_REPLICAS_DESIRED, WORKLOAD_REPLICAS_MAX, WORKLOAD_REPLICAS_MIN, WORKLOAD_REPLICAS_READY,
        WORKLOAD_SUSPENDED,
    },
};

/// The labels that tell a workload.
const WORKLOAD: &str = "namespace, scaling, workload";

/// A family with one series for each workload.
fn of(family: Family) -> String {
    format!("max by ({WORKLOAD}) ({})", family.series())
}

/// The workloads that somebody suspended, or that have one fixed number of replicas.
fn not_scaling() -> String {
    format!(
        "unless on ({WORKLOAD}) {} == 1 unless on ({WORKLOAD}) {} >= {}",
        of(WORKLOAD_SUSPENDED),
        of(WORKLOAD_REPLICAS_MIN),
        of(WORKLOAD_REPLICAS_MAX)
    )
}

pub(super) fn alerts() -> Vec<Alert> {
    [limits(), health(), metrics()].concat()
}

fn limits() -> Vec<Alert> {
    let limited = |reason: &str| {
        let condition = WORKLOAD_CONDITION.series();
        format!(
            "max by ({WORKLOAD}) ({condition}{{type=\"ScalingLimited\", status=\"True\", reason=\"{reason}\"}}) {}",
            not_scaling()
        )
    };
    vec![
        Alert {
            name: "VasWorkloadAtMaximum",
            severity: Severity::Critical,
            expr: limited("TooManyReplicas"),
            holds: "10m",
            summary: "A workload needs more replicas than maxReplicas allows.",
            description: "Workload {{ $labels.workload }} of {{ $labels.namespace }}/{{ $labels.scaling }} runs at maxReplicas and its metrics ask for more.",
        },
        Alert {
            name: "VasNeverLeavesMinimum",
            severity: Severity::Info,
            expr: limited("TooFewReplicas"),
            holds: "1d",
            summary: "A workload has needed fewer replicas than minReplicas for a whole day.",
            description: "Workload {{ $labels.workload }} of {{ $labels.namespace }}/{{ $labels.scaling }} ran at minReplicas for a day, and its metrics asked for fewer all the time.",
        },
    ]
}

fn health() -> Vec<Alert> {
    let condition = WORKLOAD_CONDITION.series();
    let of_resource = |type_: &str| {
        let condition = SCALING_CONDITION.series();
        format!("max by (namespace, scaling) ({condition}{{type=\"{type_}\", status=\"False\"}})")
    };
    vec![
        Alert {
            name: "VasReplicasShort",
            severity: Severity::Warning,
            expr: format!(
                "{} - ({} or {}) > 0",
                of(WORKLOAD_REPLICAS_DESIRED),
                of(WORKLOAD_REPLICAS_READY),
                of(WORKLOAD_REPLICAS_CURRENT)
            ),
            holds: "15m",
            summary: "A workload has had fewer ready replicas than its HPA asks for.",
            description: "Workload {{ $labels.workload }} of {{ $labels.namespace }}/{{ $labels.scaling }} is {{ $value }} replicas short.",
        },
        Alert {
            name: "VasCannotScale",
            severity: Severity::Warning,
            expr: format!(
                "max by ({WORKLOAD}, type) ({condition}{{type=~\"AbleToScale|ScalingActive\", status=\"False\", reason!=\"ScalingDisabled\"}}) \
                 unless on ({WORKLOAD}) {} == 1",
                of(WORKLOAD_SUSPENDED)
            ),
            holds: "5m",
            summary: "The HPA of a workload cannot scale it.",
            description: "{{ $labels.type }} is False for workload {{ $labels.workload }} of {{ $labels.namespace }}/{{ $labels.scaling }}.",
        },
        Alert {
            name: "VasNotReady",
            severity: Severity::Warning,
            expr: of_resource("Ready"),
            holds: "15m",
            summary: "A VoiceAssistScaling is not Ready.",
            description: "{{ $labels.namespace }}/{{ $labels.scaling }} is not Ready; its conditions say why.",
        },
        Alert {
            name: "VasQuotaTooSmall",
            severity: Severity::Warning,
            expr: of_resource("QuotaSufficient"),
            holds: "30m",
            summary: "A quota would stop a workload before it reaches maxReplicas.",
            description: "The quotas of namespace {{ $labels.namespace }} have no room for maxReplicas of {{ $labels.scaling }}.",
        },
        Alert {
            name: "VasEvictionsBlocked",
            severity: Severity::Info,
            expr: format!(
                "{} == 0 and on ({WORKLOAD}) {} > 0",
                of(WORKLOAD_DISRUPTIONS_ALLOWED),
                of(WORKLOAD_REPLICAS_CURRENT)
            ),
            holds: "1h",
            summary: "No pod of a workload may be evicted, so its nodes cannot be drained.",
            description: "The PodDisruptionBudget of workload {{ $labels.workload }} of {{ $labels.namespace }}/{{ $labels.scaling }} has allowed no eviction for an hour.",
        },
    ]
}

fn metrics() -> Vec<Alert> {
    let missing = METRIC_MISSING.series();
    vec![Alert {
        name: "VasMetricMissing",
        severity: Severity::Warning,
        expr: format!(
            "max by ({WORKLOAD}, metric) ({missing}{{reason!~\"not-polled-yet|no-pods\"}}) unless on ({WORKLOAD}) {} == 0",
            of(WORKLOAD_REPLICAS_CURRENT)
        ),
        holds: "3m",
        summary: "A metric from Prometheus has no value, so its HPA does not scale down.",
        description: "Metric {{ $labels.metric }} of workload {{ $labels.workload }} of {{ $labels.namespace }}/{{ $labels.scaling }} is missing.",
    }]
}
