//! The figures of each policy.

use vas_core::replay::Outcome;
use vas_loadtest::autoscaling::elasticity::{Elasticity, Sample, elasticity};

use super::settings::Settings;
use crate::simulate::optimize::Optimization;

/// What came of all policies.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// One row for each policy, in the order of the settings.
    pub rows: Vec<Row>,
    /// Other settings of the resource that would have been better; `None` where nobody asked for them.
    pub optimization: Option<Optimization>,
}

/// What came of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name of the policy.
    pub name: String,
    /// Its figures.
    pub outcome: Outcome,
    /// How well the replicas followed the load, sampled at each sync; `None` if nothing was judged. Its hours are
    /// not used: they count seconds.
    pub elasticity: Option<Elasticity>,
    /// Cost for a month, in the currency of the price; `None` without one.
    pub cost: Option<f64>,
}

impl Row {
    /// Minutes in which the load was above what the Ready pods carry.
    #[must_use]
    pub fn short_minutes(&self) -> f64 {
        self.outcome.short_seconds / 60.0
    }
}

/// Replays the load with each policy.
#[must_use]
pub fn compare(settings: &Settings) -> Comparison {
    let rows = settings.contenders.iter().map(|contender| {
        let mut samples = Vec::new();
        let outcome = settings.replay(contender, |moment| {
            if moment.judged {
                samples.push(Sample {
                    demand: moment.demand,
                    supply: moment.ready,
                });
            }
        });
        Row {
            name: contender.name.clone(),
            elasticity: elasticity(&samples),
            cost: settings.price.map(|price| price.month(outcome.mean_replicas())),
            outcome,
        }
    });
    Comparison {
        rows: rows.collect(),
        optimization: None,
    }
}
