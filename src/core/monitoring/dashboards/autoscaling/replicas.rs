//! Replicas and their bounds, and how far the pods follow.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{OF_WORKLOAD, Query, STEP, WORKLOAD, chosen, once, sum},
    },
    families::{
        metrics_server::POD_INFO,
        scalings::{
            WORKLOAD_DISRUPTIONS_ALLOWED, WORKLOAD_REPLICAS_CURRENT, WORKLOAD_REPLICAS_DESIRED,
            WORKLOAD_REPLICAS_MAX, WORKLOAD_REPLICAS_MIN, WORKLOAD_REPLICAS_READY, WORKLOAD_RESCALES,
        },
    },
};

pub(super) fn row() -> Row {
    Row {
        title: "Replicas",
        panels: vec![follows(), short(), room(), rescales(), disruptions(), pods()],
    }
}

/// What the workload has: ready pods where a budget counts them, else the replicas that the HPA counts.
fn ready() -> String {
    format!(
        "({} or {})",
        once(WORKLOAD, WORKLOAD_REPLICAS_READY),
        once(WORKLOAD, WORKLOAD_REPLICAS_CURRENT)
    )
}

fn follows() -> Panel {
    Panel::lines(
        "Replicas and bounds",
        Unit::Count,
        "What the HPA asks for, what runs, what is ready, and the bounds between which the HPA moves. Choose a workload to see its lines alone.",
    )
    .query(once(WORKLOAD, WORKLOAD_REPLICAS_DESIRED), "{{namespace}}/{{scaling}}/{{workload}} asked for")
    .query(once(WORKLOAD, WORKLOAD_REPLICAS_CURRENT), "{{namespace}}/{{scaling}}/{{workload}} there")
    .query(once(WORKLOAD, WORKLOAD_REPLICAS_READY), "{{namespace}}/{{scaling}}/{{workload}} ready")
    .with(Query::dashed(once(WORKLOAD, WORKLOAD_REPLICAS_MIN), "{{namespace}}/{{scaling}}/{{workload}} minReplicas"))
    .with(Query::dashed(once(WORKLOAD, WORKLOAD_REPLICAS_MAX), "{{namespace}}/{{scaling}}/{{workload}} maxReplicas"))
}

fn short() -> Panel {
    Panel::lines(
        "Replicas that are asked for and not ready",
        Unit::Count,
        "How many replicas a workload lacks. After a scale-up it falls to 0 once the pods are ready; one that stays has pods that do not start.",
    )
    .query(
        format!("clamp_min({} - {}, 0)", once(WORKLOAD, WORKLOAD_REPLICAS_DESIRED), ready()),
        OF_WORKLOAD,
    )
    .orange(1.0)
}

fn room() -> Panel {
    Panel::lines(
        "Part of maxReplicas that is asked for",
        Unit::Share,
        "At 100 % the HPA can add no replica. Raise maxReplicas before a workload spends its peaks there.",
    )
    .query(
        format!(
            "{} / {}",
            once(WORKLOAD, WORKLOAD_REPLICAS_DESIRED),
            once(WORKLOAD, WORKLOAD_REPLICAS_MAX)
        ),
        OF_WORKLOAD,
    )
    .orange(0.8)
    .red(1.0)
    .whole()
}

fn rescales() -> Panel {
    let turns = format!("increase({}[{STEP}])", chosen(WORKLOAD_RESCALES));
    Panel::bars(
        "Rescales",
        Unit::Count,
        "How often the HPA changed the replicas, up and down. Both again and again is flapping: give scaleDown a longer window.",
    )
    .query(sum(&format!("{WORKLOAD}, direction"), &turns), "{{namespace}}/{{scaling}}/{{workload}} {{direction}}")
}

fn disruptions() -> Panel {
    Panel::lines(
        "Pods that may be evicted",
        Unit::Count,
        "What the PodDisruptionBudget allows at this moment. At 0 no node with such a pod can be drained.",
    )
    .query(once(WORKLOAD, WORKLOAD_DISRUPTIONS_ALLOWED), OF_WORKLOAD)
}

fn pods() -> Panel {
    let pods = once(&format!("{WORKLOAD}, pod"), POD_INFO);
    Panel::lines(
        "Live pods",
        Unit::Count,
        "Pods of the workload that are not being deleted, ready or not, as the metrics server sees them.",
    )
    .query(format!("count by ({WORKLOAD}) ({pods})"), OF_WORKLOAD)
}
