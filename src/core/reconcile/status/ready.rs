//! The condition `Ready`, and the state of the metrics that counts for it.

use super::{Inputs, workload::WorkloadFindings};
use crate::{
    k8s::conditions::{Finding, Status, summarize},
    reconcile::{observed::MetricsServer, suspend::Suspended},
};
use vas_api::condition::{METRICS_AVAILABLE, READY, reason};

/// The state of the metrics: the metrics server's own condition `MetricsAvailable`. It is Unknown if the
/// metrics server does not run, or if its condition is about an older generation of the spec. `None` if the
/// resource asks for no Prometheus metric.
pub(super) fn metrics_available(inputs: &Inputs<'_>) -> Option<Finding> {
    let scaling = inputs.validation.scaling.as_ref()?;
    let asked = scaling
        .workloads
        .iter()
        .any(|workload| workload.prometheus_metrics().next().is_some());
    if !asked {
        return None;
    }
    if let MetricsServer::Unavailable(why) = &inputs.observed.metrics_server {
        return Some(Finding::new(
            METRICS_AVAILABLE,
            Status::Unknown,
            reason::METRICS_SERVER_UNAVAILABLE,
            why.clone(),
        ));
    }
    let pending = |message| Finding::new(METRICS_AVAILABLE, Status::Unknown, reason::PENDING, message);
    let generation = inputs.object.metadata.generation;
    let status = inputs.object.status.as_ref();
    let condition = status
        .and_then(|status| status.conditions.as_ref())
        .and_then(|conditions| conditions.iter().find(|one| one.type_ == METRICS_AVAILABLE));
    Some(match condition {
        Some(condition)
            if condition
                .observed_generation
                .is_some_and(|observed| Some(observed) < generation) =>
        {
            pending("the metrics server has not judged this spec yet")
        }
        Some(condition) => Finding::new(
            METRICS_AVAILABLE,
            Status::of(&condition.status),
            &condition.reason,
            format!("MetricsAvailable is {}", condition.status),
        ),
        None => pending("the metrics server has not reported yet"),
    })
}

/// The condition `Ready`, which sums up all others. A suspended workload counts as ready, but the message
/// always names it.
pub(super) fn ready(
    own: &[&Finding],
    workloads: &[WorkloadFindings],
    metrics: Option<&Finding>,
    suspended: &Suspended,
) -> Finding {
    let fine = match suspended.long().filter(|_| suspended.any()) {
        None => Finding::new(READY, Status::True, reason::READY, "every workload scales"),
        Some(words) => Finding::new(
            READY,
            Status::True,
            reason::SUSPENDED,
            format!("suspended: {words}"),
        ),
    };
    // While a workload's children are not as planned, the conditions of its HPA describe another state, so
    // they do not count.
    let mirrored = workloads
        .iter()
        .filter(|workload| workload.applied.status == Status::True)
        .flat_map(|workload| {
            workload
                .mirrored
                .iter()
                .map(|finding| (workload.name.as_str(), finding))
        });
    summarize(
        READY,
        own.iter()
            .map(|finding| ("", *finding))
            .chain(mirrored)
            .chain(metrics.map(|finding| ("", finding))),
        fine,
    )
}
