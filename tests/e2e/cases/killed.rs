//! The metrics server's pods are killed while the HPA holds replicas that only it can justify.

use std::time::{Duration, Instant};

use crate::{
    stage::{INSTALLED, Stage},
    users::Requests,
};

const GATEWAY: &str = "api-gateway";

/// One after the other, then both at once: no replica goes that the load does not let go.
pub(crate) async fn in_turn_and_together(stage: &Stage) -> String {
    stage.at_rest().await;
    let requests = Requests::send(stage, "killed", 450, 0);
    let (reached, _) = stage.replicas.rise(GATEWAY, 5, Duration::from_secs(240)).await;
    let began = Instant::now();
    let first = metrics_servers(stage);
    assert_eq!(first.len(), 2, "{first:?}");
    let mut recovered = Vec::new();
    for pod in &first {
        kill(stage, &[pod]);
        recovered.push(available(stage).await);
    }
    let pods = metrics_servers(stage);
    kill(stage, &pods.iter().map(String::as_str).collect::<Vec<_>>());
    recovered.push(available(stage).await);
    // As long as a value is carried over, and longer than the HPA's window.
    tokio::time::sleep(Duration::from_secs(25)).await;
    stage.replicas.assert_none_fell(GATEWAY, began);
    let (sent, failed, why) = requests.end().await;
    assert_eq!(failed, 0, "of {sent} requests: {why}");
    let course = stage.replicas.course(GATEWAY, began);
    stage.replicas.reach(GATEWAY, 3, Duration::from_secs(300)).await;
    let recovered: Vec<String> = recovered
        .iter()
        .map(|took| format!("{:.1} s", took.as_secs_f64()))
        .collect();
    format!(
        "{reached} replicas stayed ({course}); two Ready again after {}; {sent} requests, none failed; then down to 3",
        recovered.join(", ")
    )
}

fn metrics_servers(stage: &Stage) -> Vec<String> {
    let selector = "app.kubernetes.io/name=vas-metrics-server";
    let names = "-o=jsonpath={.items[*].metadata.name}";
    let list = stage
        .cluster
        .kubectl_ok(&["-n", INSTALLED, "get", "pods", "-l", selector, names], None);
    list.split_whitespace().map(str::to_owned).collect()
}

/// Deletes pods without grace: their processes get SIGKILL.
fn kill(stage: &Stage, pods: &[&str]) {
    let mut args = vec!["-n", INSTALLED, "delete", "pod", "--grace-period=0", "--force"];
    args.extend(pods);
    stage.cluster.kubectl_ok(&args, None);
}

/// Waits until both replicas are there again and the API answers.
async fn available(stage: &Stage) -> Duration {
    let began = Instant::now();
    stage.rolled_out(INSTALLED, "vas-metrics-server");
    support::eventually(
        Duration::from_secs(180),
        "custom.metrics.k8s.io is available",
        || async {
            let api = stage.get("default", "apiservice/v1beta2.custom.metrics.k8s.io");
            let conditions = api["status"]["conditions"].clone();
            let available = conditions.as_array().into_iter().flatten();
            let mut available = available.filter(|condition| condition["type"] == "Available");
            available
                .any(|condition| condition["status"] == "True")
                .then_some(())
                .ok_or_else(|| conditions.to_string())
        },
    )
    .await;
    began.elapsed()
}
