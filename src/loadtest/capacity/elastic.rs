//! Tests a workload while it scales: finds the highest plateau that it survives after a slow rise, and the
//! steepest ramp to 90 % of that plateau.
//!
//! Each try begins at the fewest replicas. For a plateau the load rises slowly and the replicas may settle;
//! only then is the load measured. A ramp is measured as a whole, including the time to settle, because users
//! feel all of it.

use std::time::Duration;

use super::{
    outcome,
    report::Elastic,
    search::{Next, Outcome, Search, SearchError, Settings},
    steps::{StepError, Steps},
};
use crate::{
    cluster::{
        error::ClusterError,
        resource::{Resource, Subject},
    },
    report::Report,
    scenario::rate::Profile,
};

/// Ramps go up to this share of the highest plateau: they test the ramp, not the plateau.
const RAMP_TO: f64 = 0.9;
/// Interval at which the replicas are read.
const POLL: Duration = Duration::from_secs(1);

/// Settings of the tries.
#[derive(Clone, Copy, Debug)]
pub struct ElasticSettings {
    /// Load that the fewest replicas carry, in requests per second.
    pub base: f64,
    /// Highest load to try, in requests per second.
    pub most: f64,
    /// Duration of the rise to a plateau.
    pub ramp: Duration,
    /// Time for the replicas to follow the load.
    pub settle: Duration,
    /// Longest wait before each try until the workload is back at its fewest replicas.
    pub scale_down: Duration,
}

/// Tries plateaus and ramps on a workload that scales.
#[derive(Debug)]
pub struct Trial<'a> {
    /// Sends loads and judges them.
    pub steps: &'a Steps,
    /// The resource of the workload.
    pub resource: &'a Resource,
    /// The workload that is scaled.
    pub subject: &'a Subject,
    /// Loads and times of the tries.
    pub settings: ElasticSettings,
}

impl Trial<'_> {
    /// Finds the plateau, then the ramp. `say` gets a line for each try.
    ///
    /// # Errors
    /// See [`StepError`].
    pub async fn run(&self, mut say: impl FnMut(&str)) -> Result<Elastic, StepError<ClusterError>> {
        let base = self.settings.base;
        let mut elastic = Elastic::default();
        let plateaus = Settings {
            start: base,
            growth: 1.5,
            precision: 0.05,
            most: self.settings.most,
            repeats: 1,
        };
        let mut search = Search::new(plateaus);
        elastic.plateau = loop {
            let load = search.load();
            let (outcome, why) = self.plateau(load, &mut elastic).await?;
            say(&format!("plateau of {load:.1}/s: {}", in_words(outcome, &why)));
            match search.step(outcome) {
                Ok(Next::Try(_)) => {}
                Ok(Next::Found(found)) => break Some(found.held),
                Err(SearchError::NothingHolds(_)) => break None,
                Err(error) => return Err(error.into()),
            }
        };
        let Some(peak) = elastic
            .plateau
            .map(|plateau| plateau * RAMP_TO)
            .filter(|peak| *peak > base)
        else {
            return Ok(elastic);
        };
        // The slowest ramp is the one by which the plateau was reached, so it is likely to be survived.
        let slowest = (peak - base) / self.settings.ramp.as_secs_f64().max(1.0);
        let mut search = Search::new(Settings {
            start: slowest,
            growth: 2.0,
            precision: 0.25,
            most: (peak - base).max(slowest),
            repeats: 1,
        });
        elastic.ramp = loop {
            let slope = search.load();
            let (outcome, why) = self.ramp(slope, peak, &mut elastic).await?;
            say(&format!(
                "ramp of {slope:.2}/s per second to {peak:.1}/s: {}",
                in_words(outcome, &why)
            ));
            match search.step(outcome) {
                Ok(Next::Try(_)) => {}
                Ok(Next::Found(found)) => break Some(found.held),
                Err(SearchError::NothingHolds(_)) => break None,
                Err(error) => return Err(error.into()),
            }
        };
        Ok(elastic)
    }

    async fn plateau(
        &self,
        load: f64,
        elastic: &mut Elastic,
    ) -> Result<(Outcome, String), StepError<ClusterError>> {
        self.at_the_fewest().await?;
        let mut profile = Profile::default();
        profile.line(self.settings.base.min(load), load, self.settings.ramp);
        profile.line(load, load, self.settings.settle);
        self.watched(profile, self.settings.ramp, elastic).await?;
        let report = self
            .steps
            .run::<ClusterError>(Profile::constant(load, self.steps.step))
            .await?;
        Ok(outcome::outcome(&report))
    }

    async fn ramp(
        &self,
        slope: f64,
        peak: f64,
        elastic: &mut Elastic,
    ) -> Result<(Outcome, String), StepError<ClusterError>> {
        self.at_the_fewest().await?;
        let base = self.settings.base;
        let rising = Duration::from_secs_f64((peak - base) / slope);
        let mut profile = Profile::default();
        profile.line(base, peak, rising);
        profile.line(peak, peak, self.settings.settle);
        let report = self.watched(profile, rising, elastic).await?;
        Ok(outcome::objective(&report))
    }

    /// Sends a load. Records how long after the end of the rise the last replica became Ready.
    async fn watched(
        &self,
        profile: Profile,
        rising: Duration,
        elastic: &mut Elastic,
    ) -> Result<Report, StepError<ClusterError>> {
        let watch = async {
            let (mut ready, mut after, mut waited) = (0, Duration::ZERO, Duration::ZERO);
            loop {
                // A read that fails is skipped; the next read sees the same replicas.
                if let Ok(now) = self.resource.ready(self.subject).await {
                    if now > ready && ready > 0 {
                        after = waited;
                    }
                    ready = now.max(ready);
                }
                let total = elastic.time_to_scale.unwrap_or(0.0);
                // Replicas that became Ready during the rise are in time.
                if after > rising {
                    elastic.time_to_scale = Some(total.max(after.saturating_sub(rising).as_secs_f64()));
                }
                tokio::time::sleep(POLL).await;
                waited += POLL;
            }
        };
        tokio::select! {
            report = self.steps.run(profile) => report,
            never = watch => never,
        }
    }

    async fn at_the_fewest(&self) -> Result<(), StepError<ClusterError>> {
        let fewest = self.subject.bounds.0;
        let mut waited = Duration::ZERO;
        loop {
            if self
                .resource
                .ready(self.subject)
                .await
                .map_err(StepError::Steady)?
                <= fewest
            {
                return Ok(());
            }
            if waited >= self.settings.scale_down {
                return Err(StepError::Steady(ClusterError::Precondition(format!(
                    "the workload was not back at its {fewest} replicas after {} s; allow more with --scale-down-timeout, or shorten scaleDown.stabilizationWindowSeconds",
                    waited.as_secs()
                ))));
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => waited += POLL,
                () = self.steps.stop.cancelled() => return Err(StepError::Interrupted),
            }
        }
    }
}

fn in_words(outcome: Outcome, why: &str) -> String {
    match outcome {
        Outcome::Held => "survived".to_owned(),
        Outcome::Failed => format!("not survived: {why}"),
        Outcome::Inconclusive => format!("proves nothing: {why}"),
    }
}
