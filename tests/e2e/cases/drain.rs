//! `kubectl drain` of a node while users send requests.

use std::time::{Duration, Instant};

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;

use crate::{
    stage::{INSTALLED, NAMESPACE, NODES, Stage},
    users::Requests,
};

/// No request fails, never are more pods away than the PDB allows, and evictions do wait for it.
pub(crate) async fn under_load(stage: &Stage) -> String {
    stage.at_rest().await;
    let requests = Requests::send(stage, "drain", 150, 0);
    let began = Instant::now();
    let mut waited = 0;
    // First the one, whose pods go to the other; then the other, which has all of them.
    for node in NODES.into_iter().rev() {
        waited += tokio::task::block_in_place(|| drain(stage, node));
        for deployment in ["vas-operator", "vas-metrics-server"] {
            stage.rolled_out(INSTALLED, deployment);
        }
        stage
            .replicas
            .reach("api-gateway", 3, Duration::from_secs(180))
            .await;
    }
    let took = began.elapsed();
    let fewest = stage.replicas.since("api-gateway", began);
    let fewest = fewest.iter().map(|sample| sample.ready).min();
    let fewest = fewest.expect("it was looked at");
    let budget = Api::<PodDisruptionBudget>::namespaced(stage.client.clone(), NAMESPACE);
    let budget = budget.get("voiceassist-api-gateway").await;
    let status = budget.expect("vas wrote the PDB").status;
    let floor = status
        .and_then(|status| status.desired_healthy)
        .unwrap_or_default();
    assert!(
        fewest >= floor && floor > 0,
        "{fewest} Ready, and the PDB asks for {floor}"
    );
    assert!(
        waited > 0,
        "all pods of one node, and no eviction waited for the PDB"
    );
    let (sent, failed, why) = requests.end().await;
    assert_eq!(failed, 0, "of {sent} requests: {why}");
    format!(
        "both nodes in turn in {:.0} s, {waited} evictions waited for a PDB, never fewer than {fewest} of 3 Ready; \
         {sent} requests, none failed",
        took.as_secs_f64()
    )
}

/// Empties a node, and returns how many evictions a PDB refused at first.
fn drain(stage: &Stage, node: &str) -> usize {
    let cluster = &stage.cluster;
    let args = [
        "drain",
        node,
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--timeout=300s",
    ];
    let drain = cluster.kubectl(&args, None);
    let selector = format!("--field-selector=spec.nodeName={node}");
    let left = cluster.kubectl_ok(&["get", "pods", "-A", &selector, "-o", "name"], None);
    // Whatever comes of it, what follows needs both nodes.
    cluster.kubectl_ok(&["uncordon", node], None);
    let words = String::from_utf8_lossy(&drain.stderr);
    assert!(drain.status.success(), "kubectl drain {node}: {words}");
    assert!(left.trim().is_empty(), "{node} still has {left}");
    words.matches("Cannot evict pod").count()
}
