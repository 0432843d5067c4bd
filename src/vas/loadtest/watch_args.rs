//! `--watch`: observes a workload while load is sent to it.

use super::{subject_args, watched};
use crate::kube_config::{KubeConfigArgs, KubeConfigError};
use vas_loadtest::{
    autoscaling::{course, memory, news::Told, watch::Watch, watched::Loaded},
    clock::RunClock,
    cluster::error::ClusterError,
    model::{check::Check, measured::Measured},
    report::Workload,
    scenario::model::{Bound, Scenario},
};

/// The workload to watch.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct WatchArgs {
    /// Watch the HPA, pods and metrics of this VoiceAssistScaling during the run: the report shows replicas
    /// and scale-ups, and a trend threshold is checked for the pods' memory too
    #[arg(long, value_name = "NAME")]
    watch: Option<String>,
    /// Namespace of the VoiceAssistScaling. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NAMESPACE", requires = "watch")]
    namespace: Option<String>,
    /// The workload; may be left out where there is only one
    #[arg(short, long, value_name = "NAME", requires = "watch")]
    workload: Option<String>,
    /// Test a namespace or environment that is production
    #[arg(long, requires = "watch")]
    allow_production: bool,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

/// Reasons why the workload cannot be watched.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    /// The API server cannot be reached.
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    /// The cluster refused a request, or the workload cannot be tested.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl WatchError {
    /// Whether the workload does not exist or must not be tested.
    pub(super) fn is_precondition(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_precondition())
    }
}

/// A workload that is being watched.
pub(super) struct Watching {
    watch: Watch,
    per_replica: Option<f64>,
    told: Told,
}

impl WatchArgs {
    /// Begins to watch, if `--watch` is given.
    ///
    /// # Errors
    /// When the workload does not exist, or must not be tested.
    pub(super) async fn start(&self) -> Result<Option<Watching>, WatchError> {
        let Some(name) = &self.watch else {
            return Ok(None);
        };
        let (resource, _) = subject_args::resource(&self.kube, self.namespace.as_deref(), name).await?;
        let subject = resource
            .subject(self.workload.as_deref(), self.allow_production)
            .await?;
        let hpa = resource.hpa(&subject.hpa).await?;
        let watch = Watch::start(&resource, &subject, &hpa);
        watch.first_look().await?;
        Ok(Some(Watching {
            watch,
            per_replica: course::per_replica(&hpa),
            told: Told::default(),
        }))
    }
}

impl Watching {
    /// Starts the clock of the run, which observations are written on.
    pub(super) fn begin(&self, clock: RunClock) {
        self.watch.begin(clock);
    }

    /// The news since the last call, and the current state in words.
    pub(super) fn look(&mut self) -> (Vec<String>, String) {
        let told = &mut self.told;
        self.watch
            .look(|observer| (told.news(observer.scaling()), watched::state(observer)))
    }

    /// Ends the watch. Returns the observations, and the check of memory if a trend threshold is set.
    pub(super) fn end(self, scenario: &Scenario, measured: &Measured) -> (Workload, Option<Check>) {
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
