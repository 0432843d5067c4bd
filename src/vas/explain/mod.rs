//! `vas explain`: says why a workload has the replicas it has.

mod print;

use std::{path::PathBuf, time::Duration};

use clap::ValueEnum;

use crate::{
    duration,
    exit::{Code, CommandError, Ended},
    kube_config::{KubeConfigArgs, KubeConfigError, namespace_of},
    matchers::LabelsArgs,
    output::{self, OutputError},
    runtime,
};
use vas_cluster::clock::SystemClock;
use vas_core::{
    hpa::{Controller, Gates},
    metrics::promql::ReservedLabel,
};
use vas_diagnose::explain::{
    Explanation, Servers, Settings,
    run::{self, Subject},
};
use vas_metrics_server::{ConfigError, ConfigFile};

/// Say why a workload did, or did not, scale
///
/// For each workload and each of its metrics: the query to Prometheus, the value as the HPA gets it right now
/// and its age, the target, and how many replicas the HPA would want from it alone. Then which metric
/// decides, and which bound, window or policy limits it. The values are read through the API server with your
/// own rights, and nothing is written.
///
/// The numbers come from the same arithmetic as the HPA controller's. The controller keeps the
/// recommendations of the last minutes and its own rescales in its memory, which nobody else can read. Where
/// they could change the outcome, the output says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas explain voiceassist -n voiceassist-production
  vas explain voiceassist -n voiceassist-production --workload worker
  vas explain voiceassist -n voiceassist-production -o json | jq '.workloads[].summary'

How to read a metric:
  * request-rate (Pods): 150 per pod, target 100 per pod, 1.50x  ->  5 replicas
  ^ it decides           ^ the value now                  ^      ^ wanted from it alone
                                                          value over target

Exit codes: 0 explained, 1 the resource cannot be read, 2 usage.")]
pub(super) struct Args {
    /// Name of the VoiceAssistScaling
    #[arg(value_name = "NAME")]
    name: String,
    /// Namespace of the VoiceAssistScaling. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Explain this workload only
    #[arg(short, long, value_name = "NAME")]
    workload: Option<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    kube: KubeConfigArgs,
    #[command(flatten)]
    labels: LabelArgs,
    #[command(flatten)]
    controller: ControllerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people.
    Text,
    /// One JSON object.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Labels of series, with the same flags as `vas metrics-server`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Flags of vas metrics-server")]
struct LabelArgs {
    /// The configuration file of the metrics server, if it reads one: labels and queries are those of the
    /// Prometheus that each metric names
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["namespace_label", "pod_label", "matchers"],
        env = "VAS_CONFIG"
    )]
    config: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelsArgs,
}

/// Flags of kube-controller-manager, which cannot be read from a cluster.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Flags of kube-controller-manager")]
struct ControllerArgs {
    /// Deviation from a target that is ignored
    #[arg(
        long = "horizontal-pod-autoscaler-tolerance",
        value_name = "FRACTION",
        default_value_t = 0.1
    )]
    tolerance: f64,
    /// How long CPU of a starting pod may not count
    #[arg(long = "horizontal-pod-autoscaler-cpu-initialization-period", value_name = "DURATION", default_value = "5m", value_parser = duration::parse)]
    cpu_initialization_period: Duration,
    /// How long after its start a pod that is not ready counts as starting
    #[arg(long = "horizontal-pod-autoscaler-initial-readiness-delay", value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    initial_readiness_delay: Duration,
    /// Stabilization window for scaling down, for HPAs that set none
    #[arg(long = "horizontal-pod-autoscaler-downscale-stabilization", value_name = "DURATION", default_value = "5m", value_parser = duration::parse)]
    downscale_stabilization: Duration,
}

/// Reasons why the queries of the metrics server are not known.
#[derive(Debug, thiserror::Error)]
enum LabelArgsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("--matchers: {0}")]
    Matchers(#[from] ReservedLabel),
}

/// Reasons why there is no explanation.
#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error(transparent)]
    Labels(#[from] LabelArgsError),
    #[error(transparent)]
    Kube(#[from] KubeConfigError),
    #[error(transparent)]
    Explain(#[from] run::ExplainError),
}

impl CommandError for ExplainError {
    fn code(&self) -> Code {
        match self {
            Self::Labels(_) | Self::Explain(run::ExplainError::NoWorkload { .. }) => Code::Invalid,
            Self::Kube(_) | Self::Explain(_) => Code::Failure,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let settings = Settings {
            prometheus: self.labels.servers().map_err(ExplainError::from)?,
            controller: self.controller.settings(),
        };
        let explanation = runtime::of_this_thread()?.block_on(self.explain(&settings))?;
        self.print(&explanation)?;
        Ok(Code::Success)
    }

    async fn explain(&self, settings: &Settings) -> Result<Explanation, ExplainError> {
        let client = self.kube.client().await?;
        let subject = Subject {
            namespace: namespace_of(self.namespace.as_deref(), &client),
            name: self.name.clone(),
            workload: self.workload.clone(),
        };
        Ok(run::run(client, &subject, settings, &SystemClock::new()).await?)
    }

    fn print(&self, explanation: &Explanation) -> Result<(), OutputError> {
        output::text(&match self.output {
            Format::Text => print::text(explanation),
            Format::Json => serde_json::to_string_pretty(explanation)? + "\n",
            Format::Yaml => serde_saphyr::to_string(explanation)?,
        })
    }
}

impl LabelArgs {
    fn servers(&self) -> Result<Servers, LabelArgsError> {
        let Some(file) = &self.config else {
            let labels = self.labels.labels()?;
            return Ok(Servers::One(labels));
        };
        let servers = ConfigFile::new(file).servers()?.into_iter();
        Ok(Servers::Named(
            servers.map(|(name, settings)| (name, settings.source)).collect(),
        ))
    }
}

impl ControllerArgs {
    fn settings(&self) -> Controller {
        let window = self.downscale_stabilization.as_secs();
        Controller {
            tolerance: self.tolerance,
            downscale_stabilization: i32::try_from(window).unwrap_or(i32::MAX),
            cpu_initialization_period: self.cpu_initialization_period,
            initial_readiness_delay: self.initial_readiness_delay,
            gates: Gates::default(),
        }
    }
}
