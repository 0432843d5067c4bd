//! `vas test run --in-cluster`: sends the load from pods of a Job.

use std::time::Duration;

use super::{
    load_args::{ConnectionArgs, EngineArgs},
    masked_url::MaskedUrl,
    parcel::{FLAGS, Flags, PackError},
    progress::Shown,
    scenario_args::ScenarioArgs,
    watch_args::WatchArgs,
};
use crate::{
    duration,
    exit::{Code, CommandError},
    kube_config::KubeConfigError,
};
use vas_cluster::shutdown;
use vas_loadtest::{
    distributed::{
        NoReport,
        conduct::{ConductError, conduct},
        objects::Order,
        parcel::Parcel,
    },
    progress::Line,
    report::Report,
    scenario::{
        model::Scenario,
        part::{self, TooFew},
    },
};

/// Where the load is sent from.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Workers")]
pub(super) struct InClusterArgs {
    /// Send the load from pods of a Job, which begin together and share it: its users, its rate, its iterations and
    /// the rows of its data. The Job is removed afterwards. The scenario goes there as a Secret
    #[arg(
        long,
        group = "in_a_cluster",
        conflicts_with_all = ["watch", "web", "metrics_listen", "unix_socket", "dry_run"]
    )]
    in_cluster: bool,
    /// Number of pods
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 1,
        requires = "in_cluster",
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    workers: u32,
    /// Image of the pods, of this version of vas
    #[arg(
        long,
        value_name = "IMAGE",
        default_value = concat!("voiceassist/vas:", env!("CARGO_PKG_VERSION")),
        requires = "in_cluster"
    )]
    image: String,
    /// Secret for the registry of the image; may be given several times
    #[arg(long = "image-pull-secret", value_name = "NAME", requires = "in_cluster")]
    image_pull_secrets: Vec<String>,
    /// Service account of the pods, which needs no rights. Default: that of the namespace
    #[arg(long, value_name = "NAME", requires = "in_cluster")]
    service_account: Option<String>,
    /// Processors that each pod requests
    #[arg(long, value_name = "QUANTITY", default_value = "1", requires = "in_cluster")]
    worker_cpu: String,
    /// Memory that each pod requests, and the most that it may have
    #[arg(
        long,
        value_name = "QUANTITY",
        default_value = "512Mi",
        requires = "in_cluster"
    )]
    worker_memory: String,
    /// Longest wait until all pods are ready, such as for their image
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "5m",
        requires = "in_cluster",
        value_parser = duration::parse
    )]
    start_timeout: Duration,
}

/// Reasons why there is no report.
#[derive(Debug, thiserror::Error)]
pub(super) enum InClusterError {
    #[error("--in-cluster sends one scenario: run those of a suite one by one")]
    Suite,
    #[error(transparent)]
    TooFew(#[from] TooFew),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
    #[error(transparent)]
    Conduct(#[from] ConductError),
    #[error(transparent)]
    NoReport(#[from] NoReport),
}

impl CommandError for InClusterError {
    fn code(&self) -> Code {
        match self {
            Self::Suite | Self::TooFew(_) => Code::Invalid,
            Self::Pack(error) => error.code(),
            Self::Conduct(ConductError::NotBegun(_)) => Code::Precondition,
            Self::Conduct(ConductError::Interrupted) => Code::Interrupted,
            Self::NoReport(NoReport::None(_)) => Code::ProvesNothing,
            Self::Client(_) | Self::Signals(_) | Self::Conduct(_) | Self::NoReport(_) => Code::Failure,
        }
    }
}

/// The run of which the pods do their parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divided<'a> {
    pub(super) args: &'a ScenarioArgs,
    pub(super) target: Option<&'a MaskedUrl>,
    pub(super) connection: &'a ConnectionArgs,
    pub(super) engine: &'a EngineArgs,
    pub(super) cluster: &'a WatchArgs,
}

impl InClusterArgs {
    /// Whether the load is sent from pods.
    pub(super) fn is_wanted(&self) -> bool {
        self.in_cluster
    }

    /// Sends the only one of these scenarios from pods.
    ///
    /// # Errors
    /// When there are several, the load cannot be divided, or no worker reports.
    pub(super) async fn run(
        &self,
        scenarios: &[Scenario],
        run: Divided<'_>,
        mut progress: Shown,
    ) -> Result<Report, InClusterError> {
        let [scenario] = scenarios else {
            return Err(InClusterError::Suite);
        };
        part::divides(scenario, self.workers)?;
        let parcel = run.parcel()?;
        let (client, namespace) = run.cluster.cluster().await?;
        let stop = shutdown::on_signal().map_err(InClusterError::Signals)?;
        let order = self.order(scenario);
        let line = Line::of(scenario);
        let workers = conduct(&client, &namespace, &order, parcel, line, &stop, &mut progress);
        Ok(Box::pin(workers).await?.merged()?)
    }

    fn order(&self, scenario: &Scenario) -> Order {
        let teardown = scenario
            .teardown
            .as_ref()
            .map_or(0, |teardown| teardown.steps.len());
        let teardown = scenario
            .timeout
            .saturating_mul(u32::try_from(teardown).unwrap_or(u32::MAX));
        Order {
            workers: self.workers,
            image: self.image.clone(),
            pull_secrets: self.image_pull_secrets.clone(),
            service_account: self.service_account.clone(),
            cpu: self.worker_cpu.clone(),
            memory: self.worker_memory.clone(),
            arguments: ["test", "worker"].map(str::to_owned).to_vec(),
            start_within: self.start_timeout,
            load: scenario.load.profile().duration(),
            // A WebSocket may wait twice for the other side.
            patience: (2 * scenario.timeout).saturating_add(teardown),
        }
    }
}

impl Divided<'_> {
    /// What the pods need.
    fn parcel(&self) -> Result<Parcel, PackError> {
        let mut parcel = Parcel::default();
        let flags = Flags {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: self.args.packed(&mut parcel)?,
            target: self.target.cloned(),
            connection: self.connection.packed(&mut parcel)?,
            engine: self.engine.clone(),
        };
        parcel.file(FLAGS, serde_json::to_vec(&flags)?)?;
        parcel.fits()?;
        Ok(parcel)
    }
}
