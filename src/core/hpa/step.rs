//! One sync of the controller: what it reads and remembers in, its decision and what it remembers next out.
//!
//! Nothing is allocated but the slots of the memory, which are reused, so a year of syncs can be run.

use jiff::Timestamp;

use super::{
    combine::{Combined, Combining},
    conditions::{Condition, Conditions, Reason},
    controller::Controller,
    decision::{Cause, Decision},
    limit,
    pods::Cohort,
    policy::Select,
    proposal::World,
    propose::{Reading, propose},
    spec::Hpa,
    stabilize,
    state::State,
};

/// What the controller reads for one sync.
#[derive(Clone, Copy, Debug)]
pub struct Sync<'a> {
    /// The HPA.
    pub hpa: &'a Hpa,
    /// The flags of the controller.
    pub controller: &'a Controller,
    /// The scale subresource of the target.
    pub scale: Scale,
    /// Pods that the target's selector selects.
    pub cohorts: &'a [Cohort],
    /// The value of each metric, in the order of `spec.metrics`; `None` for a metric without one.
    pub answers: &'a [Option<Reading>],
    /// The moment of the sync.
    pub now: Timestamp,
}

/// The scale subresource of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// `spec.replicas`, the current replicas of every decision.
    pub replicas: i32,
    /// `status.replicas`. An `AverageValue` of Object and External metrics divides by it.
    pub status: i32,
    /// `status.selector`.
    pub selector: Selector,
}

/// What the controller makes of the selector of a target's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// It selects pods for this HPA alone.
    Valid,
    /// It is empty, or no selector.
    Invalid,
    /// Another HPA's selector also selects some of the pods.
    Ambiguous,
}

/// One sync (`reconcileAutoscaler`), in which the new number of replicas could be written.
///
/// Example without `behavior`: 3 replicas, bounds 1 to 20 and a proposal of 19 give 6 replicas now
/// (`ScaleUpLimit`: at most double) and 19 eventually.
#[must_use]
pub fn step(state: &mut State, sync: &Sync<'_>) -> Decision {
    let Sync { hpa, scale, now, .. } = *sync;
    let current = scale.replicas;
    state.begin(current, now);
    let mut decision = decide(state, sync);
    if decision.desired != current {
        decision.conditions.able_to_scale = Condition::yes(Reason::SucceededRescale);
        if let Some(behavior) = &hpa.behavior {
            let up = decision.desired > current;
            let rules = if up { &behavior.up } else { &behavior.down };
            state.record_rescale(rules, current, decision.desired, now);
        }
        // Written at every rescale, so that it is never of an earlier one.
        let to_zero = decision.desired == 0 && hpa.min == 0 && hpa.has_object_or_external();
        state.scaled_to_zero = sync.controller.gates.scale_to_zero.then_some(to_zero);
    }
    decision
}

/// The decision in the cases in which no proposal counts.
fn without_proposal(desired: i32, cause: Cause, active: Option<Condition>) -> Decision {
    Decision {
        desired,
        cause,
        proposal: None,
        metric: None,
        eventually: desired,
        conditions: Conditions {
            able_to_scale: Condition::yes(Reason::SucceededGetScale),
            scaling_active: active,
            scaling_limited: None,
        },
    }
}

fn decide(state: &mut State, sync: &Sync<'_>) -> Decision {
    let Sync {
        hpa,
        controller,
        scale,
        ..
    } = *sync;
    let current = scale.replicas;
    let gate = controller.gates.scale_to_zero;
    if current == 0 {
        // shouldComputeMetricsForZeroReplicas: zero that the controller did not set itself is a pause.
        // Metrics of pods cannot lead away from zero, because there are no pods to measure.
        let itself = gate && state.scaled_to_zero == Some(true);
        if !(itself && (hpa.min != 0 || hpa.has_object_or_external())) {
            if !gate {
                state.scaled_to_zero = None;
            }
            let disabled = Condition::no(Reason::ScalingDisabled);
            return without_proposal(0, Cause::ScalingDisabled, Some(disabled));
        }
    } else if current > hpa.max {
        // The bounds come first: no metric, no policy and no window delays this step.
        return without_proposal(hpa.max, Cause::OutOfRange, None);
    } else if current < hpa.min {
        return without_proposal(hpa.min, Cause::OutOfRange, None);
    }
    let stays = |cause, reason| without_proposal(current, cause, Some(Condition::no(reason)));
    // validateAndParseSelector: the selector is looked at before any metric is read.
    match scale.selector {
        Selector::Valid => {}
        Selector::Invalid => return stays(Cause::InvalidSelector, Reason::InvalidSelector),
        Selector::Ambiguous => return stays(Cause::AmbiguousSelector, Reason::AmbiguousSelector),
    }
    match combined(sync) {
        Combined::Nothing(reason) => stays(Cause::NoMetrics, reason),
        Combined::Blocked(replicas, metric, reason) => Decision {
            proposal: Some(replicas),
            metric: Some(metric),
            ..stays(Cause::MissingMetrics, reason)
        },
        Combined::Proposal(replicas, metric) => Decision {
            metric: Some(metric),
            ..normalize(state, sync, replicas.max(0))
        },
    }
}

