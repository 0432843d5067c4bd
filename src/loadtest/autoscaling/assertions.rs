//! The assertions of an autoscaling test about replicas, as checks with their area of the grade.

mod budget;
mod stability;

use std::time::Duration;

use super::elasticity::Elasticity;
use crate::{
    model::{
        chain::{Chain, LinkKind},
        check::{Area, Check},
        scaling::{Moment, Scaling},
    },
    report::Workload,
};
use vas_core::k8s::duration;

/// What an autoscaling test asserts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asserted {
    /// Number of Ready replicas that the test has to see.
    pub wanted: u32,
    /// Number of replicas that the load needs.
    pub needed: u32,
    /// Longest time from the load to `wanted` Ready pods.
    pub scale_up: Duration,
    /// Allowed replicas above `needed`, as a share of it: 0.5 allows 6 where 4 are needed.
    pub overshoot: f64,
    /// Longest time from the end of the load to the fewest replicas; `None` if scaling down is not tested.
    pub scale_down: Option<Duration>,
    /// Allowed share of the time (0 to 1) with fewer replicas than the load needed. It is checked if the
    /// capacity is known.
    pub under_provisioned: f64,
}

/// When the load rose and fell, in seconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// When the load began to rise.
    pub rise: Moment,
    /// When the load fell.
    pub release: Moment,
    /// When the run was over.
    pub end: Moment,
}

/// The checks of a run.
pub fn checks(workload: &Workload, moments: Moments, asserted: &Asserted) -> Vec<Check> {
    let Workload {
        scaling,
        chains,
        elasticity,
    } = workload;
    let elasticity = elasticity.as_ref();
    let mut checks = vec![
        scale_up(scaling, chains, moments, asserted),
        overshoot(scaling, asserted),
        stability::check(scaling),
    ];
    checks.extend(elasticity.map(|elasticity| under_provisioned(elasticity, asserted)));
    checks.extend(budget::check(scaling));
    let scale_down = |limit| scale_down(scaling, moments, limit);
    checks.extend(asserted.scale_down.map(scale_down));
    checks
}

/// Checks the time to scale up. It counts from the moment at which the load exceeded what the replicas were
/// meant for.
fn scale_up(scaling: &Scaling, chains: &[Chain], moments: Moments, asserted: &Asserted) -> Check {
    let first = chains.first();
    let step = first.and_then(|chain| {
        chain
            .links
            .iter()
            .find(|link| link.kind == LinkKind::LoadStep)?
            .at
    });
    // The step may be unknown, or lie before the test's own rise if the load crossed the limit earlier.
    let from = step.unwrap_or(moments.rise).max(moments.rise);
    let before = scaling.replicas_at(moments.rise).map_or(0, |seen| seen.ready);
    let ready = scaling
        .ready_since(from, asserted.wanted)
        // Pods that become Ready after the load has gone are too late.
        .filter(|at| *at <= moments.release);
    let took = ready.map(|ready| ready - from);
    let most = scaling.replicas.iter().map(|seen| seen.ready).max().unwrap_or(0);
    let slowest = chains
        .iter()
        .filter_map(|chain| Some((chain.slowest()?.seconds?, chain.hint.clone()?)))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    Check {
        name: format!(
            "{before} to {} Ready pods in < {}",
            asserted.wanted,
            duration::format(asserted.scale_up)
        ),
        area: Area::TimeToScale,
        measured: took.map_or_else(
            || format!("{most} Ready pods at most while the load was on"),
            seconds,
        ),
        passed: took.is_some_and(|took| took < asserted.scale_up.as_secs_f64()),
        hint: None,
    }
    .or(slowest.map_or_else(
        || "the HPA never asked for more: look at its conditions with vas explain".to_owned(),
        |(_, hint)| hint,
    ))
}

fn overshoot(scaling: &Scaling, asserted: &Asserted) -> Check {
    let desired = scaling
        .replicas
        .iter()
        .map(|seen| seen.desired)
        .max()
        .unwrap_or(0);
    let most = f64::from(asserted.needed) * (1.0 + asserted.overshoot);
    Check {
        name: format!("at most {most:.0} replicas asked for"),
        area: Area::OverProvisioning,
        measured: format!("{desired}"),
        passed: f64::from(desired) <= most,
        hint: None,
}.or("pods that are not Ready yet make the others look busy: a scaleUp.stabilizationWindowSeconds of their start time, or smaller scaleUp policies")
}

fn under_provisioned(elasticity: &Elasticity, asserted: &Asserted) -> Check {
    let limit = 100.0 * asserted.under_provisioned;
    Check {
        name: format!("fewer replicas than needed for < {limit:.0}% of the time"),
        area: Area::UnderProvisioning,
        measured: format!(
            "{:.1}%, {:.1}% of the needed replicas missing on average",
            elasticity.under_timeshare, elasticity.under_accuracy
        ),
        passed: elasticity.under_timeshare < limit,
        hint: None,
}.or("a lower target or more minReplicas leave headroom while scaling; vas test capacity suggests a target")
}

fn scale_down(scaling: &Scaling, moments: Moments, limit: Duration) -> Check {
    // The time counts from the last moment at which the replicas came down and stayed down.
    let min = scaling.bounds.min;
    let down = scaling
        .replicas
        .iter()
        .rev()
        .take_while(|seen| seen.ready <= min && seen.current <= min);
    let at = down.last().map(|seen| seen.at.max(moments.release));
    let took = at.map(|at| at - moments.release);
    let left = scaling.replicas.last().map_or(0, |seen| seen.ready);
    Check {
        name: format!("back at {min} replicas in < {}", duration::format(limit)),
        area: Area::ScaleDown,
        measured: took.map_or_else(
            || format!("{left} replicas {} after the load", seconds(moments.end - moments.release)),
            seconds,
        ),
        passed: took.is_some_and(|took| took < limit.as_secs_f64()),
        hint: None,
}.or("some metric still asks for more: vas explain says which; the time is what scaleDown's window and policies allow, and two minutes")
}

/// Seconds in words: `1m12s`, `8.4s`.
fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1}s");
    }
    duration::format(Duration::from_secs_f64(seconds.round()))
}

#[cfg(test)]
mod tests;
