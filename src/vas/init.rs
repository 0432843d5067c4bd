//! `vas init`: writes a first resource for a workload that runs.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write as _},
    path::PathBuf,
};

use crate::{
    exit::{Code, CommandError, Ended},
    kube_config::{KubeConfigArgs, KubeConfigError, namespace_of},
    output::{self, OutputError},
    replaced_file, runtime, stderr,
};
use vas_core::{metrics::promql::LabelName, wording::one_line};
use vas_diagnose::{
    doctor::read::{Servers, Settings as PrometheusSettings},
    init::{self, InitError, Proposal, Settings, TargetWord, propose},
};

/// Write a first VoiceAssistScaling for a workload that runs
///
/// Reads the workload, its pods and, where the metrics server's Prometheus can be asked, which counters and gauges the
/// pods have. The file says of each value why it was chosen; what only you can know is in it as a comment. Nothing in
/// the cluster is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas init deployment/web -n shop
  vas init statefulset/worker -n shop -o worker.yaml
  vas init rollouts.argoproj.io/web -n shop --prometheus-url=http://localhost:9090

Exit codes: 0 written, 1 not, 2 the command line or the kubeconfig cannot be used.")]
pub(super) struct Args {
    /// The workload, as kubectl names it. Its kind must have a scale subresource
    #[arg(value_name = "KIND/NAME")]
    target: TargetWord,
    /// Namespace of the workload. Default: the kubeconfig's current namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Name of the resource. Default: that of the workload
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Write into this file instead of standard output; a file that exists is left alone
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "output")]
    force: bool,
    /// URL of Prometheus, as reached from here. Default: that of the metrics server, through the API server
    #[arg(long, value_name = "URL")]
    prometheus_url: Option<String>,
    /// Label that carries the namespace of a series. Default: that of the metrics server's Deployment
    #[arg(long, value_name = "LABEL")]
    namespace_label: Option<LabelName>,
    /// Label that carries the pod of a series. Default: that of the metrics server's Deployment
    #[arg(long, value_name = "LABEL")]
    pod_label: Option<LabelName>,
    /// Namespace of the operator and the metrics server
    #[arg(long, value_name = "NAMESPACE", default_value = "vas-system")]
    install_namespace: String,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

/// Reasons why nothing was written.
#[derive(Debug, thiserror::Error)]
enum FailedInit {
    #[error(transparent)]
    Kube(#[from] KubeConfigError),
    #[error("{0}")]
    Read(String),
    #[error(transparent)]
    Propose(#[from] InitError),
    #[error("{0} exists already; --force writes over it")]
    Exists(String),
    #[error("cannot write {file}: {source}")]
    Write { file: String, source: io::Error },
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl CommandError for FailedInit {
    fn code(&self) -> Code {
        match self {
            Self::Kube(_) => Code::Invalid,
            _ => Code::Failure,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        runtime::of_this_thread()?.block_on(self.write())?;
        Ok(Code::Success)
    }

    async fn write(&self) -> Result<(), FailedInit> {
        let client = self.kube.client().await?;
        let namespace = namespace_of(self.namespace.as_deref(), &client);
        let settings = Settings {
            target: self.target.clone(),
            namespace: namespace.clone(),
            name: self.name.clone(),
            prometheus: PrometheusSettings {
                install_namespace: self.install_namespace.clone(),
                namespace: Some(namespace),
                prometheus: match &self.prometheus_url {
                    Some(url) => Servers::Url(url.clone()),
                    None => Servers::OfDeployment,
                },
                namespace_label: self.namespace_label.clone(),
                pod_label: self.pod_label.clone(),
                matchers: None,
            },
        };
        let facts = Box::pin(init::read(&client, &settings))
            .await
            .map_err(FailedInit::Read)?;
        let text = document(&propose(&facts)?)?;
        let Some(file) = &self.output else {
            return Ok(output::text(&text)?);
        };
        let shown = file.display().to_string();
        let written = if self.force {
            replaced_file::write(file, &text)
        } else {
            File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()))
        };
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => FailedInit::Exists(shown.clone()),
            _ => FailedInit::Write {
                file: shown.clone(),
                source,
            },
        })?;
        stderr::say(&format!(
            "{shown} is written; read its comments, then: vas validate {shown} && kubectl apply -f {shown}"
        ));
        Ok(())
    }
}

/// The resource as YAML, with the reasons above it and what is left open below it.
fn document(proposal: &Proposal) -> Result<String, OutputError> {
    let mut text = String::new();
    for reason in &proposal.reasons {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {}", one_line(reason));
    }
    text.push_str(&serde_saphyr::to_string(&proposal.object)?);
    if !proposal.open.is_empty() {
        text.push_str("# For metrics, once you have chosen the targets:\n");
    }
    for line in &proposal.open {
        let _ = writeln!(text, "# {}", one_line(line));
    }
    Ok(text)
}
