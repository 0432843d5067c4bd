//! `vas register` and `vas unregister`: who answers the metrics APIs of a cluster.
//!
//! An administrator runs them, with rights that no pod of vas has. Invariant: an APIService of another adapter is
//! written only with `--take-over`, and never deleted.

mod cluster;
mod unregister;

use std::time::Duration;

pub(super) use unregister::Args as UnregisterArgs;

use crate::{
    duration,
    exit::{Code, CommandError, Ended},
    kube_config::{KubeConfigArgs, KubeConfigError},
    output::{self, OutputError},
    runtime,
};
use cluster::Cluster;
use vas_api::METRICS_SERVER_SERVICE;
use vas_cluster::read::ReadError;
use vas_core::metrics::registration::{
    MetricsApi, Owner,
    change::{Backend, Registering, helm_release, registering},
    readers::Readers,
};

/// Most tries of one write. Each one after the first is due to a change of the APIService meanwhile.
const CONFLICTS: u32 = 5;

/// Make vas the owner of the metrics APIs of the cluster, once its pods run
///
/// Makes the APIServices of custom.metrics.k8s.io, through which HPAs read the metrics of vas, and waits until the API
/// server reaches the metrics server. A cluster has one adapter for each metrics API: where there is another one, the
/// command names it and the HPAs that read from it, and changes nothing. Run it with an administrator's rights; no pod
/// of vas may create or delete an APIService.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas register
  vas register --external       # external.metrics.k8s.io too; needs the component external-metrics
  vas register --take-over      # from another adapter; see docs/migrate.md

An APIService that leads to vas already is kept, with the CAs that it trusts; run the command again after an upgrade.
Before you upgrade an installation whose APIServices were applied with the rest, it makes them survive an installer
that prunes.

Exit codes: 0 registered; 1 refused, or the API server does not reach the metrics server; 2 usage.")]
pub(super) struct Args {
    /// Register external.metrics.k8s.io too
    #[arg(long)]
    external: bool,
    /// Take APIs that lead to another adapter
    #[arg(long)]
    take_over: bool,
    /// Longest wait until the API server reaches the metrics server; 0s does not wait
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration::parse_wait)]
    timeout: Duration,
    #[command(flatten)]
    to: BackendArgs,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

/// The Service that the APIServices lead to.
#[derive(Clone, Debug, clap::Args)]
struct BackendArgs {
    /// Namespace of the metrics server
    #[arg(long, value_name = "NAMESPACE", default_value = "vas-system")]
    install_namespace: String,
    /// Service of the metrics server
    #[arg(long, value_name = "NAME", default_value = METRICS_SERVER_SERVICE)]
    service_name: String,
    /// Port of that Service
    #[arg(long, value_name = "PORT", default_value_t = 443)]
    service_port: u16,
}

impl BackendArgs {
    fn backend(&self) -> Backend {
        Backend {
            namespace: self.install_namespace.clone(),
            name: self.service_name.clone(),
            port: self.service_port,
        }
    }
}

/// Reasons why a command failed.
#[derive(Debug, thiserror::Error)]
enum RegisterError {
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error("{why}{fix}", why = .0, fix = fix(.0))]
    Read(#[from] ReadError),
    #[error("cannot write APIService {name}: {why}{}", fix(.why))]
    Write { name: &'static str, why: ReadError },
    #[error(
        "there is no Service {namespace}/{name}: install vas first, or name its namespace with --install-namespace"
    )]
    NoService { namespace: String, name: String },
    #[error(
        "Service {namespace}/{name} has no port {port}, but {}: name one of them with --service-port",
        .ports.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
    )]
    NoPort {
        namespace: String,
        name: String,
        port: u16,
        ports: Vec<i32>,
    },
    #[error(
        "no pod behind Service {namespace}/{name} is ready, and an APIService without a server breaks discovery and the \
         deletion of namespaces in the whole cluster: see kubectl -n {namespace} get pods"
    )]
    NotReady { namespace: String, name: String },
    #[error("{}", .0.join("\n"))]
    Foreign(Vec<String>),
    #[error(
        "APIService {name} is not available after {} s: {why}. To take it back: vas unregister", .after.as_secs()
    )]
    Unavailable {
        name: &'static str,
        after: Duration,
        why: String,
    },
    #[error(transparent)]
    Print(#[from] OutputError),
}

impl CommandError for RegisterError {
    fn code(&self) -> Code {
        match self {
            Self::Client(_) => Code::Invalid,
            _ => Code::Failure,
        }
    }
}

/// What to do about a request that was refused.
fn fix(why: &ReadError) -> &'static str {
    if why.is_refusal() {
        "; run it with an administrator's rights, such as those of the ClusterRole cluster-admin"
    } else {
        ""
    }
}

fn say(line: &str) -> Result<(), RegisterError> {
    Ok(output::text(&format!("{line}\n"))?)
}

