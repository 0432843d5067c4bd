//! `--watch`: a workload that is watched while any load is sent to it, without assertions on its replicas.

use super::{course, memory, news::Reported, state, watch::Watch, watched::Loaded};
use crate::{
    clock::RunClock,
    cluster::{error::ClusterError, resource::Resource},
    model::{check::Check, measured::Measured, scaling::Scaling},
    report::Workload,
    scenario::model::{Bound, Scenario},
};

/// A workload that is being watched.
#[derive(Debug)]
pub struct Watching {
    watch: Watch,
    per_replica: Option<f64>,
    reported: Reported,
}

impl Watching {
    /// Begins to watch a workload of the resource, and waits until it was seen once. `workload` may be left
    /// out where there is only one.
    ///
    /// # Errors
    /// When the workload does not exist, or must not be tested.
    pub async fn start(
        resource: &Resource,
        workload: Option<&str>,
        allow_production: bool,
    ) -> Result<Self, ClusterError> {
        let subject = resource.subject(workload, allow_production).await?;
        let hpa = resource.hpa(&subject.hpa).await?;
        let watch = Watch::start(resource, &subject, &hpa);
        watch.initial_sync().await?;
        Ok(Self {
            watch,
            per_replica: course::per_replica(&hpa),
            reported: Reported::default(),
        })
    }

    /// Starts the clock of the run, which observations are written on.
    pub(crate) fn begin(&self, clock: RunClock) {
        self.watch.begin(clock);
    }

    /// The news since the last call, and the current state in words.
    pub(crate) fn progress(&mut self) -> (Vec<String>, String) {
        let reported = &mut self.reported;
        self.watch
            .read(|observer| (reported.news(observer.scaling()), state::in_words(observer)))
    }

    /// What was seen so far.
    pub(crate) fn scaling(&self) -> Scaling {
        self.watch.read(|observer| observer.scaling().clone())
    }

    /// Ends the watch. Returns the observations, and the check of memory if a trend threshold is set.
    pub(crate) fn end(self, scenario: &Scenario, measured: &Measured) -> (Workload, Option<Check>) {
        let scaling = self.watch.end();
        let trend = scenario
            .thresholds
            .iter()
            .find_map(|threshold| match threshold.bound {
                Bound::Trend(growth) if threshold.step.is_none() => Some(growth),
                _ => None,
            });
        let check = trend.map(|growth| memory::check(&scaling, growth));
        let loaded = Loaded {
            scenario,
            measured,
            per_replica: self.per_replica,
            curve: None,
        };
        (loaded.workload(scaling), check)
    }
}
