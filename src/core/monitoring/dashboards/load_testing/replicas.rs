//! Whether the replicas follow the load.

use crate::monitoring::{
    dashboards::{
        Row,
        others::kubelet::POD_CPU,
        panel::{Panel, Unit},
        query::{METRIC, OF_WORKLOAD, Query, WINDOW, WORKLOAD, chosen, once, rate_where, with_workload},
    },
    families::{
        load_test::LATENCY,
        scalings::{
            WORKLOAD_METRIC_TARGET, WORKLOAD_METRIC_VALUE, WORKLOAD_REPLICAS_CURRENT,
            WORKLOAD_REPLICAS_DESIRED, WORKLOAD_REPLICAS_READY,
        },
    },
};

pub(super) fn row() -> Row {
    Row {
        title: "Replicas beneath the load",
        panels: vec![follow(), cpu(), per_replica(), against_target()],
    }
}

fn follow() -> Panel {
    Panel::lines(
        "Replicas beside the load",
        Unit::Count,
        "Replicas that the HPA asks for and that are ready, on one axis; the answered requests at the right. Ready behind asked for is the time that pods take to start.",
    )
    .query(once(WORKLOAD, WORKLOAD_REPLICAS_DESIRED), "{{namespace}}/{{scaling}}/{{workload}} asked for")
    .query(once(WORKLOAD, WORKLOAD_REPLICAS_READY), "{{namespace}}/{{scaling}}/{{workload}} ready")
    .with(Query::at_right(
        Unit::RequestsPerSecond,
        rate_where("scenario", LATENCY, "outcome=\"answered\""),
        "{{scenario}} answered",
    ))
}

fn cpu() -> Panel {
    let pods = format!("max by (namespace, pod) (rate({}[{WINDOW}]))", chosen(POD_CPU));
    Panel::lines(
        "Processors that the pods use",
        Unit::Cores,
        "All pods of each workload together, from the kubelets' /metrics/resource. Flat under a growing load, the pods are throttled or wait for something else.",
    )
    .query(
        format!("sum by ({WORKLOAD}) ({})", with_workload(&pods)),
        OF_WORKLOAD,
    )
}

fn per_replica() -> Panel {
    let answered = rate_where("", LATENCY, "outcome=\"answered\"");
    Panel::lines(
        "Answered requests for each replica",
        Unit::RequestsPerSecond,
        "The answered requests of all chosen scenarios over the replicas of a workload: what one replica carries, where all of the load goes to it.",
    )
    .query(
        format!(
            "{answered} / on () group_right () ({} > 0)",
            once(WORKLOAD, WORKLOAD_REPLICAS_CURRENT)
        ),
        OF_WORKLOAD,
    )
}

fn against_target() -> Panel {
    Panel::lines(
        "Metrics as a part of their targets",
        Unit::Share,
        "What the HPA makes of the load. Above 100 % a metric asks for more replicas; one that does not rise with the load does not see it.",
    )
    .query(
        format!("{} / {}", once(METRIC, WORKLOAD_METRIC_VALUE), once(METRIC, WORKLOAD_METRIC_TARGET)),
        "{{namespace}}/{{scaling}}/{{workload}} {{metric}}",
    )
    .orange(1.1)
    .red(2.0)
}
