//! Joins what was seen of a workload with the load that was sent meanwhile.

use super::{
    chains::{Load, chains},
    elasticity,
};
use crate::{
    capacity::curve::Curve,
    model::{measured::Measured, scaling::Scaling},
    report::Workload,
    scenario::model::Scenario,
};

/// A load that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'a> {
    /// The scenario that was sent, with the load as it was sent.
    pub scenario: &'a Scenario,
    /// The measurements of the load.
    pub measured: &'a Measured,
    /// Requests per second that one replica is meant for, if known.
    pub per_replica: Option<f64>,
    /// The measured capacity by replicas, if known.
    pub curve: Option<&'a Curve>,
}

impl Loaded<'_> {
    /// The workload with its scale-ups, and with its elasticity if the capacity is known. `per_replica` is in
    /// requests per second, so it is used only for a load in the same unit.
    pub fn workload(&self, scaling: Scaling) -> Workload {
        let Self {
            scenario, measured, ..
        } = self;
        let requests = scenario.load.users().is_none() && scenario.is_single();
        let load = Load {
            profile: scenario.load.profile(),
            per_replica: self.per_replica.filter(|_| requests),
            objective: scenario.objective().map(|bound| bound.as_secs_f64()),
        };
        let elasticity = self.curve.and_then(|curve| {
            elasticity::elasticity(&elasticity::samples(&measured.seconds, &scaling, curve))
        });
        Workload {
            chains: chains(&scaling, &measured.seconds, &load),
            elasticity,
            scaling,
        }
    }
}
