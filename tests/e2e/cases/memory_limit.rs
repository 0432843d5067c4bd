//! A pod that takes more memory than its limit is killed, and is there again without help.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::{Api, api::ListParams};

use crate::{
    stage::{NAMESPACE, Stage},
    users::overfill,
};

/// The container's limit is 256 MiB.
const TOO_MUCH: u32 = 400;

/// One gateway pod of three; the HPA asks for no fewer meanwhile.
pub(crate) async fn exceeded(stage: &Stage) -> String {
    stage.at_rest().await;
    let pods = Api::<Pod>::namespaced(stage.client.clone(), NAMESPACE);
    let found = pods.list(&ListParams::default().labels("app=api-gateway")).await;
    let pod = found.expect("pods can be listed").items.into_iter().next();
    let pod = pod.expect("a gateway runs");
    let name = pod.metadata.name.expect("a pod has a name");
    let address = pod.status.and_then(|status| status.pod_ip);
    let began = Instant::now();
    overfill(&address.expect("it has an address"), TOO_MUCH).await;
    support::eventually(
        Duration::from_secs(90),
        "the container was killed and is Ready again",
        || async {
            let pod = pods.get(&name).await.map_err(|error| error.to_string())?;
            let containers = pod.status.and_then(|status| status.container_statuses);
            let container = containers.into_iter().flatten().next();
            let container = container.ok_or("no container")?;
            let again = container.ready && container.restart_count == 1;
            (again && killed_for(&container) == Some("OOMKilled"))
                .then_some(())
                .ok_or_else(|| format!("{container:?}"))
        },
    )
    .await;
    let took = began.elapsed();
    stage
        .replicas
        .reach("api-gateway", 3, Duration::from_secs(120))
        .await;
    stage.replicas.assert_none_fell("api-gateway", began);
    format!("OOMKilled, and Ready again after {:.0} s", took.as_secs_f64())
}

fn killed_for(container: &ContainerStatus) -> Option<&str> {
    let last = container.last_state.as_ref()?.terminated.as_ref()?;
    last.reason.as_deref()
}
