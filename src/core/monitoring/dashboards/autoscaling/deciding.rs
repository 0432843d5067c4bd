//! What each metric asks for, and which one decides.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{METRIC, Query, WORKLOAD, once},
    },
    families::scalings::{
        WORKLOAD_METRIC_PROPOSED_REPLICAS, WORKLOAD_METRIC_TARGET, WORKLOAD_METRIC_VALUE,
        WORKLOAD_REPLICAS_DESIRED,
    },
};

const OF_METRIC: &str = "{{namespace}}/{{scaling}}/{{workload}} {{metric}}";

pub(super) fn row() -> Row {
    Row {
        title: "What decides",
        panels: vec![proposals(), decides(), against_target(), values()],
    }
}

fn proposals() -> Panel {
    Panel::lines(
        "Replicas that each metric asks for",
        Unit::Count,
        "The highest line decides, between the HPA's bounds. The broken line is what the HPA asks for after bounds, policies and windows.",
    )
    .query(once(METRIC, WORKLOAD_METRIC_PROPOSED_REPLICAS), OF_METRIC)
    .with(Query::dashed(once(WORKLOAD, WORKLOAD_REPLICAS_DESIRED), "{{namespace}}/{{scaling}}/{{workload}} asked for"))
}

fn decides() -> Panel {
    let proposed = once(METRIC, WORKLOAD_METRIC_PROPOSED_REPLICAS);
    let most = format!("{proposed} == on ({WORKLOAD}) group_left () max by ({WORKLOAD}) ({proposed})");
    let of_these = |family| format!("{} and on ({METRIC}) ({most})", once(METRIC, family));
    Panel::table(
        "The metric that decides",
        Unit::Count,
        "Of each workload the metric that asks for the most replicas, with its value and target; several where they ask for the same.",
    )
    .query(most.clone(), "Replicas")
    .query(of_these(WORKLOAD_METRIC_VALUE), "Measured")
    .query(of_these(WORKLOAD_METRIC_TARGET), "Target")
}

fn against_target() -> Panel {
    Panel::lines(
        "Value as a part of its target",
        Unit::Share,
        "At 100 % a metric asks for the replicas that there are; above it for more. Between 90 and 110 % the HPA usually changes nothing.",
    )
    .query(
        format!("{} / {}", once(METRIC, WORKLOAD_METRIC_VALUE), once(METRIC, WORKLOAD_METRIC_TARGET)),
        OF_METRIC,
    )
    .orange(1.1)
    .red(2.0)
}

fn values() -> Panel {
    Panel::lines(
        "Values and targets",
        Unit::Count,
        "In the unit of the target: percent for a utilization, per replica for an average. A line ends where the HPA has no value.",
    )
    .query(once(METRIC, WORKLOAD_METRIC_VALUE), OF_METRIC)
    .with(Query::dashed(once(METRIC, WORKLOAD_METRIC_TARGET), "{{namespace}}/{{scaling}}/{{workload}} {{metric}} target"))
}
