//! The loads of a search, one after the other, each on a service that has recovered from the one before.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    outcome,
    search::{self, Found, Next, Outcome, Search, SearchError},
};
use crate::loadtest::{
    clock::RunClock,
    engine::{self, EngineError},
    http::Target,
    judge::judge,
    model::measured::End,
    report::Report,
    scenario::{
        model::{Load, Scenario},
        rate::Profile,
    },
};

/// From the decision to send to the first request: threads start meanwhile.
const LEAD: Duration = Duration::from_millis(100);
/// Requests per second of a look at an idle service.
const PROBE_RATE: f64 = 5.0;
/// Length of a look.
const PROBE: Duration = Duration::from_secs(1);
/// A service whose median is within this of the one it began with has recovered.
const RECOVERED: Duration = Duration::from_millis(10);
/// Looks until a service is taken to stay slow; each takes as long as its answers.
const PROBES: u32 = 60;

/// Why a search ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum StepError<E: std::error::Error + 'static> {
    /// See [`EngineError`].
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// See [`SearchError`].
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Whether the replicas are as they should be cannot be told.
    #[error(transparent)]
    Steady(E),
    /// By a signal.
    #[error("interrupted")]
    Interrupted,
    /// The service does not recover.
    #[error(
        "the service has not recovered from the last step: its median latency is {now:.3} s, and was {before:.3} s when it was idle"
    )]
    NotRecovered {
        /// Median of the last look, in seconds; infinite where requests failed.
        now: f64,
        /// Median of the first.
        before: f64,
    },
}

/// How steps are run.
#[derive(Clone, Debug)]
pub struct Steps {
    /// Journeys, thresholds and time limits; its load is not used.
    pub scenario: Scenario,
    /// Where requests go.
    pub target: Target,
    /// Settings of the engine.
    pub engine: engine::Settings,
    /// Load before each measurement, not measured.
    pub warm_up: Duration,
    /// Length of a measurement.
    pub step: Duration,
    /// Ends everything early.
    pub stop: CancellationToken,
}

impl Steps {
    /// Finds the highest load that holds, and how many steps it took. `steady` tells before and after each step whether
    /// the replicas are as they should be; a step during which they changed proves nothing. `say` is told of each step.
    ///
    /// # Errors
    /// See [`StepError`].
    pub async fn search<E: std::error::Error + 'static>(
        &self,
        settings: search::Settings,
        steady: impl AsyncFn() -> Result<bool, E>,
        mut say: impl FnMut(&str),
    ) -> Result<(Found, u32), StepError<E>> {
        let idle = self.probe::<E>().await?;
        let mut search = Search::new(settings);
        let mut steps = 0;
        loop {
            let load = search.load();
            let before = steady().await.map_err(StepError::Steady)?;
            let (mut outcome, mut why) = self.step::<E>(load).await?;
            let after = steady().await.map_err(StepError::Steady)?;
            if !(before && after) {
                outcome = Outcome::Inconclusive;
                "the replicas changed".clone_into(&mut why);
            }
            steps += 1;
            let words = match outcome {
                Outcome::Held => "held",
                Outcome::Failed => "failed",
                Outcome::Inconclusive => "proves nothing",
            };
            let colon = if why.is_empty() { "" } else { ": " };
            say(&format!("{load:.1}/s {words}{colon}{why}"));
            let next = search.step(outcome)?;
            if outcome != Outcome::Held {
                self.recover::<E>(idle).await?;
            }
            if let Next::Found(found) = next {
                return Ok((found, steps));
            }
        }
    }

    /// One step: warm-up, then the measurement.
    async fn step<E: std::error::Error + 'static>(
        &self,
        load: f64,
    ) -> Result<(Outcome, String), StepError<E>> {
        if !self.warm_up.is_zero() {
            self.run::<E>(Profile::constant(load, self.warm_up)).await?;
        }
        let report = self.run::<E>(Profile::constant(load, self.step)).await?;
        Ok(outcome::outcome(&report))
    }

    /// Sends a load and judges it.
    ///
    /// # Errors
    /// When it cannot be sent, or is interrupted.
    pub async fn run<E: std::error::Error + 'static>(
        &self,
        profile: Profile,
    ) -> Result<Report, StepError<E>> {
        let scenario = Arc::new(Scenario {
            load: Load::Open(profile),
            ..self.scenario.clone()
        });
        let clock = RunClock::begins_in(LEAD);
        let mut running = engine::start(scenario.clone(), &self.target, self.engine, clock)?;
        loop {
            tokio::select! {
                second = running.next_second() => if second.is_none() { break },
                () = self.stop.cancelled() => {
                    running.stop(End::Interrupted);
                    running.finish().await?;
                    return Err(StepError::Interrupted);
                }
            }
        }
        let measured = running.finish().await?;
        Ok(judge(
            &scenario,
            &self.target.origin,
            measured,
            Vec::new(),
            Vec::new(),
        ))
    }

    /// The median latency of a service with next to no load, in seconds; infinite where requests fail.
    async fn probe<E: std::error::Error + 'static>(&self) -> Result<f64, StepError<E>> {
        let total = self
            .run::<E>(Profile::constant(PROBE_RATE, PROBE))
            .await?
            .measured
            .total;
        let median = total.latency.quantile(0.5).filter(|_| total.failed() == 0);
        Ok(median.map_or(f64::INFINITY, |median| median.as_secs_f64()))
    }

    async fn recover<E: std::error::Error + 'static>(&self, idle: f64) -> Result<(), StepError<E>> {
        let enough = (2.0 * idle).max(idle + RECOVERED.as_secs_f64());
        let mut now = f64::INFINITY;
        for _ in 0..PROBES {
            now = self.probe::<E>().await?;
            if now <= enough {
                return Ok(());
            }
        }
        Err(StepError::NotRecovered { now, before: idle })
    }
}
