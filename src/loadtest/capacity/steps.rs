//! Sends the loads of a search one after the other. Each begins only when the service has recovered from the
//! one before.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    outcome,
    search::{self, Found, Next, Outcome, Search, SearchError},
};
use crate::{
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

/// Time from the decision to send to the first request, in which threads start.
const LEAD: Duration = Duration::from_millis(100);
/// Requests per second of a probe of the idle service.
const PROBE_RATE: f64 = 5.0;
/// Duration of a probe.
const PROBE: Duration = Duration::from_secs(1);
/// The service has recovered when its median latency is within this of that at the beginning.
const RECOVERED: Duration = Duration::from_millis(10);
/// After this many probes a service counts as permanently slow. A probe takes as long as its answers.
const PROBES: u32 = 60;

/// Why a search ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum StepError<E: std::error::Error + 'static> {
    /// The engine could not send the load.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The search has no result.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The state of the replicas cannot be read.
    #[error(transparent)]
    Steady(E),
    /// A signal interrupted the test.
    #[error("interrupted")]
    Interrupted,
    /// The service does not recover from a step.
    #[error(
        "the service has not recovered from the last step: its median latency is {now:.3} s, and was {before:.3} s when it was idle"
    )]
    NotRecovered {
        /// Median latency of the last probe, in seconds; infinite if requests failed.
        now: f64,
        /// Median latency of the first probe, in seconds.
        before: f64,
    },
}

/// How to send and judge a load.
#[derive(Clone, Debug)]
pub struct Steps {
    /// Journeys, thresholds and time limits. Its load is not used.
    pub scenario: Scenario,
    /// Target of the requests.
    pub target: Target,
    /// Settings of the engine.
    pub engine: engine::Settings,
    /// Duration of the load before each measurement, which is not measured.
    pub warm_up: Duration,
    /// Duration of a measurement.
    pub step: Duration,
    /// Cancelled to end the search early.
    pub stop: CancellationToken,
}

impl Steps {
    /// Finds the highest load that holds, and the number of steps that this took. `steady` says whether the
    /// replicas are as they should be. It is called before and after each step; a step during which replicas
    /// changed is inconclusive. `say` gets a line for each step.
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
            // After such a step requests may still be queued; the next step must not pay for them.
            if outcome != Outcome::Held {
                self.recover::<E>(idle).await?;
            }
            if let Next::Found(found) = next {
                return Ok((found, steps));
            }
        }
    }

    /// Runs one step: the warm-up, then the measurement.
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
    /// When the load cannot be sent, or the test is interrupted.
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

    /// The median latency of the service with almost no load, in seconds; infinite if requests fail.
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
        // A very fast service may double its latency by noise, so 10 ms more are allowed as well.
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
