//! What was seen of a workload, joined with the load that was sent meanwhile.

use super::{
    chains::{Load, chains},
    elasticity,
};
use crate::loadtest::{
    capacity::curve::Curve,
    model::{measured::Measured, scaling::Scaling},
    report::Workload,
    scenario::model::{self, Scenario},
};

/// A load that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'a> {
    /// What was sent; its load is what was sent of it.
    pub scenario: &'a Scenario,
    /// What it brought.
    pub measured: &'a Measured,
    /// Requests per second that one replica is for, where that is known.
    pub per_replica: Option<f64>,
    /// What replicas carry, where that was measured.
    pub curve: Option<&'a Curve>,
}

impl Loaded<'_> {
    /// The workload with its scale-ups, and with its elasticity where the capacity is known. What a replica is for counts
    /// only where the load is in requests per second.
    pub fn workload(&self, scaling: Scaling) -> Workload {
        let Self {
            scenario, measured, ..
        } = self;
        let requests = matches!(scenario.load, model::Load::Open(_)) && scenario.is_single();
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
