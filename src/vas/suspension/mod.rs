//! `vas suspend` and `vas resume`: what they share is the choice of resource, workloads and holder, and their
//! errors.
//!
//! [`vas_core::reconcile::suspend`] decides what is written; [`cluster`] reads and writes.

mod cluster;
mod resume;
mod suspend;

use std::time::Duration;

use serde_json::Value;

pub(super) use resume::Args as ResumeArgs;
pub(super) use suspend::Args as SuspendArgs;

use crate::{
    duration,
    exit::{Code, CommandError, Ended},
    kube_config::{KubeConfigArgs, KubeConfigError, namespace_of},
    output::{self, OutputError},
    runtime,
};
use cluster::{Resource, SuspendError};
use vas_cluster::server_clock::ServerClock;
use vas_core::reconcile::suspend::{
    Holder, SpanError, Suspended, SuspensionError, Workloads, change::ChangeError,
};
use vas_diagnose::explain::read::namespaces_with;

/// A resource, some of its workloads, and a holder.
#[derive(Debug, clap::Args)]
pub(super) struct SuspensionArgs {
    /// Name of the VoiceAssistScaling
    #[arg(value_name = "NAME")]
    name: String,
    /// Namespace of the VoiceAssistScaling. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Only these workloads; may be given several times. Default: all
    #[arg(short, long = "workload", value_name = "NAME,...", value_delimiter = ',')]
    workloads: Vec<String>,
    /// Name of the holder of the suspension. Each holder has an annotation of its own, and a workload scales
    /// again only when no holder suspends it
    #[arg(long, value_name = "NAME")]
    pub(super) holder: Option<Holder>,
    /// Longest wait for the operator to act; 0s does not wait
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse_wait)]
    timeout: Duration,
    /// Let the API server check the change, and store nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

/// Reasons why the command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SuspensionCommandError {
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error(transparent)]
    Suspend(#[from] SuspendError),
    #[error("there is no VoiceAssistScaling {name} in namespace {namespace}{elsewhere}")]
    NotFound {
        name: String,
        namespace: String,
        elsewhere: String,
    },
    #[error(
        "{0} is not suspended, because its spec breaks a rule: HPAs stay as they are until that is mended; see kubectl describe vas"
    )]
    NotFrozen(String),
    #[error(transparent)]
    Span(#[from] SpanError),
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Print(#[from] OutputError),
}

/// The chosen resource, with a client for it.
pub(super) struct Found<'a> {
    args: &'a SuspensionArgs,
    resource: Resource,
    /// The API server's clock, which decides when a suspension has ended.
    pub(super) clock: ServerClock,
}

impl SuspensionArgs {
    /// The workloads that the command is about.
    ///
    /// # Errors
    /// When one of them is not a valid name.
    pub(super) fn workloads(&self) -> Result<Workloads, SuspensionCommandError> {
        let workloads = Workloads::of(self.workloads.iter().map(String::as_str));
        workloads.map_err(|error| usage("--workload", &error))
    }

    /// Does the work of a command with the chosen resource.
    pub(super) fn run(
        &self,
        work: impl AsyncFnOnce(Found<'_>) -> Result<(), SuspensionCommandError>,
    ) -> Ended {
        runtime::of_this_thread()?.block_on(async { work(self.found().await?).await })?;
        Ok(Code::Success)
    }

    async fn found(&self) -> Result<Found<'_>, SuspensionCommandError> {
        let client = self.kube.client().await?;
        let namespace = namespace_of(self.namespace.as_deref(), &client);
        Ok(Found {
            args: self,
            clock: ServerClock::of(&client).await,
            resource: Resource::new(client, &namespace, &self.name),
        })
    }
}

impl Found<'_> {
    /// Writes the change that `change` makes to the resource, waits until the operator has acted on it, and
    /// prints what is suspended now.
    ///
    /// # Errors
    /// When the change is refused, or the operator does not act in time.
    pub(super) async fn change(
        &self,
        done: &str,
        change: impl Fn(&Value) -> Result<Option<Value>, ChangeError>,
    ) -> Result<Suspended, SuspensionCommandError> {
        let SuspensionArgs { name, dry_run, .. } = self.args;
        let written = match self.resource.change(*dry_run, change).await {
            Err(error) if error.is_not_found() => return Err(self.not_found().await),
            written => written?,
        };
        let suspended = cluster::suspended(&written, self.clock.now())?;
        let dry = if *dry_run { " (server dry run)" } else { "" };
        output::text(&format!(
            "voiceassistscaling/{name} {done}{dry}; {}\n",
            state(&suspended)
        ))?;
        if !*dry_run && !self.args.timeout.is_zero() {
            self.resource
                .until_in_effect(self.clock, self.args.timeout)
                .await?;
        }
        Ok(suspended)
    }

    async fn not_found(&self) -> SuspensionCommandError {
        let Found { args, resource, .. } = self;
        let elsewhere = namespaces_with(resource.client.clone(), &args.name).await;
        SuspensionCommandError::NotFound {
            name: args.name.clone(),
            namespace: resource.namespace.clone(),
            elsewhere: match elsewhere.as_slice() {
                [] => String::new(),
                some => format!("; there is one in {}", some.join(", ")),
            },
        }
    }
}

impl CommandError for SuspensionCommandError {
    fn code(&self) -> Code {
        match self {
            Self::Usage(_)
            | Self::Span(_)
            | Self::Suspend(SuspendError::Change(ChangeError::NoWorkload { .. })) => Code::Invalid,
            _ => Code::Failure,
        }
    }
}

/// The error for a flag whose value cannot be used.
pub(super) fn usage(flag: &str, error: &SuspensionError) -> SuspensionCommandError {
    SuspensionCommandError::Usage(format!("{flag}: {error}"))
}

fn state(suspended: &Suspended) -> String {
    suspended.long().map_or_else(
        || "nothing is suspended".to_owned(),
        |words| format!("suspended: {words}"),
    )
}