/// The proposal of all metrics together.
fn combined(sync: &Sync<'_>) -> Combined {
    let Sync { hpa, scale, .. } = *sync;
    let world = sync.world();
    let mut combining = Combining::default();
    for (position, metric) in hpa.metrics.iter().enumerate() {
        combining.add(match metric {
            Err(refused) => Err(refused.reason),
            Ok(metric) => {
                let reading = sync.answers.get(position).and_then(Option::as_ref);
                let proposal = reading.and_then(|reading| propose(hpa, metric, reading, &world).ok());
                let replicas = proposal.map(|proposal| proposal.replicas);
                replicas.ok_or_else(|| metric.source.failure())
            }
        });
    }
    combining.result(scale.replicas)
}

impl<'a> Sync<'a> {
    /// What one metric's proposal depends on besides its value.
    pub fn world(&self) -> World<'a> {
        World {
            cohorts: self.cohorts,
            current: self.scale.replicas,
            status: self.scale.status,
            controller: self.controller,
            now: self.now,
        }
    }
}

/// Applies stabilization, policies and bounds to the proposal of all metrics (`normalizeDesiredReplicas`,
/// `normalizeDesiredReplicasWithBehaviors`).
fn normalize(state: &mut State, sync: &Sync<'_>, proposal: i32) -> Decision {
    let Sync { hpa, scale, now, .. } = *sync;
    let current = scale.replicas;
    let (stable, (mut desired, reason)) = match &hpa.behavior {
        None => {
            let window = sync.controller.downscale_stabilization;
            let stable = stabilize::without_behavior(state, proposal, window, now);
            (stable, limit::without_behavior(hpa, current, stable.replicas))
        }
        Some(behavior) => {
            let stable = stabilize::with_behavior(state, behavior, current, proposal, now);
            let limited = limit::with_behavior(hpa, behavior, state, current, stable.replicas, now);
            (stable, limited)
        }
    };
    let limited = Condition {
        is_true: desired != stable.replicas,
        reason,
    };
    // From zero the bound comes last and overrides the policies: 100 % of 0 replicas would allow none.
    if current == 0 && desired < hpa.min {
        desired = hpa.min;
    }
    let disabled = hpa.behavior.as_ref().is_some_and(|behavior| {
        let up = proposal > current && behavior.up.select == Select::Disabled;
        up || (proposal < current && behavior.down.select == Select::Disabled)
    });
    // Upstream finds a disabled direction in the limits. The replicas are the same, and this says more.
    let cause = if disabled && desired == current {
        Cause::DirectionDisabled
    } else if limited.is_true {
        Cause::of_limit(reason)
    } else if stable.replicas == proposal {
        Cause::DesiredWithinRange
    } else {
        Cause::Stabilized
    };
    Decision {
        proposal: Some(proposal),
        eventually: if cause == Cause::DirectionDisabled {
            current
        } else {
            proposal.max(hpa.min).min(hpa.max)
        },
        conditions: Conditions {
            able_to_scale: Condition::yes(stable.reason),
            scaling_active: Some(Condition::yes(Reason::ValidMetricFound)),
            scaling_limited: Some(limited),
        },
        ..without_proposal(desired, cause, None)
    }
}

#[cfg(test)]
mod tests;
