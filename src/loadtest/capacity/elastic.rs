//! With scaling on: the highest plateau that is survived when it is reached slowly, and the steepest ramp to it.
//!
//! Each try begins at the fewest replicas. A plateau is ramped up to, given time to settle, and only then measured. A
//! ramp is measured as a whole, with the time it takes to settle: who was there meanwhile felt it.

use std::time::Duration;

use super::{
    outcome,
    report::Elastic,
    search::{Next, Outcome, Search, SearchError, Settings},
    steps::{StepError, Steps},
};
use crate::loadtest::{
    cluster::{
        error::ClusterError,
        resource::{Resource, Subject},
    },
    report::Report,
    scenario::rate::Profile,
};

/// Share of the highest plateau to which ramps go: they find out about ramps, not about the plateau.
const RAMP_TO: f64 = 0.9;
/// From one look at the replicas to the next.
const POLL: Duration = Duration::from_secs(1);

/// How it is tried.
#[derive(Clone, Copy, Debug)]
pub struct ElasticSettings {
    /// Load that the fewest replicas carry.
    pub base: f64,
    /// Highest load to try.
    pub most: f64,
    /// Time to ramp up to a plateau.
    pub ramp: Duration,
    /// Time for the replicas to follow.
    pub settle: Duration,
    /// Longest wait for the fewest replicas before each try.
    pub scale_down: Duration,
}

/// Tries plateaus and ramps on a workload that scales.
#[derive(Debug)]
pub struct Trial<'a> {
    /// How loads are sent and judged.
    pub steps: &'a Steps,
    /// Where the workload is.
    pub resource: &'a Resource,
    /// The workload.
    pub subject: &'a Subject,
    /// See [`ElasticSettings`].
    pub settings: ElasticSettings,
}

impl Trial<'_> {
    /// Finds the plateau, then the ramp. `say` is told of each try.
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
            say(&format!("plateau of {load:.1}/s: {}", told(outcome, &why)));
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
                told(outcome, &why)
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

    /// Sends a load, and takes down how long after its rise the last replica became Ready.
    async fn watched(
        &self,
        profile: Profile,
        rising: Duration,
        elastic: &mut Elastic,
    ) -> Result<Report, StepError<ClusterError>> {
        let watch = async {
            let (mut ready, mut after, mut waited) = (0, Duration::ZERO, Duration::ZERO);
            loop {
                // A look that fails is one less; the next one sees the same.
                if let Ok(now) = self.resource.ready(self.subject).await {
                    if now > ready && ready > 0 {
                        after = waited;
                    }
                    ready = now.max(ready);
                }
                let total = elastic.time_to_scale.unwrap_or(0.0);
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

fn told(outcome: Outcome, why: &str) -> String {
    match outcome {
        Outcome::Held => "survived".to_owned(),
        Outcome::Failed => format!("not survived: {why}"),
        Outcome::Inconclusive => format!("proves nothing: {why}"),
    }
}
