//! What runs a node's pods is killed and started again; the pods go on.

use std::time::Instant;

use crate::stage::{NODES, Stage};

/// Kills such a program with SIGKILL and starts it again, on each node in turn; the node then has to be Ready.
pub(super) fn restart(stage: &Stage, program: &str) -> String {
    let began = Instant::now();
    tokio::task::block_in_place(|| {
        for number in 0..NODES.len() {
            let component = format!("{program}-{number}");
            stage.cluster.component("kill", &component);
            stage.cluster.component("start", &component);
            let ready = format!("node/node-{number}");
            let wait = ["wait", "--for=condition=Ready", &ready, "--timeout=120s"];
            stage.cluster.kubectl_ok(&wait, None);
        }
    });
    format!(
        "the {program}s killed and started in turn in {:.0} s",
        began.elapsed().as_secs_f64()
    )
}
