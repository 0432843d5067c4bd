//! Prometheus moves to another node, and its data stays behind: a rate then needs two scrapes to be known again.

use crate::stage::Stage;

const NAMESPACE: &str = "monitoring";

pub(super) fn moves(stage: &Stage) -> String {
    let from = node(stage);
    stage.cluster.kubectl_ok(&["cordon", &from], None);
    let delete = [
        "-n",
        NAMESPACE,
        "delete",
        "pod",
        "-l",
        "app=prometheus",
        "--wait=true",
    ];
    stage.cluster.kubectl_ok(&delete, None);
    let rolled = stage.cluster.kubectl(
        &[
            "-n",
            NAMESPACE,
            "rollout",
            "status",
            "deployment/prometheus",
            "--timeout=120s",
        ],
        None,
    );
    stage.cluster.kubectl_ok(&["uncordon", &from], None);
    assert!(
        rolled.status.success(),
        "{}",
        String::from_utf8_lossy(&rolled.stderr)
    );
    let to = node(stage);
    assert_ne!(from, to, "it did not move");
    format!("Prometheus from {from} to {to}, without its data")
}

fn node(stage: &Stage) -> String {
    let get = [
        "-n",
        NAMESPACE,
        "get",
        "pod",
        "-l",
        "app=prometheus",
        "-o=jsonpath={.items[0].spec.nodeName}",
    ];
    stage.cluster.kubectl_ok(&get, None)
}
