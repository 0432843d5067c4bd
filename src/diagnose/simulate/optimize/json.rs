//! What the search found, for programs: the member `optimization` of the result.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Figures, Operation, Optimization, Point, Stretch};

/// What `--optimize` found.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::simulate) struct OptimizationPart {
    /// The fields that were searched.
    fields: Vec<FieldPart>,
    /// The stretch that the points were found on.
    fitted: StretchPart,
    /// The stretch that they are judged on.
    judged: StretchPart,
    /// Settings that were replayed over the first half.
    runs: usize,
    /// Whether no neighbour was left; else the bound on the runs ended the search.
    complete: bool,
    /// What there is.
    current: PointPart,
    /// At most 20 settings: some that no other one that was tried beat on the first half in both shortage and cost, and the
    /// recommended one. Those that are the cheapest on the first half come first.
    front: Vec<PointPart>,
    recommendation: RecommendationPart,
    /// What is wrong with what there is, one sentence each.
    warnings: Vec<String>,
}

/// A field that was searched.
#[derive(Debug, Serialize, JsonSchema)]
struct FieldPart {
    /// What it is, in a few words.
    name: String,
    /// Where it is: a JSON Pointer into the resource.
    path: String,
}

/// A stretch of time, in RFC 3339.
#[derive(Debug, Serialize, JsonSchema)]
struct StretchPart {
    /// When it begins.
    from: String,
    /// When it ends.
    to: String,
    /// Hours of it in which the load has a value.
    hours_with_values: f64,
}

/// Settings, and what comes of them.
#[derive(Debug, Serialize, JsonSchema)]
struct PointPart {
    /// The value of each field, in the order of the fields.
    values: Vec<Value>,
    /// On the first half.
    fitted: FiguresPart,
    /// On the second half.
    judged: FiguresPart,
    /// On the second half with half of the time to Ready.
    at_half_time_to_ready: FiguresPart,
    /// On the second half with twice the time to Ready.
    at_twice_time_to_ready: FiguresPart,
}

/// What came of settings on one half.
#[derive(Debug, Serialize, JsonSchema)]
struct FiguresPart {
    /// Minutes in which the load was above what the Ready pods carry.
    short_minutes: f64,
    /// The same as a share of the judged time, from 0 to 1.
    short: f64,
    /// Requests that waited longer than the objective.
    violations: f64,
    /// Requests that waited longer than the patience.
    refused: f64,
    /// Replicas on average.
    mean_replicas: f64,
    /// Cost for a month of 730 h; without a price the replica-hours of a month.
    cost: f64,
    /// How often the replicas were changed.
    rescales: u32,
}

/// The one point that is recommended.
#[derive(Debug, Serialize, JsonSchema)]
struct RecommendationPart {
    /// Position in the front, from 0; `null` to keep what there is.
    point: Option<usize>,
    /// Why, as a sentence.
    reason: String,
    /// A JSON Patch (RFC 6902) that applies only to what was replayed; empty to keep what there is, and where the reason
    /// says why there is none.
    patch: Vec<Operation>,
}

impl From<&Optimization> for OptimizationPart {
    fn from(found: &Optimization) -> Self {
        let fields = found.fields.iter().map(|field| FieldPart {
            name: field.name.clone(),
            path: field.pointer.clone(),
        });
        Self {
            fields: fields.collect(),
            fitted: found.fitted.into(),
            judged: found.judged.into(),
            runs: found.runs,
            complete: found.complete,
            current: (&found.current).into(),
            front: found.front.iter().map(PointPart::from).collect(),
            recommendation: RecommendationPart {
                point: found.recommendation.point,
                reason: found.recommendation.reason.clone(),
                patch: found.patch.clone(),
            },
            warnings: found.warnings.clone(),
        }
    }
}

impl From<Stretch> for StretchPart {
    fn from(stretch: Stretch) -> Self {
        Self {
            from: stretch.from.to_string(),
            to: stretch.to.to_string(),
            hours_with_values: stretch.hours,
        }
    }
}

impl From<&Point> for PointPart {
    fn from(point: &Point) -> Self {
        let figures = &point.figures;
        Self {
            values: point.values.clone(),
            fitted: figures.fitted.into(),
            judged: figures.judged.into(),
            at_half_time_to_ready: figures.at_half.into(),
            at_twice_time_to_ready: figures.at_twice.into(),
        }
    }
}

impl From<Figures> for FiguresPart {
    fn from(figures: Figures) -> Self {
        let outcome = figures.outcome;
        Self {
            short_minutes: outcome.short_seconds / 60.0,
            short: outcome.short(),
            violations: outcome.violations,
            refused: outcome.refused,
            mean_replicas: outcome.mean_replicas(),
            cost: figures.cost,
            rescales: outcome.rescales,
        }
    }
}
