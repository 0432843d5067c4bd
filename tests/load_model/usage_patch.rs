//! Writes simulated usage onto the pods, where kwok reads it and metrics-server gets it from kwok.
//!
//! It writes little: a pod is patched only when its usage changed by 10 %, and few pods at a time.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    Shared,
    model::{Model, Usage, of_gateway, of_worker},
};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(2);
/// Most patches in one round.
const AT_ONCE: usize = 16;

/// Keeps the annotations of all live pods close to their load, for ever.
pub(crate) async fn keep(pods: Api<Pod>, model: Shared) {
    let mut written: BTreeMap<String, Usage> = BTreeMap::new();
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        rounds.tick().await;
        let wanted = usage(&model.lock());
        written.retain(|pod, _| wanted.contains_key(pod));
        let stale: Vec<(String, Usage)> = wanted
            .into_iter()
            .filter(|(pod, usage)| !written.get(pod).is_some_and(|was| was.is_close_to(*usage)))
            .take(AT_ONCE)
            .collect();
        for (pod, usage) in stale {
            match write(&pods, &pod, usage).await {
                Ok(()) => {
                    written.insert(pod, usage);
                }
                // The pod is gone, or the API server is away. The next round tries again.
                Err(error) => tracing::debug!(%pod, %error, "writing usage"),
            }
        }
    }
}

/// Usage of every live pod. A pod that is not Ready yet is idle.
fn usage(model: &Model) -> BTreeMap<String, Usage> {
    let rate = model.work_per_pod();
    let busy = model.busy_workers();
    let gateways = model.gateways.live.iter().map(|pod| {
        let ready = model.gateways.ready.contains(pod);
        (pod.clone(), of_gateway(if ready { rate } else { 0.0 }))
    });
    let workers = model.workers.live.iter().map(|pod| {
        let ready = model.workers.ready.contains(pod);
        (pod.clone(), of_worker(if ready { busy } else { 0.0 }))
    });
    gateways.chain(workers).collect()
}

async fn write(pods: &Api<Pod>, pod: &str, usage: Usage) -> kube::Result<()> {
    let patch = json!({"metadata": {"annotations": {
        "kwok.x-k8s.io/usage-cpu": format!("{}m", usage.cpu_milli),
        "kwok.x-k8s.io/usage-memory": format!("{}Mi", usage.memory_mebi),
    }}});
    pods.patch_metadata(pod, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pods;

    #[test]
    fn a_starting_pod_is_idle_while_the_others_carry_the_load() {
        let mut model = Model::default();
        model.requests.offer(200.0);
        let mut gateways = Pods::all_ready(&["old"]);
        gateways.live.insert("new".to_owned());
        model.advance(Duration::from_secs(1), gateways, Pods::default());
        let usage = usage(&model);
        assert_eq!(usage.get("old"), Some(&of_gateway(200.0)));
        assert_eq!(usage.get("new"), Some(&of_gateway(0.0)));
    }
}
