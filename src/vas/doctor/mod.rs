//! `vas doctor`: checks an installation end to end.

mod json;
mod text;

use std::{io, path::PathBuf, time::Duration};

use clap::ValueEnum;

use crate::{
    exit::{Code, CommandError, Ended},
    kube_config::{KubeConfigArgs, KubeConfigError, namespace_of},
    matchers::MatchersArgs,
    output::{self, OutputError},
    runtime,
};
use vas_cluster::{clock::SystemClock, terminal};
use vas_core::metrics::promql::LabelName;
use vas_diagnose::doctor::{
    self, Report,
    read::{Servers, Settings, observe},
};
use vas_metrics_server::{ConfigError, ConfigFile};
use vas_prometheus::{self, BuildError, Limits};

/// Check an installation end to end: what is wrong, and what helps
///
/// Reads the cluster with your rights and changes nothing. A check of something that you may not read is
/// skipped, and the output says so; it never counts as fine. Each check has a stable id. Exit code: 0 if all
/// is well or there are warnings only, 1 if there is a problem, 2 if the command line or the kubeconfig
/// cannot be used.
#[derive(Debug, clap::Args)]
#[command(after_help = "What is checked, a cause before its effects:
  Cluster       the API server and its version; the CRD, and whether its schema is that of this vas
  Installation  both Deployments, their images, budgets, leases, and what their service accounts may do
  MetricsAPI    the APIServices, the certificate, and one read of each metric as the HPA makes it
  Prometheus    whether each counter and gauge exists, with the labels and pods that are expected
  Workloads     rules, conditions, requests, probes, budgets, quotas, and what else moves the replicas

Marks: ok, skip (not known), WARN (works, and may hurt), FAIL (does not work).

Examples:
  vas doctor                            the resources of the current namespace
  vas doctor -A                         of all namespaces
  vas doctor -n voiceassist-production --prometheus-url=http://localhost:9090
  vas doctor -A --config=metrics-server.yaml
  vas doctor -A -o json | jq '.findings[] | select(.severity == \"problem\")'

Without --prometheus-url, Prometheus is queried through the API server, if the metrics server's Deployment names
it as a Service; that needs the right to get services/proxy. Where you lack it:
  kubectl -n monitoring port-forward svc/prometheus 9090 &
  vas doctor --prometheus-url=http://localhost:9090")]
pub(super) struct Args {
    #[command(flatten)]
    kube: KubeConfigArgs,
    /// Namespace whose VoiceAssistScalings are looked at. Default: the kubeconfig's current namespace
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<String>,
    /// Look at the VoiceAssistScalings of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Namespace of the operator and the metrics server
    #[arg(long, value_name = "NAMESPACE", default_value = "vas-system")]
    install_namespace: String,
    /// The configuration file of the metrics server, if it reads one: each metric is looked for in the
    /// Prometheus that it names. URLs and files in it are taken as reached from here
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["prometheus_url", "namespace_label", "pod_label", "matchers"],
        env = "VAS_CONFIG"
    )]
    config: Option<PathBuf>,
    /// URL of the Prometheus that the metrics server uses, as reached from here
    #[arg(long, value_name = "URL")]
    prometheus_url: Option<String>,
    /// Label that carries the namespace of a series. Default: that of the metrics server's Deployment
    #[arg(long, value_name = "LABEL")]
    namespace_label: Option<LabelName>,
    /// Label that carries the pod of a series. Default: that of the metrics server's Deployment
    #[arg(long, value_name = "LABEL")]
    pod_label: Option<LabelName>,
    #[command(flatten)]
    matchers: MatchersArgs,
    /// Print every check below what is wrong, also those that are fine, and why one was skipped
    #[arg(short, long)]
    verbose: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What is wrong, with its fix; every check with --verbose.
    Text,
    /// One object of kind DoctorReport.
    Json,
}

/// Reasons why nothing could be checked.
#[derive(Debug, thiserror::Error)]
enum DoctorError {
    #[error(transparent)]
    Kube(#[from] KubeConfigError),
    #[error(transparent)]
    Prometheus(#[from] BuildError),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl CommandError for DoctorError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let prometheus = self.prometheus()?;
        let report = runtime::of_all_processors()?.block_on(self.check(prometheus))?;
        print(&report, self.verbose, self.output)?;
        Ok(if report.has_problems() {
            Code::Failure
        } else {
            Code::Success
        })
    }

    async fn check(&self, prometheus: Servers) -> Result<Report, DoctorError> {
        let client = self.kube.client().await?;
        let namespace = namespace_of(self.namespace.as_deref(), &client);
        let settings = Settings {
            install_namespace: self.install_namespace.clone(),
            namespace: (!self.all_namespaces).then_some(namespace),
            prometheus,
            namespace_label: self.namespace_label.clone(),
            pod_label: self.pod_label.clone(),
            matchers: self.matchers.given(),
        };
        let observed = Box::pin(observe(&client, &settings, &SystemClock::new())).await;
        Ok(doctor::run(&observed))
    }
}

impl Args {
    /// Where Prometheus is asked. A URL or file that cannot be used is a mistake on the command line and not
    /// a finding.
    fn prometheus(&self) -> Result<Servers, DoctorError> {
        if let Some(file) = &self.config {
            return Ok(Servers::Named(ConfigFile::new(file).servers()?));
        }
        let Some(url) = &self.prometheus_url else {
            return Ok(Servers::OfDeployment);
        };
        let limits = Limits {
            timeout: Duration::from_secs(1),
            response_size: 1,
        };
        vas_prometheus::Client::new(url, limits)?;
        Ok(Servers::Url(url.clone()))
    }
}

fn print(report: &Report, verbose: bool, format: Format) -> Result<(), OutputError> {
    let text = match format {
        Format::Text => text::render(report, verbose, terminal::colours(&io::stdout())),
        Format::Json => json::render(report),
    };
    output::text(&format!("{text}\n"))
}
