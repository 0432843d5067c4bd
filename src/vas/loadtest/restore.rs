//! `vas test restore`: puts back what a capacity test changed.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use super::subject_args;
use crate::kube_config::{KubeConfigArgs, KubeConfigError};
use vas_loadtest::{
    capacity::{guardian, hold::Given},
    cluster::{error::ClusterError, hold_patch::SuspendedBy},
};

/// Put back what a capacity test changed
///
/// A test gives back the replicas when it ends, and when it is killed. If its machine or container ended with
/// it, scaling goes on by itself two minutes later, and the annotation scaling.voiceassist.io/capacity-test
/// is left: this command removes it. While a test still runs, this command ends that test.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas test restore voiceassist -n voiceassist-staging

Exit codes: 0 put back, or nothing to put back; 1 it could not be; 2 usage.")]
pub(super) struct Args {
    /// Name of the VoiceAssistScaling
    #[arg(value_name = "NAME")]
    name: String,
    /// Namespace of the VoiceAssistScaling. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    kube: KubeConfigArgs,
    /// Wait for the end of standard input, then put back what this holder changed
    #[arg(long, value_name = "HOLDER", hide = true)]
    guard: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum RestoreError {
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        let (words, code) = match self.restore() {
            Ok(words) => (words, 0),
            Err(error) => (Some(format!("vas test restore: {error}")), 1),
        };
        if let Some(words) = words {
            // A closed standard error is ignored: the exit code still tells the outcome.
            let _ = writeln!(io::stderr().lock(), "{words}");
        }
        ExitCode::from(code)
    }

    /// The words to print; `None` for a guardian that had nothing to do.
    fn restore(&self) -> Result<Option<String>, RestoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(RestoreError::Runtime)?;
        runtime.block_on(async {
            let (resource, _) =
                subject_args::resource(&self.kube, self.namespace.as_deref(), &self.name).await?;
            if let Some(holder) = &self.guard {
                let given = guardian::guard(&resource, holder).await?;
                return Ok(given.map(|given| describe(&self.name, &given)));
            }
            let given = resource.give_back(None).await?;
            let nothing = || format!("{}: nothing to put back", self.name);
            Ok(Some(
                given.map_or_else(nothing, |given| describe(&self.name, &given)),
            ))
        })
    }
}

/// Words for what was put back.
pub(super) fn describe(name: &str, given: &Given) -> String {
    let hold = &given.hold;
    let workload = &hold.workload;
    if given.over {
        return format!(
            "{name}: the hold of workload {workload} was over, and scaling had gone on by itself; what was left of the test is removed, and the replicas are left to the HPA"
        );
    }
    let replicas = format!("{name}: workload {workload} has its {} replicas", hold.replicas);
    match hold.suspended_by {
        SuspendedBy::Annotation => format!("{replicas} as before the test, which suspends it no longer"),
        SuspendedBy::Spec => {
            let suspend = hold
                .suspend
                .map_or_else(|| "not set".to_owned(), |suspend| suspend.to_string());
            format!("{replicas} and suspend ({suspend}) as before the test")
        }
    }
}
