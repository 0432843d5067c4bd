//! The API server is away, and with it everything that decides.

use std::time::Duration;

use crate::stage::{NODES, Stage};

const AWAY: Duration = Duration::from_secs(60);

pub(super) async fn away(stage: &Stage) -> String {
    tokio::task::block_in_place(|| stage.cluster.component("stop", "kube-apiserver"));
    tokio::time::sleep(AWAY).await;
    tokio::task::block_in_place(|| stage.cluster.component("start", "kube-apiserver"));
    for node in NODES {
        let node = format!("node/{node}");
        let wait = ["wait", "--for=condition=Ready", &node, "--timeout=120s"];
        stage.cluster.kubectl_ok(&wait, None);
    }
    format!("the API server away for {} s", AWAY.as_secs())
}
