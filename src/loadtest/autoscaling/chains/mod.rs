//! Time-to-scale chains. There is one chain for each time that more replicas became desired. It has the
//! moment of each event between the rise of the load and the recovery of the latency:
//!
//! ```text
//! load step -> metric visible -> desired -> pod created -> scheduled -> started -> Ready -> p95 below its objective
//! ```

mod hint;

use crate::{
    model::{
        chain::{Chain, Link, LinkKind},
        measured::Second,
        scaling::{EventKind, Moment, Scaling},
    },
    scenario::rate::Profile,
};
use vas_core::hpa::TOLERANCE;

/// How much earlier than in the HPA's status the pods may be seen, in seconds. They come by another watch,
/// and the controller writes the scale before its own status.
const APART: f64 = 1.0;
/// Resolution of the search back in time for the load step, in seconds.
const STEP: f64 = 0.05;
/// This many seconds in a row below the objective are a recovery.
const CALM: usize = 3;

/// The load that the replicas followed.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The planned load.
    pub profile: &'a Profile,
    /// Load that one replica is meant for, in the unit of the profile, if known.
    pub per_replica: Option<f64>,
    /// Bound of the p95 latency in seconds, if there is one.
    pub objective: Option<f64>,
}

/// The chains of all scale-ups, in order of time.
pub fn chains(scaling: &Scaling, seconds: &[Second], load: &Load<'_>) -> Vec<Chain> {
    let mut pods = created(scaling);
    let rises = rises(scaling);
    let ends = rises.iter().skip(1).map(|rise| rise.at).chain([f64::INFINITY]);
    rises
        .iter()
        .zip(ends)
        .map(|(rise, next)| {
            let new = take(&mut pods, rise, next);
            chain(scaling, seconds, load, rise, &new)
        })
        .collect()
}

/// One scale-up: more replicas became desired.
#[derive(Clone, Copy, Debug)]
struct Rise {
    at: Moment,
    from: u32,
    to: u32,
}

/// The scale-ups. The number of desired replicas is the greater one of the HPA's status and the target's
/// spec, because the controller writes the spec first.
fn rises(scaling: &Scaling) -> Vec<Rise> {
    let mut rises = Vec::new();
    let mut before: Option<u32> = None;
    for seen in &scaling.replicas {
        let wanted = seen.desired.max(seen.current);
        if let Some(from) = before.filter(|from| wanted > *from) {
            rises.push(Rise {
                at: seen.at,
                from,
                to: wanted,
            });
        }
        before = Some(wanted);
    }
    rises
}

/// New pods as (moment, name), the latest first, so that the earliest can be popped from the end.
fn created(scaling: &Scaling) -> Vec<(Moment, String)> {
    let created = scaling
        .events
        .iter()
        .filter(|event| event.kind == EventKind::PodCreated);
    let mut created: Vec<(Moment, String)> = created.map(|event| (event.at, event.object.clone())).collect();
    created.reverse();
    created
}

/// The pods of one scale-up: the next ones in time, but none that came after the following scale-up.
fn take(pods: &mut Vec<(Moment, String)>, rise: &Rise, next: Moment) -> Vec<(Moment, String)> {
    let mut taken = Vec::new();
    while let Some((at, _)) = pods.last() {
        let wanted = u32::try_from(taken.len()).unwrap_or(u32::MAX) < rise.to - rise.from;
        if *at >= next || (*at >= rise.at - APART && !wanted) {
            break;
        }
        let pod = pods.pop();
        // Pods that came before the scale-up replace others, and belong to none.
        taken.extend(pod.filter(|(at, _)| *at >= rise.at - APART));
    }
    taken
}

