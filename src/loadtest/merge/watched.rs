//! What was seen of the cluster, on the clock of the runs as one.

use crate::loadtest::{
    model::{chain::Link, scaling::Moment},
    report::Workload,
};

/// The workloads of a run that began so many seconds later. Elasticity figures are left out: the demand they were
/// made of was the load of one generator.
pub(super) fn later(workloads: Vec<Workload>, seconds: Moment) -> Vec<Workload> {
    let later = |mut workload: Workload| {
        let scaling = &mut workload.scaling;
        scaling.replicas.iter_mut().for_each(|seen| seen.at += seconds);
        scaling.metrics.iter_mut().for_each(|seen| seen.at += seconds);
        scaling.events.iter_mut().for_each(|event| event.at += seconds);
        scaling.budget.iter_mut().for_each(|seen| seen.at += seconds);
        scaling.memory.iter_mut().for_each(|seen| seen.at += seconds);
        for Link { at, .. } in workload.chains.iter_mut().flat_map(|chain| &mut chain.links) {
            *at = at.map(|at| at + seconds);
        }
        workload.elasticity = None;
        workload
    };
    workloads.into_iter().map(later).collect()
}
