//! The comparison as JSON, for programs.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use vas_core::replay::seconds;
use vas_loadtest::autoscaling::elasticity::Elasticity;

use super::{Capacity, Comparison, Row, Settings};
use crate::simulate::optimize::json::OptimizationPart;

/// Version of the format. It changes when a field changes its meaning; new fields may come without that.
const VERSION: u32 = 1;

/// A load replayed through policies (`vas simulate`).
#[derive(Debug, Serialize, JsonSchema)]
struct Document {
    /// Version of the format.
    version: u32,
    load: LoadPart,
    assumptions: AssumptionsPart,
    /// Guesses about metrics, one sentence each.
    assumed: Vec<String>,
    /// Metrics that are left out, with the reason.
    left_out: Vec<String>,
    /// One for each policy.
    policies: Vec<PolicyPart>,
    /// What `--optimize` found; absent without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    optimization: Option<OptimizationPart>,
}

/// The load.
#[derive(Debug, Serialize, JsonSchema)]
struct LoadPart {
    /// When the first value begins, in RFC 3339.
    start: String,
    /// Seconds until the last value ends.
    seconds: f64,
    /// Seconds that are judged: after the warm-up and in no gap.
    judged_seconds: f64,
    /// The largest rate, in requests per second.
    peak: f64,
    /// Requests that were offered in the judged time.
    offered: f64,
}

/// What is taken for granted.
#[derive(Debug, Serialize, JsonSchema)]
struct AssumptionsPart {
    /// Requests per second that one Ready pod serves at most.
    capacity: f64,
    /// Whether the capacity is the target divided by 0.7, because nobody gave it.
    capacity_of_target: bool,
    /// The longest time that a pod takes to become Ready, in seconds.
    time_to_ready_seconds: f64,
    /// A request that waits longer is a violation, in seconds.
    slo_seconds: f64,
    /// A request that would wait longer is refused, in seconds.
    patience_seconds: f64,
    /// Age of metrics: a scrape and a poll, in seconds.
    metric_age_seconds: f64,
    /// Time between syncs of the HPA controller, in seconds.
    sync_seconds: f64,
    /// The time at the beginning that is not judged, in seconds.
    warm_up_seconds: f64,
    /// Price of a replica for an hour; `null` without one.
    price: Option<f64>,
}

/// What came of one policy.
#[derive(Debug, Serialize, JsonSchema)]
struct PolicyPart {
    /// Name of the policy.
    name: String,
    /// Minutes in which the load was above what the Ready pods carry.
    short_minutes: f64,
    /// The same as a share of the judged time, from 0 to 1.
    short: f64,
    /// Requests that waited longer than the objective.
    violations: f64,
    /// Requests that waited longer than the patience.
    refused: f64,
    /// Replicas times hours, from their creation on.
    replica_hours: f64,
    /// Replicas on average.
    mean_replicas: f64,
    /// How often the replicas were changed.
    rescales: u32,
    /// The most replicas.
    peak: u32,
    /// Cost for a month of 730 h; `null` without a price.
    cost: Option<f64>,
    /// How well the replicas followed the load, in percent; lower is better. `null` if nothing was judged.
    elasticity: Option<ElasticityPart>,
}

/// Elasticity figures of SPEC-RG-2016-01, in percent.
#[derive(Debug, Serialize, JsonSchema)]
struct ElasticityPart {
    /// Missing replicas, in percent of the demand.
    under_accuracy: f64,
    /// Surplus replicas, in percent of the demand.
    over_accuracy: f64,
    /// Time with too few replicas.
    under_timeshare: f64,
    /// Time with too many replicas.
    over_timeshare: f64,
    /// Time in which replicas and demand moved in different directions.
    instability: f64,
}

/// The document.
///
/// # Errors
/// When it has no JSON form.
pub fn render(settings: &Settings, comparison: &Comparison) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&document(settings, comparison))
}

/// The JSON schema of the document.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Document).to_value()
}

fn document(settings: &Settings, comparison: &Comparison) -> Document {
    let assumptions = &settings.assumptions;
    let judged = comparison.rows.first().map(|row| row.outcome).unwrap_or_default();
    Document {
        version: VERSION,
        load: LoadPart {
            start: settings.load.start().to_string(),
            seconds: seconds(settings.load.end()),
            judged_seconds: judged.seconds,
            peak: settings.load.peak(),
            offered: judged.offered,
        },
        assumptions: AssumptionsPart {
            capacity: assumptions.capacity,
            capacity_of_target: settings.capacity == Capacity::OfTarget,
            time_to_ready_seconds: assumptions.time_to_ready.longest(),
            slo_seconds: assumptions.objective,
            patience_seconds: assumptions.patience,
            metric_age_seconds: seconds(assumptions.scrape + assumptions.poll),
            sync_seconds: seconds(assumptions.sync),
            warm_up_seconds: seconds(assumptions.warm_up),
            price: settings.price.map(super::super::cost::Price::hour),
        },
        assumed: settings.assumed.clone(),
        left_out: settings.left_out.clone(),
        policies: comparison.rows.iter().map(PolicyPart::from).collect(),
        optimization: comparison.optimization.as_ref().map(OptimizationPart::from),
    }
}

impl From<&Row> for PolicyPart {
    fn from(row: &Row) -> Self {
        let outcome = &row.outcome;
        Self {
            name: row.name.clone(),
            short_minutes: row.short_minutes(),
            short: outcome.short(),
            violations: outcome.violations,
            refused: outcome.refused,
            replica_hours: outcome.replica_hours(),
            mean_replicas: outcome.mean_replicas(),
            rescales: outcome.rescales,
            peak: outcome.peak,
            cost: row.cost,
            elasticity: row.elasticity.map(ElasticityPart::from),
        }
    }
}

impl From<Elasticity> for ElasticityPart {
    fn from(figures: Elasticity) -> Self {
        Self {
            under_accuracy: figures.under_accuracy,
            over_accuracy: figures.over_accuracy,
            under_timeshare: figures.under_timeshare,
            over_timeshare: figures.over_timeshare,
            instability: figures.instability,
        }
    }
}
