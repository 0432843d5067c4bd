//! What is compared, on what assumptions.

use vas_core::replay::{Assumptions, Load, Moment, Outcome, Policy, replay};

use crate::simulate::cost::Price;

/// Everything that a comparison depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The load.
    pub load: Load,
    /// What is taken for granted.
    pub assumptions: Assumptions,
    /// Where the capacity comes from.
    pub capacity: Capacity,
    /// Who is compared, in the order of the table.
    pub contenders: Vec<Contender>,
    /// The price of a replica for an hour; `None` where nothing has a price.
    pub price: Option<Price>,
    /// What is guessed besides, one sentence each.
    pub assumed: Vec<String>,
    /// Metrics that are left out, with the reason.
    pub left_out: Vec<String>,
}

impl Settings {
    /// Replays the load with one policy. `observe` sees each moment after a sync, in their order.
    pub(super) fn replay(&self, contender: &Contender, observe: impl FnMut(&Moment)) -> Outcome {
        replay(&self.load, &self.assumptions, &contender.policy, observe)
    }
}

/// Where the capacity of a pod comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// The user gave a number, or a report of `vas test capacity`.
    Given,
    /// It follows from the target of the HPA: target / 0.7.
    OfTarget,
}

/// A policy with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// Name in all outputs, such as `resource` or `static=6`.
    pub name: String,
    /// The policy.
    pub policy: Policy,
}
