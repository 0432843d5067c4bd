//! A local search over neighbours, which keeps the best points of all that it tried (Pareto local search).
//!
//! Each round tries the neighbours of a few points of the front that have the most room around them. It ends where
//! every point of the front has no untried neighbour, or at the bound on the runs. Nothing is random.

use std::collections::BTreeMap;

use vas_core::replay::Outcome;

use super::{
    Effort,
    front::{Tried, front, room},
    space::{Place, Space},
};

/// Points whose neighbours are tried in one round.
const EXPANDED: usize = 4;
/// Settings that are short for more of the time than this, and than what there is, are not gone on from.
const MOST_SHORT: f64 = 0.01;

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Settings that were replayed.
    pub runs: usize,
    /// Settings that are replayed at most.
    pub most: usize,
    /// Points on the front so far.
    pub points: usize,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// What there is; `None` if it cannot be evaluated.
    pub(super) start: Option<Tried>,
    pub(super) front: Vec<Tried>,
    /// All settings that were replayed, in their order.
    pub(super) all: Vec<Tried>,
    /// What is short for a larger share of the time is not on the front.
    pub(super) most_short: f64,
    pub(super) runs: usize,
    /// Whether it ended before the bound.
    pub(super) complete: bool,
}

/// Searches the space. `evaluate` gives `None` for what breaks a rule. A front has points up to the shortage that
/// somebody wants, twice that of what there is, or 1 % of the time.
pub(super) fn search(
    space: &Space,
    effort: Effort,
    wanted: Option<f64>,
    evaluate: &(dyn Fn(&[usize]) -> Option<Outcome> + Sync),
    told: &mut dyn FnMut(Progress),
) -> Found {
    let mut found = Found {
        start: None,
        front: Vec::new(),
        all: Vec::new(),
        most_short: f64::INFINITY,
        runs: 0,
        complete: true,
    };
    let mut known: BTreeMap<Place, bool> = BTreeMap::new();
    let mut next = vec![space.start()];
    while !next.is_empty() {
        let outcomes = in_parallel(&next, effort.threads, &|place: &Place| evaluate(place));
        for (place, outcome) in next.drain(..).zip(outcomes) {
            known.entry(place.clone()).or_insert(false);
            if let Some(outcome) = outcome {
                found.runs += 1;
                found.all.push(Tried {
                    distance: space.distance(&place),
                    place,
                    outcome,
                });
            }
        }
        if found.start.is_none() {
            let Some(start) = found.all.first() else { break };
            found.most_short = MOST_SHORT
                .max(2.0 * start.outcome.short())
                .max(wanted.unwrap_or_default());
            found.start = Some(start.clone());
        }
        found.front = front(&found.all, found.most_short);
        told(Progress {
            runs: found.runs,
            most: effort.runs,
            points: found.front.len(),
        });
        next = round(space, &found.front, &mut known);
        let left = effort.runs.saturating_sub(found.runs);
        if next.len() > left {
            found.complete = false;
            next.truncate(left);
        }
    }
    found
}

/// The untried neighbours of those points of the front that have the most room, and have untried neighbours at all.
/// `known` has every place that was tried, and whether its neighbours were.
fn round(space: &Space, front: &[Tried], known: &mut BTreeMap<Place, bool>) -> Vec<Place> {
    let mut waiting: Vec<(&Tried, f64)> = front.iter().zip(room(front)).collect();
    waiting.retain(|(one, _)| known.get(&one.place) != Some(&true));
    waiting.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let (mut next, mut expanded) = (Vec::new(), 0);
    for (one, _) in waiting {
        let before = next.len();
        for neighbour in space.neighbours(&one.place) {
            if !known.contains_key(&neighbour) && !next.contains(&neighbour) {
                next.push(neighbour);
            }
        }
        known.insert(one.place.clone(), true);
        expanded += usize::from(next.len() > before);
        if expanded == EXPANDED {
            break;
        }
    }
    next
}

/// What a function gives for each item, in their order, on several threads.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    function: &(dyn Fn(&T) -> R + Sync),
) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    // Each thread takes every n-th item, because neighbours take about the same time.
    let of_thread = |first: usize| -> Vec<(usize, R)> {
        let items = items.iter().enumerate().skip(first).step_by(threads);
        items.map(|(position, item)| (position, function(item))).collect()
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|first| scope.spawn(move || of_thread(first)))
            .collect();
        let own = of_thread(0);
        let others = others.into_iter().flat_map(|one| {
            one.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        own.into_iter().chain(others).collect()
    });
    all.sort_by_key(|(position, _)| *position);
    all.into_iter().map(|(_, result)| result).collect()
}
