//! One installation from the manifests, with everything that doctor checks: operator and metrics server under
//! their own accounts, Prometheus, metrics-server, and one scaled workload. Tests use it one after the other,
//! and leave it healthy.

use std::{process::Output, sync::LazyLock, time::Duration};

use serde_json::Value;
use tokio::runtime::Runtime;

use crate::metrics_server::stack::POLLED_OFTEN;
use support::{
    Cluster,
    cluster::SCALED_OFTEN,
    eventually,
    exporter::Exporter,
    install,
    process::{Process, free_port},
    prometheus::Prometheus,
    shared::{Group, Held, Shared},
    vas,
};

/// Time in which pods start, rates become complete, and metrics-server has CPU values.
const PATIENCE: Duration = Duration::from_secs(180);
/// Time between two runs of doctor, which costs far more than a read.
const BETWEEN_RUNS: Duration = Duration::from_millis(500);
pub(super) const NAMESPACE: &str = "doctored";

const WORKLOAD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: api-gateway}
spec:
  selector: {matchLabels: {app: api-gateway}}
  template:
    metadata: {labels: {app: api-gateway}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: app
        image: voiceassist/api-gateway
        resources: {requests: {cpu: 100m}}
        readinessProbe: {httpGet: {path: /ready, port: 8080}, timeoutSeconds: 5}
";

const SCALING: &str = "
apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {name: voiceassist}
spec:
  workloads:
  - name: api-gateway
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api-gateway}
    minReplicas: 2
    maxReplicas: 4
    disruption: {maxUnavailable: 1}
    metrics:
    - {name: cpu, resource: {name: cpu, target: {averageUtilization: 70}}}
    - {name: request-rate, requestRate: {counter: voiceassist_http_requests_total, window: 10s, target: {averageValue: '100'}}}
    - {name: queue-depth, queueDepth: {gauge: voiceassist_queue_depth, matchLabels: {queue: default}, target: {averageValue: '50'}}}
";

/// A cluster with everything that doctor looks at, installed and healthy.
pub(super) struct Installation {
    pub cluster: Cluster,
    pub prometheus: Prometheus,
    pub exporter: Exporter,
    operator: Process,
    metrics_server: Process,
}

/// The output of one run of doctor.
pub(super) struct Said {
    pub code: Option<i32>,
    pub report: Value,
}

/// A runtime that lives longer than the test that started something on it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
});

/// The installation, healthy, for one test at a time.
pub(super) async fn healthy() -> Held<Installation> {
    static INSTALLATION: Group<Installation> = Group::new();
    let start = async || RUNTIME.spawn(Installation::start()).await;
    let installation = INSTALLATION.hold(start).await;
    installation.becomes_healthy().await;
    installation
}

impl Shared for Installation {
    fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn namespace(&self) -> &str {
        NAMESPACE
    }

    fn processes(&self) -> Vec<&Process> {
        vec![&self.operator, &self.metrics_server]
    }
}

impl Installation {
    async fn start() -> Self {
        let cluster = Cluster::start("doctor", &[SCALED_OFTEN]);
        let manifests = install::apply_with_limits(&cluster);
        let prometheus = Prometheus::start("doctor").await;
        let exporter = Exporter::start().await;
        prometheus.register("exporter", &exporter.target());
        let metrics = || format!("--metrics-bind-address=127.0.0.1:{}", free_port());
        let operator = manifests
            .deployment("vas-operator")
            .start(&cluster, "vas-operator-0", &[metrics()]);
        let port = free_port();
        let metrics_server = manifests.deployment("vas-metrics-server").start(
            &cluster,
            "vas-metrics-server-0",
            &[
                metrics(),
                format!("--secure-port={port}"),
                format!("--prometheus-url={}", prometheus.url()),
                POLLED_OFTEN.to_owned(),
            ],
        );
        install::route_metrics_server(&cluster, port);
        cluster.create_namespace(NAMESPACE);
        let installation = Self {
            cluster,
            prometheus,
            exporter,
            operator,
            metrics_server,
        };
        installation.apply(WORKLOAD);
        installation.apply(SCALING);
        installation
    }

    /// Applies YAML in the namespace of the workload.
    #[track_caller]
    pub(super) fn apply(&self, yaml: &str) {
        self.cluster.apply(NAMESPACE, yaml);
    }

    /// Changes an object in the namespace of the workload.
    #[track_caller]
    pub(super) fn patch(&self, kind: &str, name: &str, patch: &Value) {
        self.cluster.patch(NAMESPACE, kind, name, patch);
    }

    /// Deletes an object in the namespace of the workload, and waits until it is gone.
    #[track_caller]
    pub(super) fn delete(&self, kind: &str, name: &str) {
        self.cluster.delete(NAMESPACE, kind, name);
    }

    /// Runs kubectl in the namespace of the workload.
    #[track_caller]
    pub(super) fn kubectl(&self, args: &[&str]) -> String {
        let mut all = vec!["-n", NAMESPACE];
        all.extend_from_slice(args);
        self.cluster.kubectl_ok(&all, None)
    }