/// An APIService, and what has to be done to it.
struct Step {
    api: MetricsApi,
    name: &'static str,
    change: Registering,
    /// The Helm release that goes on owning the APIService.
    release: Option<String>,
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        runtime::of_this_thread()?.block_on(async {
            let cluster = Cluster::new(self.kube.client().await?);
            self.register(&cluster).await
        })?;
        Ok(Code::Success)
    }

    async fn register(&self, cluster: &Cluster) -> Result<(), RegisterError> {
        let backend = self.to.backend();
        let steps = self.steps(cluster, &backend).await?;
        // All is looked at before anything is written.
        if !self.take_over {
            refuse_foreign(cluster, &steps).await?;
        }
        let is_kept = |step: &Step| matches!(step.change, Registering::Keep(_));
        cluster.check(&backend, !steps.iter().all(is_kept)).await?;
        for step in &steps {
            let change = write(cluster, step, &backend).await?;
            say(&step.said(&change))?;
        }
        if self.timeout > Duration::ZERO {
            for step in &steps {
                cluster.available(step.name, &backend, self.timeout).await?;
            }
        }
        Ok(())
    }

    async fn steps(&self, cluster: &Cluster, to: &Backend) -> Result<Vec<Step>, RegisterError> {
        let mut steps = Vec::new();
        for api in MetricsApi::ALL {
            if api == MetricsApi::External && !self.external {
                continue;
            }
            for name in api.api_services().iter().copied() {
                let live = cluster.api_service(name).await?;
                steps.push(Step {
                    api,
                    name,
                    change: registering(name, live.as_ref(), to),
                    release: live.as_ref().and_then(helm_release),
                });
            }
        }
        Ok(steps)
    }
}

impl Step {
    /// Whether a change that was planned later does what was asked for. It does where another `vas register` was
    /// sooner, and where the adapter whose APIService was to be taken over has gone. It does not where another
    /// adapter came, or where the APIService of vas was taken away.
    fn leads_to(&self, later: &Registering) -> bool {
        match (self.change.owner(), later.owner()) {
            (_, Owner::Ours) | (Owner::Foreign(_), Owner::Absent) => true,
            (asked, later) => asked == later,
        }
    }

    /// What was done, where `change` is what was written in the end.
    fn said(&self, change: &Registering) -> String {
        let name = format!("apiservice/{}", self.name);
        match change {
            Registering::Create(_) => format!("{name} created"),
            Registering::Keep(_) => format!("{name} leads to vas already"),
            Registering::TakeOver { owner, .. } => match &self.release {
                None => format!("{name} taken over from {owner}"),
                Some(release) => format!(
                    "{name} taken over from {owner}; Helm release {release} made it, whose upgrade takes it back and whose \
                     uninstall deletes it: run vas register again after either"
                ),
            },
        }
    }
}

/// Makes the change of a step, and returns what was written in the end. The API server writes into the status of an
/// APIService whenever it looks at the server behind it, and a change that was planned before that is refused with a
/// conflict. It is planned again then, and made if that is still what was asked for.
async fn write(cluster: &Cluster, step: &Step, to: &Backend) -> Result<Registering, RegisterError> {
    let name = step.name;
    let mut change = step.change.clone();
    let mut conflicts = 0;
    loop {
        let why = match cluster.write(name, &change).await {
            Ok(()) => return Ok(change),
            Err(why) => why,
        };
        conflicts += 1;
        if !(why.is_conflict() || why.is_not_found()) || conflicts == CONFLICTS {
            return Err(RegisterError::Write { name, why });
        }
        change = registering(name, cluster.api_service(name).await?.as_ref(), to);
        if !step.leads_to(&change) {
            return Err(RegisterError::Write { name, why });
        }
    }
}

/// Refuses to go on where an APIService leads to another adapter, and names the HPAs that read from it.
async fn refuse_foreign(cluster: &Cluster, steps: &[Step]) -> Result<(), RegisterError> {
    let foreign: Vec<(&Step, &str)> = steps
        .iter()
        .filter_map(|step| match &step.change {
            Registering::TakeOver { owner, .. } => Some((step, owner.as_str())),
            Registering::Create(_) | Registering::Keep(_) => None,
        })
        .collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let mut custom = Readers::default();
    let mut external = Readers::default();
    cluster
        .each_hpa(|hpa| {
            custom.see(MetricsApi::Custom, hpa);
            external.see(MetricsApi::External, hpa);
        })
        .await?;
    let mut lines: Vec<String> = foreign
        .iter()
        .map(|(step, owner)| format!("APIService {} leads to {owner}", step.name))
        .collect();
    for (api, readers) in [(MetricsApi::Custom, &custom), (MetricsApi::External, &external)] {
        if foreign.iter().any(|(step, _)| step.api == api) {
            lines.push(format!("HPAs that read {} from it: {readers}", api.group()));
        }
    }
    lines.push(
        "A cluster has one adapter for each metrics API. Move these HPAs first, as docs/migrate.md says; or take over \
         with --take-over: HPAs whose metrics vas does not serve then keep the replicas that they have."
            .to_owned(),
    );
    Err(RegisterError::Foreign(lines))
}

#[cfg(test)]
mod tests;
