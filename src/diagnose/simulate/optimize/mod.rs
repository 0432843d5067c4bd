//! `vas simulate --optimize`: which other settings of a workload would have cost less, or been short for less time.
//!
//! ```text
//! written    the resource as it is written, and the same with some fields changed
//! space      the fields that are searched, each with a list of values   values  those lists
//! saturated  what an overloaded pod shows, and whether the HPA scales up for it
//! search     a local search over neighbours in the space, with a bound on its runs
//! front      the settings that no other one beats in both shortage and cost
//! judge      replays half of the load; the other half judges what was found
//! goal       what is wanted, and why settings are recommended for it, in words
//! choice     chooses the one point that is recommended
//! patch      the change as a JSON Patch that applies only to what was simulated
//! command    the command that applies it, safe for a shell
//! text       the points as a table
//! ```
//!
//! Invariants: every point obeys the rules of `vas validate` and brings no new warning; the figures that a point is
//! found by and those that it is judged by come from different halves of the load. The same input gives the same answer,
//! on any number of threads. Must not: read a clock, print, or write a file.

mod choice;
mod command;
mod front;
mod goal;
pub(in crate::simulate) mod json;
mod judge;
mod patch;
mod saturated;
mod search;
mod space;
#[cfg(test)]
mod tests;
pub mod text;
mod values;
mod written;

pub use goal::{Goal, GoalError, Recommendation};
pub use judge::{Figures, Judged, Stretch};
pub use patch::Operation;
pub use search::Progress;
pub use written::Written;

use serde_json::Value;

use self::{
    choice::{Choice, Chosen},
    front::{Tried, spread},
    judge::{Halves, too_little},
    space::Space,
};
use super::comparison::Settings;

/// Most points that are shown.
pub const MOST_POINTS: usize = 20;

/// How long the search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Most settings that are replayed over the first half.
    pub runs: usize,
    /// How many are replayed at the same time.
    pub threads: usize,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimization {
    /// Name of the resource.
    pub name: String,
    /// Its namespace; `None` if neither a file nor the user names one.
    pub namespace: Option<String>,
    /// Flags with which kubectl reaches its cluster.
    pub kubectl: Vec<String>,
    /// The fields that were searched.
    pub fields: Vec<Field>,
    /// The stretch that the points were found on.
    pub fitted: Stretch,
    /// The stretch that they are judged on.
    pub judged: Stretch,
    /// Settings that were replayed over the first half.
    pub runs: usize,
    /// Whether no neighbour was left; else the bound on the runs ended the search.
    pub complete: bool,
    /// What there is.
    pub current: Point,
    /// The settings that no other one that was tried beats on the first half in both, and the recommended one. Those that
    /// are the cheapest on the first half come first.
    pub front: Vec<Point>,
    /// What was wanted.
    pub goal: Goal,
    /// What follows from it.
    pub recommendation: Recommendation,
    /// What turns the resource into the recommended one; empty where it stays as it is, and where a patch would change
    /// other environments than the one that was replayed.
    pub patch: Vec<Operation>,
    /// What is wrong with what there is, one sentence each.
    pub warnings: Vec<String>,
}

/// One field that was searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is, in a few words.
    pub name: String,
    /// Where it is, or would be: a JSON Pointer into the resource.
    pub pointer: String,
}

/// Settings, and what comes of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The value of each field, in the order of the fields.
    pub values: Vec<Value>,
    /// Figures on both halves.
    pub figures: Judged,
}

/// Reasons why nothing was searched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptimizeError {
    /// The resource breaks a rule, or nothing of it follows from the load.
    #[error("the resource cannot be replayed as it is written, so nothing can be searched around it")]
    Unreadable,
    /// The namespace is none.
    #[error(
        "the namespace {0:?} is no name of a namespace: write lower-case letters, digits and -, at most 63 characters"
    )]
    Namespace(String),
    /// No field can be changed.
    #[error(
        "nothing of the workload can be searched: both directions are Disabled, it has no modelled target, and minReplicas is maxReplicas"
    )]
    Nothing,
    /// A half has no value of the load.
    #[error(
        "half of the load has no value after the warm-up, so nothing can be fitted or judged: take a longer stretch"
    )]
    Empty,
}

