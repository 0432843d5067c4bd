//! Moves observations of the cluster to the clock of the merged run.

use crate::{
    model::{chain::Link, scaling::Moment},
    report::Workload,
};

/// The workloads of a run that began `seconds` later than the merged one. Elasticity figures are left out:
/// they were computed from the load of one generator, which is only part of the demand.
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
