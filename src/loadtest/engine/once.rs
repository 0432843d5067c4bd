//! Does the steps of a setup or teardown, outside of the load. What they need is no part of the measurements.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::LocalSet};

use super::{
    ending::Ending,
    error::EngineError,
    inputs::Counters,
    journey,
    plan::{Plan, UserId},
    recorder::Message,
    sharing::PerUser,
    worker::{Share, Worker},
};
use crate::{
    clock::RunClock,
    http::Target,
    scenario::{
        model::{Journey, Load, Scenario},
        rate::Profile,
    },
};

/// Connections that the steps may have open at once: one for requests, and others where redirects lead.
const CONNECTIONS: u64 = 4;

/// Why the steps were not all done.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// A step cannot be sent.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A step failed.
    #[error("step {step:?}: {cause}")]
    Failed {
        /// Name of the step.
        step: String,
        /// Why it failed, without the secrets of the scenario.
        cause: String,
    },
}

/// Does the steps of a journey once, and returns the values of all variables.
///
/// # Errors
/// When a step cannot be sent, or fails; the steps after it are not done.
pub async fn once(
    scenario: &Scenario,
    journey: &Journey,
    target: &Target,
) -> Result<BTreeMap<String, String>, OnceError> {
    let scenario = alone(scenario, journey);
    let plan = Plan::new(&scenario, target)?;
    let names = plan.step_names().to_vec();
    let (messages, mut received) = mpsc::unbounded_channel();
    let share = Share {
        index: 0,
        threads: 1,
        part: scenario.part,
        connections: CONNECTIONS,
        per_user: PerUser {
            open: true,
            closed: true,
        },
        precise: false,
        clock: RunClock::begins_in(Duration::ZERO),
        turns: Vec::new(),
        counters: Arc::new(Counters::of(&scenario.inputs, scenario.part)),
        end_early: Ending::default().is_ordered(),
        messages,
    };
    let worker = Worker::new(share, &scenario, target, plan);
    let users = LocalSet::new();
    let turn = async {
        match worker.plan.journey_of(UserId { lane: 0, number: 0 }) {
            Some(journey) => journey::once(&worker, journey).await,
            None => BTreeMap::new(),
        }
    };
    let values = users.run_until(turn).await;
    worker.finish();
    while let Ok(message) = received.try_recv() {
        let Message::Totals(totals) = message else {
            continue;
        };
        for (name, step) in names.iter().zip(&totals.steps) {
            if let Some(failure) = step.failures.keys().next() {
                let cause = match failure.detail() {
                    Some(detail) => format!("{failure}: {detail}"),
                    None => failure.to_string(),
                };
                let mut secrets = scenario.inputs.secrets.clone();
                for value in values.values() {
                    secrets.add(value.clone());
                }
                return Err(OnceError::Failed {
                    step: name.clone(),
                    cause: secrets.masked(&cause).into_owned(),
                });
            }
        }
    }
    Ok(values)
}

/// The scenario whose only user does this journey.
pub(super) fn alone(scenario: &Scenario, journey: &Journey) -> Scenario {
    Scenario {
        journeys: vec![journey.clone()],
        load: Load::Closed(Profile::constant(1.0, scenario.timeout)),
        iterations: None,
        ..scenario.clone()
    }
}
