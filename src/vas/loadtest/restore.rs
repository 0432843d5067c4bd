//! `vas test restore`: puts back what a capacity test changed.

use super::subject_args;
use crate::{
    exit::{Code, CommandError, Ended},
    kube_config::{KubeConfigArgs, KubeConfigError},
    runtime, stderr,
};
use vas_loadtest::{capacity::guardian, cluster::error::ClusterError};

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
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl CommandError for RestoreError {
    fn code(&self) -> Code {
        Code::Failure
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        if let Some(words) = runtime::of_this_thread()?.block_on(self.restore())? {
            stderr::say(&words);
        }
        Ok(Code::Success)
    }

    /// The words to print; `None` for a guardian that had nothing to do.
    async fn restore(&self) -> Result<Option<String>, RestoreError> {
        let resource = subject_args::resource(&self.kube, self.namespace.as_deref(), &self.name).await?;
        if let Some(holder) = &self.guard {
            let given = guardian::guard(&resource, holder).await?;
            return Ok(given.map(|given| given.in_words(&self.name)));
        }
        let given = resource.give_back(None).await?;
        let nothing = || format!("{}: nothing to put back", self.name);
        Ok(Some(
            given.map_or_else(nothing, |given| given.in_words(&self.name)),
        ))
    }
}
