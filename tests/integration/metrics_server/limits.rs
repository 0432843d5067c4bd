//! A namespace has more different queries than it may have.

use std::{fmt::Write as _, ops::Range};

use super::{
    elsewhere::Elsewhere,
    stack::{apply, stack},
};

fn spec(workload: &str, metrics: Range<usize>) -> String {
    let mut spec = format!(
        "
workloads:
- name: {workload}
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {workload}}}
  maxReplicas: 3
  metrics:
"
    );
    for metric in metrics {
        let _ = writeln!(
            spec,
            "  - {{name: depth-{metric}, queueDepth: {{gauge: limits_depth_{metric}, target: {{averageValue: '50'}}}}}}"
        );
    }
    spec
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_limit_the_oldest_resource_keeps_its_queries_and_a_younger_one_is_told_why_it_has_no_value() {
    let stack = stack().await;
    let namespace = stack.scaling("limits", &spec("worker", 0..16));
    // Of two resources created in the same second, the name decides which is older.
    apply(&namespace, "younger", &spec("other", 16..17));
    for metric in [0, 15, 16] {
        let labels = [("namespace", namespace.name())];
        stack
            .exporter
            .set(&format!("limits_depth_{metric}"), &labels, 7.0);
    }
    let server = Elsewhere::start(
        stack,
        "limits",
        &[
            format!("--prometheus-url={}", stack.prometheus.url()),
            "--max-queries-per-namespace=16".to_owned(),
        ],
    )
    .await;
    let name = namespace.name();
    for metric in ["depth-0", "depth-15"] {
        server
            .reads(name, "deployments.apps/worker", metric, &["7"])
            .await;
    }
    let words = "this namespace has reached the limit of 16 different queries (--max-queries-per-namespace";
    server
        .refuses(name, "deployments.apps/other", "depth-16", words)
        .await;
    namespace.delete("voiceassistscaling", "voiceassist");
    server
        .reads(name, "deployments.apps/other", "depth-16", &["7"])
        .await;
}
