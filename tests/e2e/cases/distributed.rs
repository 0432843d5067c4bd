//! `vas test run --in-cluster`: one load from four pods, on real nodes, under the service account without rights.

use std::{process::Output, time::Duration};

use serde_json::{Value, json};
use support::{cluster::run_dir, eventually, process::Process};

use crate::{
    images,
    stage::{NAMESPACE, Stage},
};

const LOAD_TESTS: &str = "vas-load-tests";
/// How the Job of a load begins, and all that belongs to it.
const JOB: &str = "/vas-load-test-";

/// The four pods send what one would have sent. Then one of four is killed.
pub(crate) async fn four_pods(stage: &Stage) -> String {
    let cluster = &stage.cluster;
    let restricted = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": LOAD_TESTS, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    });
    cluster.kubectl_ok(&["apply", "-f", "-"], Some(&restricted.to_string()));
    let report = run_dir().join("distributed.json");
    let whole = start(stage, "whole", "30s", &report).wait().await;
    let (code, log) = whole;
    let text = std::fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {log}"));
    let report: Value = serde_json::from_str(&text).expect("the report is JSON");
    // The nodes share this machine with all others, so a generator may rightly have stood still.
    let doubts = report["doubts"].to_string();
    assert!(
        code == Some(0) || code == Some(3) && !doubts.contains("was lost"),
        "{code:?}: {log}"
    );
    assert_eq!(report["summary"]["requests"], 600, "{log}");
    assert_eq!(report["run"]["ids"].as_array().map(Vec::len), Some(4));
    left_nothing(stage).await;

    let file = run_dir().join("distributed-killed.json");
    let run = start(stage, "killed", "10m", &file);
    eventually(Duration::from_secs(180), "load is sent", || async {
        let log = run.0.log();
        log.contains("answered").then_some(()).ok_or(log)
    })
    .await;
    let third = "batch.kubernetes.io/job-completion-index=2";
    let delete = [
        "-n",
        LOAD_TESTS,
        "delete",
        "pod",
        "-l",
        third,
        "--grace-period=0",
        "--force",
    ];
    cluster.kubectl_ok(&delete, None);
    let (code, log) = run.wait().await;
    assert_eq!(code, Some(3), "{log}");
    assert!(log.contains("worker 2 was lost"), "{log}");
    left_nothing(stage).await;
    cluster.kubectl_ok(&["delete", "namespace", LOAD_TESTS, "--wait=false"], None);
    "600 of 600 requests from 4 pods; with one killed: INVALID, and worker 2 named".to_owned()
}

struct Run(Process);

impl Run {
    async fn wait(mut self) -> (Option<i32>, String) {
        let code = self.0.wait(Duration::from_secs(300)).await.code();
        (code, self.0.log())
    }
}

fn start(stage: &Stage, name: &str, duration: &str, report: &std::path::Path) -> Run {
    let arguments = [
        "test",
        "run",
        &format!("http://api-gateway.{NAMESPACE}/work"),
        "--rate=20",
        &format!("--duration={duration}"),
        "--in-cluster",
        "--workers=4",
        "--worker-cpu=50m",
        "--worker-memory=64Mi",
        "--start-timeout=3m",
        &format!("--namespace={LOAD_TESTS}"),
        &format!("--kubeconfig={}", stage.cluster.kubeconfig().display()),
        &format!("--output=json={}", report.display()),
    ];
    let log = run_dir().join(format!("distributed-{name}.log"));
    Run(Process::start(
        name,
        &images::vas_program(),
        &arguments.map(str::to_owned),
        &[],
        log,
    ))
}

/// Job, pods, Secret and Service are gone.
async fn left_nothing(stage: &Stage) {
    eventually(
        Duration::from_secs(120),
        "nothing of the load is left",
        || async {
            let label = "app.kubernetes.io/name=vas-load-test";
            let get = [
                "-n",
                LOAD_TESTS,
                "get",
                "jobs,pods,secrets,services",
                "-l",
                label,
                "-o",
                "name",
            ];
            let Output { stdout, .. } = stage.cluster.kubectl(&get, None);
            let left = String::from_utf8_lossy(&stdout);
            // Loads on a schedule have the same label.
            let left: Vec<&str> = left.lines().filter(|name| name.contains(JOB)).collect();
            left.is_empty().then_some(()).ok_or_else(|| format!("{left:?}"))
        },
    )
    .await;
}
