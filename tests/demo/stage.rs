//! Starts everything that must run before the story begins, and ends it.

use std::time::{Duration, Instant};

use kube::Client;
use serde_json::Value;

use crate::{
    load::Steering,
    terminal::{self, Look, Terminal},
    users::Users,
    workload::{NAMESPACE, Workload},
};
use support::{
    Cluster, eventually, install,
    kustomization::Kustomization,
    load_model::LoadModel,
    process::{Process, free_port},
    prometheus::Prometheus,
};

const DEPLOYMENTS: &str = include_str!("deployments.yaml");
/// Requests per second of one gateway pod: twice the HPA's target, so that a pod can carry what is its share
/// while others start, and less than a third of the peak.
pub(crate) const CAPACITY: i32 = 200;
/// The production overlay with the demo's environment.
const OVERLAY: &str = "tests/demo/overlay";

/// The running stage. Dropping it ends everything, the cluster last.
pub(crate) struct Stage {
    /// Steers the load model.
    pub load: Steering,
    /// The users, while they send requests.
    pub users: Option<Users>,
    /// The URL that they send requests to.
    pub target: String,
    /// A client with the administrator's rights.
    pub client: Client,
    /// The Prometheus server of the demo.
    pub prometheus: Prometheus,
    load_model: LoadModel,
    processes: [Process; 2],
    /// The cluster in which the demo plays.
    pub cluster: Cluster,
}

impl Stage {
    /// Starts everything, and waits until the resource is ready to scale.
    pub(crate) async fn set(terminal: Terminal) -> Self {
        let progress = Progress::new(terminal);
        progress.say("starting etcd, kube-apiserver, controller-manager, scheduler, kwok, metrics-server");
        let cluster = Cluster::start("demo", &[]);
        let client = cluster.client().await;

        progress.say("deploying api-gateway and worker: simulated pods that take 15 s to become Ready");
        cluster.kubectl_ok(&["create", "namespace", NAMESPACE], None);
        cluster.kubectl_ok(&["-n", NAMESPACE, "apply", "-f", "-"], Some(DEPLOYMENTS));

        progress.say("kubectl apply -k manifests/install; kubectl apply -k manifests/register");
        let install = install::apply(&cluster);

        progress.say("starting Prometheus and the load model");
        let prometheus = Prometheus::start("demo").await;
        let load_model = LoadModel::start_serving(&cluster, NAMESPACE, &[&format!("--capacity={CAPACITY}")]);
        prometheus.register("voiceassist", load_model.address());

        progress.say("starting vas operator and vas metrics-server under their own service accounts");
        let processes = vas(&cluster, &install, &prometheus);

        progress.say(&format!("kubectl apply -k {OVERLAY}"));
        cluster.kubectl_ok(&["apply", "-k", OVERLAY], None);
        let mut stage = Self {
            load: Steering::at(load_model.address()),
            users: None,
            target: format!("http://{}", load_model.service()),
            client,
            prometheus,
            load_model,
            processes,
            cluster,
        };
        let (fewest, _) = Workload::Gateway.bounds();
        eventually(Duration::from_secs(60), "the gateway pods serve", || async {
            let pods = stage.load.offered().await.ok_or(0)?.service.ready_pods;
            (pods == fewest).then_some(()).ok_or(pods)
        })
        .await;
        progress.say("vas test run tests/demo/users/quiet.yaml: users send 60 requests/s");
        stage.users = Some(Users::come(&stage.target));
        progress.say("waiting until both HPAs have all their metrics");
        stage.ready().await;
        progress.say("ready");
        stage
    }

    /// Waits until both HPAs have a value for each of their metrics, and the resource says so.
    async fn ready(&self) {
        let deadline = Duration::from_secs(90);
        eventually(deadline, "the VoiceAssistScaling is Ready", || async {
            let conditions = self.get("vas/voiceassist");
            let conditions = conditions["status"]["conditions"].clone();
            let ready = conditions
                .as_array()
                .into_iter()
                .flatten()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            if ready {
                Ok(())
            } else {
                Err(conditions.to_string())
            }
        })
        .await;
        for workload in Workload::ALL {
            let what = format!("the HPA of {} has a value for every metric", workload.name());
            eventually(deadline, &what, || async {
                let hpa = self.get(&format!("hpa/{}", workload.hpa()));
                let wanted = hpa["spec"]["metrics"].as_array().map_or(0, Vec::len);
                let found = hpa["status"]["currentMetrics"].as_array().map_or(0, |metrics| {
                    metrics.iter().filter(|metric| metric["type"] != "").count()
                });
                if wanted > 0 && found == wanted {
                    Ok(())
                } else {
                    Err(format!("{found} of {wanted}: {}", hpa["status"]["conditions"]))
                }
            })
            .await;
        }
    }

    /// An object of the story's namespace as JSON.
    pub(crate) fn get(&self, name: &str) -> Value {
        let output = self
            .cluster
            .kubectl(&["-n", NAMESPACE, "get", name, "-o", "json"], None);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Panics with the log of a process that has ended.
    pub(crate) fn assert_running(&mut self) {
        self.load_model.assert_running();
        if let Some(users) = &mut self.users {
            users.assert_running();
        }
        for process in &mut self.processes {
            process.assert_running();
        }
    }
}

fn vas(cluster: &Cluster, install: &Kustomization, prometheus: &Prometheus) -> [Process; 2] {
    let operator = install.deployment("vas-operator").start(
        cluster,
        "vas-operator-0",
        &[format!("--metrics-bind-address=127.0.0.1:{}", free_port())],
    );
    let port = free_port();
    let server = install.deployment("vas-metrics-server").start(
        cluster,
        "vas-metrics-server-0",
        &[
            format!("--secure-port={port}"),
            format!("--metrics-bind-address=127.0.0.1:{}", free_port()),
            format!("--prometheus-url={}", prometheus.url()),
            // The polls are faster in proportion: 2 s to a window of 15 s are about what 5 s are to
            // production's minute.
            "--prometheus-poll-interval=2s".to_owned(),
        ],
    );
    install::route_metrics_server(cluster, port);
    [operator, server]
}

/// Shows the current step, and the time it took.
struct Progress {
    terminal: Terminal,
    started: Instant,
}

impl Progress {
    fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            started: Instant::now(),
        }
    }

    fn say(&self, what: &str) {
        let at = format!("{:>5.1} s", self.started.elapsed().as_secs_f64());
        let at = self.terminal.paint(Look::Dim, &at);
        terminal::line(&format!("{at}  {what}"));
    }
}