/// Searches settings on the first half of the load and judges them on the second one. `told` hears of the progress.
///
/// # Errors
/// See [`OptimizeError`].
pub fn optimize(
    settings: &Settings,
    written: &Written,
    goal: &Goal,
    effort: Effort,
    told: &mut dyn FnMut(Progress),
) -> Result<Optimization, OptimizeError> {
    let namespace = written.metadata("namespace").or(written.namespace.as_deref());
    if let Some(wrong) = namespace.filter(|namespace| !command::is_namespace(namespace)) {
        return Err(OptimizeError::Namespace(wrong.to_owned()));
    }
    let space = Space::of(written, &settings.assumptions).ok_or(OptimizeError::Unreadable)?;
    if space.is_empty() {
        return Err(OptimizeError::Nothing);
    }
    let current = written
        .model(&written.document)
        .ok_or(OptimizeError::Unreadable)?;
    let halves = Halves::of(settings, &current);
    let evaluate = |place: &[usize]| {
        let model = written.model(&space.document(written, place))?;
        Some(halves.fit(&model))
    };
    let found = search::search(&space, effort, goal.most_short(), &evaluate, told);
    let start = found.start.ok_or(OptimizeError::Unreadable)?;
    let judge = |tried: &Tried| {
        let model = written.model(&space.document(written, &tried.place))?;
        Some(Point {
            values: space.values(&tried.place),
            figures: halves.judge(&model, tried.outcome),
        })
    };
    let current = judge(&start).ok_or(OptimizeError::Unreadable)?;
    let [fitted, judged] = halves.stretches(&current.figures);
    if fitted.hours <= 0.0 || judged.hours <= 0.0 {
        return Err(OptimizeError::Empty);
    }
    // Where no target makes the HPA scale up, the replicas only look cheap.
    let tried: Vec<Tried> = found
        .all
        .into_iter()
        .filter(|tried| space.scales_up(&tried.place))
        .collect();
    let chosen = match too_little(&fitted, &judged) {
        Some(reason) => Chosen {
            settings: None,
            reason,
        },
        None => Choice {
            goal,
            now: &current.figures,
            tried: &tried,
            most_short: found.most_short,
            figures: &|outcome| halves.figures(outcome),
            judge: &|some| search::in_parallel(some, effort.threads, &judge),
        }
        .make(),
    };
    let recommended = chosen.settings.map(|(tried, _)| tried);
    let shown = shown(found.front, recommended.as_ref());
    let mut reason = chosen.reason;
    let patch = match &recommended {
        Some(tried) => match elsewhere(written, &space.changed_in_base(&tried.place)) {
            Some(words) => {
                reason += &words;
                Vec::new()
            }
            None => space.patch(written, &tried.place),
        },
        None => Vec::new(),
    };
    // What was replayed once obeys the rules, so each has a point.
    let points = search::in_parallel(&shown, effort.threads, &judge);
    let front: Vec<Point> = points.into_iter().flatten().collect();
    let recommendation = Recommendation {
        point: shown
            .iter()
            .position(|tried| Some(&tried.place) == recommended.as_ref().map(|one| &one.place)),
        reason,
    };
    Ok(Optimization {
        name: written.metadata("name").unwrap_or_default().to_owned(),
        namespace: namespace.map(str::to_owned),
        kubectl: written.kubectl.clone(),
        fields: space.fields(),
        fitted,
        judged,
        runs: found.runs,
        complete: found.complete,
        current,
        front,
        goal: *goal,
        recommendation,
        patch,
        warnings: space.warnings,
    })
}

/// Why there is no patch, as a sentence: it would change these fields of the base for an environment that is not the one
/// of the resource.
fn elsewhere(written: &Written, fields: &[&str]) -> Option<String> {
    let environment = written
        .environment
        .as_deref()
        .filter(|_| written.is_elsewhere())?;
    (!fields.is_empty()).then(|| {
        format!(
            " There is no patch: the figures are those of the environment {environment}, and {} would be changed in the base, \
             which the resource's own environment uses too. Write the values of the point into spec.environments under {environment}.",
            fields.join(", ")
        )
    })
}

/// What is shown: points of the front, spread over it, and the recommended one in its place.
fn shown(front: Vec<Tried>, recommended: Option<&Tried>) -> Vec<Tried> {
    let mut shown = spread(front, MOST_POINTS);
    let Some(recommended) = recommended.filter(|one| shown.iter().all(|other| other.place != one.place))
    else {
        return shown;
    };
    shown = spread(shown, MOST_POINTS - 1);
    let cost = recommended.outcome.mean_replicas();
    let place = shown.partition_point(|one| one.outcome.mean_replicas() <= cost);
    shown.insert(place, recommended.clone());
    shown
}
