//! No name is resolved for a while.

use std::time::Duration;

use crate::stage::Stage;

/// Long enough for every name that was resolved before to be forgotten.
const AWAY: Duration = Duration::from_secs(30);

/// Takes `CoreDNS` away. Connections that are open go on; what connects anew, such as a Prometheus client after an error, cannot.
pub(super) async fn away(stage: &Stage) -> String {
    scale(stage, 0);
    let gone = [
        "-n",
        "kube-system",
        "wait",
        "--for=delete",
        "pod",
        "-l",
        "k8s-app=kube-dns",
        "--timeout=60s",
    ];
    stage.cluster.kubectl_ok(&gone, None);
    tokio::time::sleep(AWAY).await;
    scale(stage, 1);
    stage.rolled_out("kube-system", "coredns");
    format!("CoreDNS away for {} s", AWAY.as_secs())
}

fn scale(stage: &Stage, replicas: u8) {
    let replicas = format!("--replicas={replicas}");
    stage.cluster.kubectl_ok(
        &["-n", "kube-system", "scale", "deployment/coredns", &replicas],
        None,
    );
}
