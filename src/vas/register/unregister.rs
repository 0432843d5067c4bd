//! `vas unregister`: takes the APIServices of vas away.

use super::{BackendArgs, CONFLICTS, RegisterError, cluster::Cluster, say};
use crate::{
    exit::{Code, Ended},
    kube_config::KubeConfigArgs,
    runtime,
};
use vas_core::metrics::registration::{MetricsApi, Owner, Registration};

/// Take the metrics APIs of the cluster away from vas, before it is uninstalled
///
/// Deletes the APIServices of custom.metrics.k8s.io and external.metrics.k8s.io that lead to vas; those of another
/// adapter stay. HPAs keep the replicas that they have until somebody serves their metrics again. Run it before vas is
/// uninstalled: no namespace can be deleted while the API server waits for a metrics server that is gone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing leads to vas any more; 1 refused; 2 usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    from: BackendArgs,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

impl Args {
    pub(crate) fn run(&self) -> Ended {
        runtime::of_this_thread()?.block_on(self.unregister())?;
        Ok(Code::Success)
    }

    async fn unregister(&self) -> Result<(), RegisterError> {
        let cluster = Cluster::new(self.kube.client().await?);
        for name in MetricsApi::ALL
            .into_iter()
            .flat_map(MetricsApi::api_services)
            .copied()
        {
            self.unregister_one(&cluster, name).await?;
        }
        Ok(())
    }

    /// Deletes an APIService that leads to vas. The API server writes into its status meanwhile, so a conflict is
    /// answered by looking again.
    async fn unregister_one(&self, cluster: &Cluster, name: &'static str) -> Result<(), RegisterError> {
        let backend = self.from.backend();
        let mut conflicts = 0;
        loop {
            let Some(live) = cluster.api_service(name).await? else {
                return Ok(());
            };
            let owner = Registration::read(Some(&live), &backend.namespace, &backend.name).owner;
            if let Owner::Foreign(owner) = owner {
                return say(&format!("apiservice/{name} leads to {owner}, and stays"));
            }
            match cluster.delete(name, &live).await {
                Err(why) if why.is_conflict() && conflicts + 1 < CONFLICTS => conflicts += 1,
                Err(why) if !why.is_not_found() => return Err(RegisterError::Write { name, why }),
                _ => return say(&format!("apiservice/{name} deleted")),
            }
        }
    }
}