fn chain(
    scaling: &Scaling,
    seconds: &[Second],
    load: &Load<'_>,
    rise: &Rise,
    new: &[(Moment, String)],
) -> Chain {
    let step = load_step(load, rise);
    let all = new.len() == usize::try_from(rise.to - rise.from).unwrap_or(usize::MAX);
    // The moment at which the last of the new pods reached a state; known only when all of them did.
    let last = |kind| {
        let moments: Option<Vec<Moment>> = new.iter().map(|(_, pod)| scaling.when(kind, pod)).collect();
        moments
            .filter(|moments| all && !moments.is_empty())
            .map(|moments| moments.into_iter().fold(0.0, f64::max))
    };
    let ready = last(EventKind::PodReady);
    let moments = [
        (LinkKind::LoadStep, step),
        (LinkKind::MetricVisible, visible(scaling, rise, step)),
        (LinkKind::Desired, Some(rise.at)),
        (LinkKind::PodCreated, new.first().map(|(at, _)| at.max(rise.at))),
        (LinkKind::Scheduled, last(EventKind::PodScheduled)),
        (LinkKind::Started, last(EventKind::PodStarted)),
        (LinkKind::Ready, ready),
        (
            LinkKind::Recovered,
            recovered(seconds, load, step.unwrap_or(rise.at), ready),
        ),
    ];
    // A link without a moment has no duration. The next link is measured from the last known moment.
    let mut before: Option<Moment> = None;
    let links = moments.map(|(kind, at)| {
        let seconds = before.zip(at).map(|(before, at)| (at - before).max(0.0));
        before = at.or(before);
        Link { kind, at, seconds }
    });
    let mut chain = Chain {
        from: rise.from,
        to: rise.to,
        links: links.to_vec(),
        hint: None,
    };
    chain.hint = chain.slowest().map(|slowest| hint::of(slowest.kind).to_owned());
    chain
}

/// When the load exceeded what the replicas before were meant for, without falling below that until more
/// became desired. If `per_replica` is not known: when the load began its last rise. `None` if the load has
/// not risen.
fn load_step(load: &Load<'_>, rise: &Rise) -> Option<Moment> {
    let Some(per_replica) = load.per_replica else {
        return last_rise(load.profile, rise.at);
    };
    let most = f64::from(rise.from) * per_replica * (1.0 + TOLERANCE);
    // Goes back in time from the scale-up to the moment at which the load crossed the limit.
    let mut at = rise.at;
    if load.profile.level(at) <= most {
        return None;
    }
    while at > 0.0 && load.profile.level(at) > most {
        at -= STEP;
    }
    Some((at + STEP).min(rise.at))
}

fn last_rise(profile: &Profile, before: Moment) -> Option<Moment> {
    let (mut start, mut level, mut rise) = (0.0, None, None);
    for (from, to, length) in profile.lines() {
        let higher = level.is_some_and(|level| from > level) || to > from;
        if higher && start <= before {
            rise = Some(start);
        }
        level = Some(to);
        start += length.as_secs_f64();
    }
    rise
}

/// When a metric first asked for more replicas, at the load step or after it. A ratio asks for ratio times
/// Ready pods: 1.5 with 4 Ready pods asks for 6 replicas.
fn visible(scaling: &Scaling, rise: &Rise, step: Option<Moment>) -> Option<Moment> {
    let asks = |ratio: f64, at: Moment| {
        let ready = scaling.replicas_at(at).map_or(0, |seen| seen.ready);
        ratio * f64::from(ready) > f64::from(rise.from) * (1.0 + TOLERANCE)
    };
    let seen = scaling
        .metrics
        .iter()
        .filter(|seen| step.is_none_or(|step| seen.at >= step) && seen.at <= rise.at + APART);
    let first = seen
        .filter(|seen| seen.ratio.is_some_and(|ratio| asks(ratio, seen.at)))
        .map(|seen| seen.at.min(rise.at));
    first.reduce(f64::min)
}

/// When the p95 latency stayed below its objective again. `None` if it never was above, or never came back.
fn recovered(seconds: &[Second], load: &Load<'_>, from: Moment, ready: Option<Moment>) -> Option<Moment> {
    let (objective, ready) = (load.objective?, ready?);
    let after: Vec<(f64, bool)> = seconds
        .iter()
        .map(|second| (f64::from(second.at), bad(second, objective)))
        .filter(|(at, _)| *at + 1.0 > from)
        .collect();
    // There must be bad seconds before the pods are Ready; otherwise the users felt nothing, and calm is no
    // recovery.
    let felt = after.iter().any(|(at, bad)| *bad && *at <= ready);
    let calm = after
        .windows(CALM)
        .find(|window| {
            window.first().is_some_and(|(at, _)| *at >= ready.floor()) && window.iter().all(|(_, bad)| !bad)
        })
        .and_then(|window| window.first())
        .map(|(at, _)| at.max(ready));
    calm.filter(|_| felt)
}

/// Whether in this second the p95 latency was above the objective, or failures were more than 5 % of the
/// answered requests.
fn bad(second: &Second, objective: f64) -> bool {
    let slow = second
        .latency
        .is_some_and(|latency| latency.p95.as_secs_f64() > objective);
    slow || second.failed > second.answered / 20
}

#[cfg(test)]
mod tests;
