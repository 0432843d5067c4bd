//! Parts of the cluster go away while the HPA holds replicas under load. None falls that the load does not let go, no request
//! fails, and all recover without help.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use serde_json::json;
use support::eventually;

use crate::{
    stage::{NAMESPACE, Stage},
    users::{self, Requests},
};

const GATEWAY: &str = "api-gateway";
/// How long replicas are watched after a fault is over: longer than the HPA's window for scale-down.
const AFTERWARDS: Duration = Duration::from_secs(25);
/// Longest time until everything is as before.
const RECOVERED: Duration = Duration::from_secs(120);

/// The DNS of the cluster is away for 30 s.
pub(crate) async fn names_away(stage: &Stage) -> String {
    under_load(stage, "names-away", async {
        let scale = |count: &str| {
            let replicas = format!("--replicas={count}");
            let args = ["-n", "kube-system", "scale", "deployment/coredns", &replicas];
            stage.cluster.kubectl_ok(&args, None);
        };
        scale("0");
        tokio::time::sleep(Duration::from_secs(30)).await;
        scale("1");
        stage.rolled_out("kube-system", "coredns");
    })
    .await
}

/// Prometheus' pod is evicted to the other node, without its data.
pub(crate) async fn prometheus_moves(stage: &Stage) -> String {
    under_load(stage, "prometheus-moves", async {
        let args = [
            "-n",
            "monitoring",
            "get",
            "pods",
            "-o=jsonpath={.items[0].spec.nodeName}",
        ];
        let node = stage.cluster.kubectl_ok(&args, None);
        stage.cluster.kubectl_ok(&["cordon", &node], None);
        let all = ["-n", "monitoring", "delete", "pod", "-l", "app=prometheus"];
        stage.cluster.kubectl_ok(&all, None);
        stage.rolled_out("monitoring", "prometheus");
        stage.cluster.kubectl_ok(&["uncordon", &node], None);
    })
    .await
}

/// Kubelet and containerd of a node are killed; their pods run on.
pub(crate) async fn node_restarts(stage: &Stage) -> String {
    under_load(stage, "node-restarts", async {
        for component in ["containerd-1", "kubelet-1"] {
            stage.cluster.component("kill", component);
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        for component in ["containerd-1", "kubelet-1"] {
            tokio::task::block_in_place(|| stage.cluster.component("start", component));
        }
    })
    .await
}

/// The API server is away for 60 s.
pub(crate) async fn api_server_away(stage: &Stage) -> String {
    under_load(stage, "api-server-away", async {
        tokio::task::block_in_place(|| stage.cluster.component("stop", "kube-apiserver"));
        tokio::time::sleep(Duration::from_secs(60)).await;
        tokio::task::block_in_place(|| stage.cluster.component("start", "kube-apiserver"));
        eventually(RECOVERED, "the API server is ready", || async {
            stage.cluster.is_ready()
        })
        .await;
    })
    .await
}

/// A pod beyond its memory limit is killed and replaced, and nobody scales because of it.
pub(crate) async fn out_of_memory(stage: &Stage) -> String {
    stage.at_rest().await;
    let began = Instant::now();
    let pods = Api::<Pod>::namespaced(stage.client.clone(), NAMESPACE);
    let labels = ListParams::default().labels("app=api-gateway");
    let victim = pods
        .list(&labels)
        .await
        .expect("pods can be listed")
        .items
        .remove(0);
    let name = victim.metadata.name.expect("a pod has a name");
    let address = victim
        .status
        .and_then(|status| status.pod_ip)
        .expect("a pod has an address");
    // Its limit is 256 MiB. There is no answer: the process is gone.
    let _ = users::hold(&address, 400).await;
    let killed = eventually(
        RECOVERED,
        "the pod was killed for its memory and is Ready again",
        || async {
            let pod = stage.get(NAMESPACE, &format!("pod/{name}"));
            let status = pod["status"]["containerStatuses"][0].clone();
            let killed = status["lastState"]["terminated"]["reason"] == "OOMKilled";
            let ready = status["ready"] == json!(true);
            (killed && ready)
                .then(|| status["restartCount"].to_string())
                .ok_or_else(|| status.to_string())
        },
    )
    .await;
    tokio::time::sleep(AFTERWARDS).await;
    let course = stage.replicas.course(GATEWAY, began);
    assert_eq!(course, "3 (0 s)", "the replicas moved");
    format!("OOMKilled, restarted {killed} times, Ready again; replicas stayed at 3")
}

/// Holds five pods by 450 requests per second, lets the fault happen, and looks at what came of it.
async fn under_load(stage: &Stage, name: &str, fault: impl Future<Output = ()>) -> String {
    stage.at_rest().await;
    let requests = Requests::send(stage, name, 450, 0);
    let (held, _) = stage.replicas.rise(GATEWAY, 5, RECOVERED).await;
    let began = Instant::now();
    fault.await;
    let away = began.elapsed();
    tokio::time::sleep(AFTERWARDS).await;
    stage.replicas.reach(GATEWAY, held, RECOVERED).await;
    let recovered = began.elapsed();
    stage.replicas.assert_none_fell(GATEWAY, began);
    let (sent, failed, why) = requests.end().await;
    assert_eq!(failed, 0, "of {sent} requests: {why}");
    let ended = Instant::now();
    stage.replicas.reach(GATEWAY, 3, Duration::from_secs(240)).await;
    format!(
        "{held} replicas stayed through {:.0} s, watched for {:.0} s; {sent} requests, none failed; down to 3 in {:.0} s",
        away.as_secs_f64(),
        recovered.as_secs_f64(),
        ended.elapsed().as_secs_f64()
    )
}
