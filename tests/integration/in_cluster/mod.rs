//! `vas test run --in-cluster`: on the real API server, with the real Job controller; what its pods say is run on this
//! machine.

mod kubelet;

use std::{path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use support::{
    Cluster, eventually,
    namespace::Namespace,
    process::{Process, Signal},
    service::Server,
    vas,
};

use self::kubelet::{Kubelet, NO_NODE, text};

const TOKEN: &str = "t0ken-4711";
const SCENARIO: &str = "
load: {rate: [{duration: LENGTH, at: 40}]}
data: {users: {file: data/users.csv}}
thresholds: ['errors < 1%']
journeys:
- name: look
  headers: {Authorization: 'Bearer ${TOKEN}'}
  steps: [{get: '/health?user={{users.name}}'}]
";

/// A run, with what it needs.
struct Stage {
    kubelet: Kubelet,
    namespace: Namespace<'static>,
    server: Server,
    run: Process,
    report: PathBuf,
}

impl Stage {
    /// Starts `vas test run --in-cluster` with three workers, in a namespace that takes restricted pods alone.
    async fn set(name: &str, length: &str) -> Self {
        let cluster = Cluster::shared();
        let namespace = Namespace::create(cluster, name);
        let restricted =
            json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
        cluster.patch("", "namespace", namespace.name(), &restricted);
        let kubelet = Kubelet::start(cluster, namespace.name()).await;
        let server = Server::start(None).await;
        let folder = cluster.dir().join(namespace.name());
        std::fs::create_dir_all(folder.join("data")).expect("a folder");
        let scenario = folder.join("looks.yaml");
        std::fs::write(&scenario, SCENARIO.replace("LENGTH", length)).expect("a scenario");
        std::fs::write(folder.join("data/users.csv"), "name\nada\ngrace\n").expect("data");
        let headers = folder.join("headers");
        std::fs::write(&headers, "X-Tenant: s3cret-tenant\n").expect("headers");
        let report = folder.join("report.json");
        let arguments = [
            "test",
            "run",
            &scenario.display().to_string(),
            &format!("--target={}", server.url()),
            &format!("--header-file={}", headers.display()),
            "--in-cluster",
            "--workers=3",
            &format!("--worker-cpu={NO_NODE}"),
            &format!("--kubeconfig={}", kubelet.kubeconfig().display()),
            &format!("--output=json={}", report.display()),
        ];
        let environment = [("TOKEN".to_owned(), TOKEN.to_owned())];
        let run = vas::start(name, &arguments.map(str::to_owned), &environment);
        Self {
            kubelet,
            namespace,
            server,
            run,
            report,
        }
    }

    async fn says(&self, words: &str) {
        eventually(Duration::from_secs(60), words, || async {
            let log = self.run.log();
            log.contains(words).then_some(()).ok_or(log)
        })
        .await;
    }

    fn report(&self) -> Value {
        let text = std::fs::read_to_string(&self.report);
        serde_json::from_str(&text.expect("the report is written")).expect("the report is JSON")
    }

    /// Waits until nothing of the load is left in the cluster.
    async fn is_clean(&self) {
        eventually(Duration::from_secs(60), "nothing is left", || async {
            let kinds = ["job", "pod", "secret", "service"].into_iter();
            let left: Vec<Value> = kinds.flat_map(|kind| self.namespace.objects(kind, "")).collect();
            left.is_empty().then_some(()).ok_or_else(|| format!("{left:?}"))
        })
        .await;
    }
}

/// What is written where everybody who may view a namespace can read it.
fn in_clear(namespace: &Namespace<'_>) -> String {
    let kinds = ["job", "pod", "configmap", "service"].into_iter();
    let objects = kinds.flat_map(|kind| namespace.objects(kind, ""));
    objects.map(|object| object.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_begin_together_and_their_reports_are_one() {
    let mut stage = Stage::set("workers", "3s").await;
    let pods = stage.kubelet.pods(3).await;
    for hidden in [TOKEN, "s3cret-tenant", "Bearer"] {
        let clear = in_clear(&stage.namespace);
        assert!(
            !clear.contains(hidden) && !clear.contains(&STANDARD.encode(hidden)),
            "{clear}"
        );
    }
    let job = &stage.namespace.objects("job", "")[0];
    for owned in ["secret", "service"] {
        let owner = stage.namespace.objects(owned, "")[0]["metadata"]["ownerReferences"][0].clone();
        assert_eq!(owner["uid"], job["metadata"]["uid"], "{owned}");
    }
    let spec = &job["spec"];
    assert_eq!(
        (&spec["completions"], &spec["parallelism"]),
        (&json!(3), &json!(3))
    );
    assert!(spec["activeDeadlineSeconds"].as_u64() > Some(300), "{spec}");
    assert!(spec["ttlSecondsAfterFinished"].as_u64() > Some(0), "{spec}");
    // Two of three are ready, and wait.
    for pod in &pods[..2] {
        stage.kubelet.run(pod).await;
    }
    stage.says("2 of 3 workers are ready").await;
    assert_eq!(
        stage.server.asked().len(),
        0,
        "nothing is sent before all are ready"
    );
    stage.kubelet.run(&pods[2]).await;
    let code = stage.run.wait(Duration::from_secs(60)).await.code();
    let report = stage.report();
    // On a busy machine a generator may rightly have stood still.
    let doubts = report["doubts"].to_string();
    assert!(
        code == Some(0) || code == Some(3) && !doubts.contains("was lost"),
        "{code:?}: {}",
        stage.run.log()
    );
    assert_eq!(report["summary"]["requests"], 120, "{report}");
    assert_eq!(report["run"]["ids"].as_array().map(Vec::len), Some(3));
    assert_eq!(stage.server.asked().len(), 120);
    let due = report["seconds"].as_array().expect("seconds").iter();
    let due: Vec<&Value> = due.map(|second| &second["due"]).take(3).collect();
    assert_eq!(due, [40, 40, 40]);
    stage.is_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_makes_the_result_invalid_and_is_named() {
    let mut stage = Stage::set("killed", "5m").await;
    let pods = stage.kubelet.pods(3).await;
    for pod in &pods {
        stage.kubelet.run(pod).await;
    }
    stage.says("answered").await;
    let (lists, asked) = (stage.kubelet.lists(), stage.server.asked().len());
    assert!(lists > 0, "the pods were found by a list");
    eventually(Duration::from_secs(30), "three more seconds are sent", || async {
        let more = stage.server.asked().len() - asked;
        (more > 120).then_some(()).ok_or_else(|| more.to_string())
    })
    .await;
    assert_eq!(
        stage.kubelet.lists(),
        lists,
        "all are followed, so nobody is looked for"
    );
    stage.kubelet.kill(&pods[1]).await;
    let (kubelet, run) = (&stage.kubelet, &mut stage.run);
    let (code, ()) = tokio::join!(run.wait(Duration::from_secs(90)), kubelet.end_deleted());
    let log = stage.run.log();
    assert_eq!(code.code(), Some(3), "{log}");
    let lost = "worker 1 was lost, and its part of the load with it: its container ended with exit code 137 (OOMKilled)";
    assert!(log.contains("INVALID") && log.contains(lost), "{log}");
    let report = stage.report();
    assert_eq!(report["summary"]["verdict"], "invalid");
    assert_eq!(
        report["run"]["ids"].as_array().map(Vec::len),
        Some(2),
        "the others reported"
    );
    stage.is_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_the_pods_and_reports_what_was_sent() {
    let mut stage = Stage::set("interrupted", "5m").await;
    let pods = stage.kubelet.pods(3).await;
    for pod in &pods {
        stage.kubelet.run(pod).await;
    }
    stage.says("answered").await;
    stage.run.signal(Signal::Interrupt);
    let (kubelet, run) = (&stage.kubelet, &mut stage.run);
    let (code, ()) = tokio::join!(run.wait(Duration::from_secs(90)), kubelet.end_deleted());
    assert_eq!(code.code(), Some(130), "{}", stage.run.log());
    let report = stage.report();
    assert_eq!(report["run"]["ids"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["run"]["end"], "interrupted");
    stage.is_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_before_the_begin_leaves_nothing() {
    let mut stage = Stage::set("early", "5m").await;
    let pods = stage.kubelet.pods(3).await;
    stage
        .says("0 of 3 workers are ready; worker 0: Unschedulable")
        .await;
    assert_eq!(text(&pods[0]["spec"]["restartPolicy"]), "Never");
    stage.run.signal(Signal::Interrupt);
    let code = stage.run.wait(Duration::from_secs(60)).await.code();
    assert_eq!((code, stage.server.asked().len()), (Some(130), 0));
    stage.is_clean().await;
}

#[tokio::test]
async fn what_cannot_be_sent_from_pods_is_refused_before_the_cluster_is_asked() {
    let folder = support::cluster::run_dir().join("in-cluster-refused");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a file");
        file.display().to_string()
    };
    let journeys = "journeys: [{name: a, steps: [{name: a, get: '/{{rows.x}}'}]}]";
    file("large.csv", &format!("x\n{}", "0123456789\n".repeat(100_000)));
    let large = "load: {rate: [{duration: 1m, at: 10}]}\ndata: {rows: {file: large.csv}}\n";
    let large = file("large.yaml", &format!("{large}{journeys}"));
    let few = "load: {users: [{duration: 1m, at: 2}]}\njourneys: [{name: a, steps: [{get: /}]}]";
    let few = file("few.yaml", few);
    std::fs::create_dir_all(folder.join("below")).expect("a folder");
    let outside = "load: {rate: [{duration: 1m, at: 10}]}\ndata: {rows: {file: ../large.csv}}\n";
    let outside = file("below/outside.yaml", &format!("{outside}{journeys}"));
    let url = "http://127.0.0.1:9";
    for (arguments, words) in [
        (
            vec![large.as_str()],
            "the largest part is large.csv with 1100002 bytes",
        ),
        (
            vec![few.as_str(), "--workers=3"],
            "has 2 users, too few for each worker",
        ),
        (
            vec![outside.as_str()],
            "../large.csv: in the pods there is only what lies in the scenario's folder",
        ),
        (
            vec!["http-smoke", "--header-file=/dev/null"],
            "--header-file /dev/null: is no regular file",
        ),
        (vec!["quick"], "--in-cluster sends one scenario"),
        (vec!["http-smoke", "--workers=101"], "101 is not in 1..=100"),
        (vec!["http-smoke", "--web=127.0.0.1:0"], "cannot be used with"),
    ] {
        let target = format!("--target={url}");
        let flags = ["test", "run", &target, "--in-cluster", "--kubeconfig=/nowhere"];
        let all: Vec<&str> = flags.into_iter().chain(arguments.iter().copied()).collect();
        let output = vas::run(&all);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let alone = vas::run(&["test", "run", url, "--rate=1", "--workers=2"]);
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--in-cluster"));
}