    /// Runs doctor with more arguments.
    pub(super) fn run(&self, args: &[&str]) -> Output {
        let kubeconfig = format!("--kubeconfig={}", self.cluster.kubeconfig().display());
        let mut all = vec!["doctor", &kubeconfig, "-n", NAMESPACE];
        all.extend_from_slice(args);
        vas::run(&all)
    }

    /// The report of doctor on the namespace, with Prometheus queried directly.
    #[track_caller]
    pub(super) fn doctor(&self) -> Said {
        self.export();
        Said::of(&self.run(&["-o=json", &format!("--prometheus-url={}", self.prometheus.url())]))
    }

    /// Exports series for the live pods. The HPA may have made new ones.
    fn export(&self) {
        for pod in self.cluster.objects(NAMESPACE, "pods", "app=api-gateway") {
            let pod = pod["metadata"]["name"].as_str().expect("pods have names");
            let labels = [("namespace", NAMESPACE), ("pod", pod)];
            self.exporter.add("voiceassist_http_requests_total", &labels, 1.0);
        }
        let queue = [("namespace", NAMESPACE), ("queue", "default")];
        self.exporter.set("voiceassist_queue_depth", &queue, 10.0);
    }

    /// What doctor prints where it finds nothing wrong. It is run until that is so: between two runs the HPA may make a
    /// pod, which has no series yet, or a busy machine may answer late.
    pub(super) async fn all_well(&self, args: &[&str]) -> String {
        eventually(PATIENCE, "doctor finds all well", || async {
            self.export();
            let output = self.run(args);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.code() == Some(0) && text.contains("0 problems, 0 warnings, 0 skipped, ") {
                Ok(text)
            } else {
                tokio::time::sleep(BETWEEN_RUNS).await;
                Err(format!("{:?}: {text}", output.status.code()))
            }
        })
        .await
    }

    /// Waits until doctor finds nothing wrong.
    pub(super) async fn becomes_healthy(&self) {
        eventually(PATIENCE, "doctor finds all well", || async {
            let said = self.doctor();
            let bad = said.not_ok();
            if said.code == Some(0) && bad.is_empty() {
                Ok(())
            } else {
                tokio::time::sleep(BETWEEN_RUNS).await;
                Err(format!("{:?}: {bad:#?}", said.code))
            }
        })
        .await;
    }

    /// Waits until a check has a finding of this severity. Returns its object, message and fix in one line.
    pub(super) async fn finds(&self, check: &str, severity: &str) -> String {
        self.finds_in(|| self.doctor(), check, severity).await
    }

    /// The same for another way to run doctor. A problem means exit code 1, anything less code 0.
    pub(super) async fn finds_in(&self, run: impl Fn() -> Said, check: &str, severity: &str) -> String {
        eventually(
            Duration::from_secs(60),
            &format!("{check} finds a {severity}"),
            || async {
                let said = run();
                let problems = said.report["summary"]["problem"].as_u64();
                assert_eq!(
                    said.code,
                    Some(i32::from(problems > Some(0))),
                    "{:#?}",
                    said.not_ok()
                );
                if let Some(found) = said.line(check, severity) {
                    Ok(found)
                } else {
                    tokio::time::sleep(BETWEEN_RUNS).await;
                    Err(format!("{:#?}", said.not_ok()))
                }
            },
        )
        .await
    }

    /// Puts back what was applied at the start.
    pub(super) fn restore(&self) {
        for yaml in [WORKLOAD, SCALING] {
            self.cluster.replace(NAMESPACE, yaml);
        }
    }
}

impl Said {
    /// Reads the output of a run with `-o json`.
    #[track_caller]
    pub(super) fn of(output: &Output) -> Self {
        let report = serde_json::from_slice(&output.stdout);
        Self {
            code: output.status.code(),
            report: report.unwrap_or_else(|error| {
                panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
            }),
        }
    }

    fn findings(&self) -> &[Value] {
        self.report["findings"].as_array().expect("findings")
    }

    /// One finding in a line.
    pub(super) fn line(&self, check: &str, severity: &str) -> Option<String> {
        let found = self.findings().iter();
        found
            .filter(|finding| finding["check"] == check && finding["severity"] == severity)
            .map(line)
            .reduce(|all, one| format!("{all}\n{one}"))
    }

    /// All findings that are not fine. Skipped checks are left out where there is nothing to check.
    pub(super) fn not_ok(&self) -> Vec<String> {
        let bad = self
            .findings()
            .iter()
            .filter(|finding| finding["severity"] != "ok");
        bad.map(|finding| format!("{} {}: {}", finding["check"], finding["severity"], line(finding)))
            .collect()
    }
}

fn line(finding: &Value) -> String {
    let text = |field: &str| finding[field].as_str().unwrap_or_default();
    format!("{}: {} [fix: {}]", text("object"), text("message"), text("fix"))
}
