//! What `vas suspend` and `vas resume` share: the choice of resource, workloads and holder, and how the
//! commands end.

use std::{io, process::ExitCode, time::Duration};

use serde_json::Value;

use crate::{
    EXIT_INVALID,
    kube_config::{KubeConfigArgs, KubeConfigError, namespace_of},
    output,
};
use vas_cluster::server_clock::ServerClock;
use vas_core::reconcile::suspend::{Holder, Suspended, SuspensionError, Workloads, change::ChangeError};
use vas_diagnose::explain::read::namespaces_with;
use vas_loadtest::{
    cluster::{
        resource::Resource,
        suspend::{self, SuspendError},
    },
    scenario::duration::{self, ParseDurationError},
};

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
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_timeout)]
    timeout: Duration,
    /// Let the API server check the change, and store nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

/// Reasons why the command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
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
    #[error("{0}")]
    Usage(String),
    #[error("cannot write to standard output: {0}")]
    Print(#[source] io::Error),
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
    pub(super) fn workloads(&self) -> Result<Workloads, CommandError> {
        let workloads = Workloads::of(self.workloads.iter().map(String::as_str));
        workloads.map_err(|error| usage("--workload", &error))
    }

    /// Does the work of a command, and reports how it ended.
    pub(super) fn run(
        &self,
        command: &str,
        work: impl AsyncFnOnce(Found<'_>) -> Result<(), CommandError>,
    ) -> ExitCode {
        let done = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CommandError::Start)
            .and_then(|runtime| runtime.block_on(async { work(self.found().await?).await }));
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                output::say(&format!("{command}: {error}"));
                ExitCode::from(error.code())
            }
        }
    }

    async fn found(&self) -> Result<Found<'_>, CommandError> {
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
    ) -> Result<Suspended, CommandError> {
        let SuspensionArgs { name, dry_run, .. } = self.args;
        let written = match suspend::write(&self.resource, *dry_run, change).await {
            Err(SuspendError::Cluster(error)) if error.is_not_found() => return Err(self.not_found().await),
            written => written?,
        };
        let suspended = suspend::suspended(&written, self.clock.now())?;
        let dry = if *dry_run { " (server dry run)" } else { "" };
        output::text(&format!(
            "voiceassistscaling/{name} {done}{dry}; {}\n",
            state(&suspended)
        ))
        .map_err(CommandError::Print)?;
        if !*dry_run && !self.args.timeout.is_zero() {
            suspend::until_in_effect(&self.resource, self.clock, self.args.timeout).await?;
        }
        Ok(suspended)
    }

    async fn not_found(&self) -> CommandError {
        let Found { args, resource, .. } = self;
        let elsewhere = namespaces_with(resource.client.clone(), &args.name).await;
        CommandError::NotFound {
            name: args.name.clone(),
            namespace: resource.namespace.clone(),
            elsewhere: match elsewhere.as_slice() {
                [] => String::new(),
                some => format!("; there is one in {}", some.join(", ")),
            },
        }
    }
}

impl CommandError {
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Suspend(SuspendError::Change(ChangeError::NoWorkload { .. })) => {
                EXIT_INVALID
            }
            _ => 1,
        }
    }
}

/// The error for a flag whose value cannot be used.
pub(super) fn usage(flag: &str, error: &SuspensionError) -> CommandError {
    CommandError::Usage(format!("{flag}: {error}"))
}

fn state(suspended: &Suspended) -> String {
    suspended.long().map_or_else(
        || "nothing is suspended".to_owned(),
        |words| format!("suspended: {words}"),
    )
}

fn parse_timeout(text: &str) -> Result<Duration, ParseDurationError> {
    duration::parse(text)
}
