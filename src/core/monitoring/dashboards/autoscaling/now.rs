//! What is wrong at this moment, and why.

use super::free_to_move;
use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{METRIC, RESOURCE, WORKLOAD, count_of, once, once_where},
    },
    families::{
        metrics_server::{METRIC_MAX_AGE, METRIC_MISSING},
        scalings::{
            SCALING_CONDITION, SCALING_GENERATION, SCALING_INFO, SCALING_OBSERVED_GENERATION,
            WORKLOAD_CONDITION, WORKLOAD_INFO, WORKLOAD_REPLICAS_DESIRED, WORKLOAD_REPLICAS_MAX,
            WORKLOAD_SUSPENDED,
        },
    },
};

pub(super) fn row() -> Row {
    Row {
        title: "Now",
        panels: [counts().to_vec(), bounds().to_vec(), vec![wrong(), causes()]].concat(),
    }
}

fn counts() -> [Panel; 6] {
    let resources = once(RESOURCE, SCALING_INFO);
    let workloads = once(WORKLOAD, WORKLOAD_INFO);
    let not_ready = once_where(RESOURCE, SCALING_CONDITION, "type=\"Ready\", status!=\"True\"");
    let not_ready = format!("{not_ready} or ({})", unhandled());
    let cannot = once_where(
        WORKLOAD,
        WORKLOAD_CONDITION,
        "type=~\"AbleToScale|ScalingActive\", status=\"False\", reason!=\"ScalingDisabled\"",
    );
    let missing = once_where(METRIC, METRIC_MISSING, "reason!~\"not-polled-yet|no-pods\"");
    let suspended = once(WORKLOAD, WORKLOAD_SUSPENDED);
    [
        Panel::number("Resources", Unit::Count, "VoiceAssistScalings that the leading operator knows.")
            .query(format!("count({resources})"), "resources"),
        Panel::number("Workloads", Unit::Count, "Workloads of these resources, whether or not they scale.")
            .query(format!("count({workloads})"), "workloads"),
        Panel::number(
            "Not Ready",
            Unit::Count,
            "Resources whose condition Ready is False or Unknown, or that no operator has handled yet; the table below says why.",
        )
        .query(count_of(&not_ready, &resources), "resources")
        .red(1.0),
        Panel::number(
            "Cannot scale",
            Unit::Count,
            "Workloads whose HPA cannot read a metric or write the replicas. Those that somebody suspended do not count.",
        )
        .query(count_of(&format!("{cannot} unless on ({WORKLOAD}) {suspended} == 1"), &workloads), "workloads")
        .red(1.0),
        Panel::number(
            "Metrics without a value",
            Unit::Count,
            "Metrics from Prometheus that the metrics server has no value for. Their HPAs do not scale down.",
        )
        .query(count_of(&missing, &once(METRIC, METRIC_MAX_AGE)), "metrics")
        .orange(1.0),
        Panel::number(
            "Suspended",
            Unit::Count,
            "Workloads that somebody suspended: their replicas stay where they are.",
        )
        .query(format!("sum({suspended})"), "workloads")
        .orange(1.0),
    ]
}

/// Resources without the condition Ready, because no operator has handled them.
fn unhandled() -> String {
    let ready = once_where(RESOURCE, SCALING_CONDITION, "type=\"Ready\"");
    format!("{} unless on ({RESOURCE}) {ready}", once(RESOURCE, SCALING_INFO))
}

fn bounds() -> [Panel; 4] {
    let limited = |reason: &str| {
        let matchers = format!("type=\"ScalingLimited\", status=\"True\", reason=\"{reason}\"");
        let limited = once_where(WORKLOAD, WORKLOAD_CONDITION, &matchers);
        count_of(&free_to_move(&limited), &once(WORKLOAD, WORKLOAD_REPLICAS_MAX))
    };
    let generation = once(RESOURCE, SCALING_GENERATION);
    let observed = once(RESOURCE, SCALING_OBSERVED_GENERATION);
    let behind = format!("{generation} > {observed} or ({generation} unless on ({RESOURCE}) {observed})");
    [
        Panel::number(
            "At maxReplicas",
            Unit::Count,
            "Workloads whose metrics ask for more than maxReplicas allows. They are overloaded, or soon will be.",
        )
        .query(limited("TooManyReplicas"), "workloads")
        .red(1.0)
        .wide(6),
        Panel::number(
            "At minReplicas",
            Unit::Count,
            "Workloads whose metrics ask for fewer replicas than minReplicas. It is usual at night; all day long it costs money.",
        )
        .query(limited("TooFewReplicas"), "workloads")
        .wide(6),
        Panel::number(
            "Replicas asked for",
            Unit::Count,
            "Replicas that all chosen HPAs ask for together.",
        )
        .query(format!("sum({})", once(WORKLOAD, WORKLOAD_REPLICAS_DESIRED)), "replicas")
        .wide(6),
        Panel::number(
            "Changes not seen yet",
            Unit::Count,
            "Resources whose latest change the operator has not acted on, also new ones.",
        )
        .query(count_of(&behind, &generation), "resources")
        .orange(1.0)
        .wide(6),
    ]
}

fn wrong() -> Panel {
    let of_resource = once_where(
        &format!("{RESOURCE}, type, status, reason"),
        SCALING_CONDITION,
        "type!=\"Suspended\", status!=\"True\"",
    );
    let of_workload = once_where(
        &format!("{WORKLOAD}, type, status, reason"),
        WORKLOAD_CONDITION,
        "type!~\"ScalingLimited|Suspended\", status!=\"True\"",
    );
    Panel::table(
        "Conditions that are not fine",
        Unit::Count,
        "Each condition of a resource or of a workload that is False or Unknown, with its reason, and resources that no operator has handled yet. `vas explain` has the whole message.",
    )
    .query(of_resource, "of the resource")
    .query(of_workload, "of the workload")
    .query(unhandled(), "not handled yet")
}

fn causes() -> Panel {
    Panel::table(
        "Metrics without a value, and why",
        Unit::Count,
        "Each metric that the HPA gets no value for, with the reason; docs/metrics.md explains each one.",
    )
    .query(once(&format!("{METRIC}, reason"), METRIC_MISSING), "missing")
}
