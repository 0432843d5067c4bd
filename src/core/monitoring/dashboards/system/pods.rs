//! What pods of workloads use, as the kubelets tell.

use crate::monitoring::dashboards::{
    Row,
    others::kubelet::{POD_CPU, POD_MEMORY},
    panel::{Panel, Unit},
    query::{OF_WORKLOAD, WINDOW, WORKLOAD, chosen, once, with_workload},
};

pub(super) fn row() -> Row {
    Row {
        title: "Pods of workloads",
        panels: vec![
            Panel::lines(
                "Processors by workload",
                Unit::Cores,
                "All pods of each workload together, from the kubelets' /metrics/resource.",
            )
            .query(of_workloads(&cpu()), OF_WORKLOAD),
            Panel::lines(
                "Memory by workload",
                Unit::Bytes,
                "Memory of all pods of each workload that the kernel cannot take back at once.",
            )
            .query(of_workloads(&memory()), OF_WORKLOAD),
            Panel::lines(
                "Processors by pod",
                Unit::Cores,
                "One pod far above the others of its workload has more than its part of the load.",
            )
            .query(with_workload(&cpu()), "{{namespace}}/{{pod}}"),
            Panel::lines(
                "Memory by pod",
                Unit::Bytes,
                "A line that only rises until it breaks off is a pod that is killed at its limit.",
            )
            .query(with_workload(&memory()), "{{namespace}}/{{pod}}"),
        ],
    }
}

fn cpu() -> String {
    format!("max by (namespace, pod) (rate({}[{WINDOW}]))", chosen(POD_CPU))
}

fn memory() -> String {
    once("namespace, pod", POD_MEMORY)
}

fn of_workloads(pods: &str) -> String {
    format!("sum by ({WORKLOAD}) ({})", with_workload(pods))
}
