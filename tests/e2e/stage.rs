//! What stands before the first test: a cluster, the images in it, Prometheus, VoiceAssist's pods, vas by its chart, and
//! the production overlay.

use std::{
    path::PathBuf,
    process::{Command, Output},
    time::{Duration, Instant},
};

use kube::Client;
use serde_json::Value;
use support::{
    Cluster, chart,
    cluster::{root, run_dir},
    eventually,
    replicas::Replicas,
};

use crate::{
    images,
    users::{Jobs, memory_of_all},
};

/// The namespace of VoiceAssist, of its overlay and of the tests.
pub(crate) const NAMESPACE: &str = "voiceassist-production";
/// The namespace of the installation.
pub(crate) const INSTALLED: &str = "vas-system";
/// The nodes of a cluster, unless it was started with another number.
pub(crate) const NODES: [&str; 2] = ["node-0", "node-1"];
/// The production overlay with one environment more, whose behaviour has shorter times.
pub(crate) const OVERLAY: &str = "tests/demo/overlay";
const PROMETHEUS: &str = include_str!("objects/prometheus.yaml");
const VOICEASSIST: &str = include_str!("objects/voiceassist.yaml");
const VALUES: &str = "tests/e2e/objects/values.yaml";
/// Longest time until pods whose image is there are Ready, on a machine that has other work too.
const ROLLED_OUT: Duration = Duration::from_secs(240);
/// Longest time until everybody knows what has changed.
const SETTLED: Duration = Duration::from_secs(180);

/// The stage. Dropping it ends the cluster, unless somebody else started it.
pub(crate) struct Stage {
    pub cluster: Cluster,
    pub client: Client,
    pub replicas: Replicas,
    foreign: bool,
}

impl Stage {
    /// Sets it, and says what was seen on the way.
    pub(crate) async fn set() -> (Self, String) {
        // Where tests put reports; a cluster that somebody else started has not made it.
        std::fs::create_dir_all(run_dir()).expect("a folder of this run");
        let began = Instant::now();
        let foreign = std::env::var_os("E2E_DIR");
        let cluster = match &foreign {
            Some(dir) => Cluster::at(PathBuf::from(dir)),
            None => Cluster::start("e2e", &["--node", "real", "--timeout=5m"]),
        };
        let up = began.elapsed();
        let client = cluster.client().await;
        cluster.load(&images::archives());
        cluster.apply("", PROMETHEUS);
        cluster.apply("", VOICEASSIST);

        let began = Instant::now();
        let folder = root().join(chart::CHART);
        let folder = folder.to_string_lossy();
        let namespace = ["-n", INSTALLED, "--create-namespace"];
        let mut install = vec![
            "upgrade",
            "--install",
            chart::RELEASE,
            &folder,
            "--wait",
            "--timeout=5m",
        ];
        install.extend(namespace);
        install.extend(["-f", VALUES]);
        chart::run_ok(&cluster, &install);
        let installed = began.elapsed();
        let stage = Self {
            replicas: Replicas::watch(&client, NAMESPACE),
            cluster,
            client,
            foreign: foreign.is_some(),
        };
        stage.rolled_out("monitoring", "prometheus");
        stage.rolled_out(NAMESPACE, "queue");
        stage.vas_ok(&["register"]);
        let began = Instant::now();
        stage.cluster.kubectl_ok(&["apply", "-k", OVERLAY], None);
        stage.at_rest().await;
        let rest = began.elapsed();
        let seen = format!(
            "cluster {:.0} s, chart to 2 + 2 pods Ready {:.0} s, overlay to all metrics at the fewest replicas {:.0} s; {}",
            up.as_secs_f64(),
            installed.as_secs_f64(),
            rest.as_secs_f64(),
            stage.usage().await
        );
        (stage, seen)
    }

    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Makes `VoiceAssist`'s pods.
    pub(crate) fn apply_voiceassist(&self) {
        self.cluster.apply("", VOICEASSIST);
    }

    /// Waits until a rollout is complete.
    #[track_caller]
    pub(crate) fn rolled_out(&self, namespace: &str, deployment: &str) {
        let name = format!("deployment/{deployment}");
        let timeout = format!("--timeout={}s", ROLLED_OUT.as_secs());
        self.cluster
            .kubectl_ok(&["-n", namespace, "rollout", "status", &name, &timeout], None);
    }

    /// Takes all load away, and waits for what that makes of the replicas.
    pub(crate) async fn at_rest(&self) {
        Jobs::of(self).clear().await;
        memory_of_all(self, 0).await;
        self.scaled_to_the_fewest().await;
    }

    /// Waits until both Deployments are at their fewest replicas, Ready, and their HPAs have every metric.
    pub(crate) async fn scaled_to_the_fewest(&self) {
        for (workload, fewest) in [("api-gateway", 3), ("worker", 1)] {
            self.replicas
                .reach(workload, fewest, Duration::from_secs(300))
                .await;
            let hpa = format!("hpa/voiceassist-{workload}");
            eventually(SETTLED, "an HPA with a value for each metric", || async {
                let hpa = self.get(NAMESPACE, &hpa);
                let wanted = hpa["spec"]["metrics"].as_array().map_or(1, Vec::len);
                let found = hpa["status"]["currentMetrics"].as_array().map_or(0, |metrics| {
                    metrics.iter().filter(|metric| metric["type"] != "").count()
                });
                (found == wanted)
                    .then_some(())
                    .ok_or_else(|| hpa["status"].to_string())
            })
            .await;
        }
    }

    /// An object as JSON; `Null` where there is none.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Value {
        let output = self
            .cluster
            .kubectl(&["-n", namespace, "get", name, "-o", "json"], None);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// The address of a Service, which is reached from this machine.
    #[track_caller]
    pub(crate) fn address(&self, namespace: &str, service: &str) -> String {
        let service = self.get(namespace, &format!("service/{service}"));
        let address = service["spec"]["clusterIP"].as_str();
        address.expect("the Service has an address").to_owned()
    }

    /// Runs the program of the image with the administrator's rights.
    pub(crate) fn vas(&self, args: &[&str]) -> Output {
        let mut vas = Command::new(images::vas_program());
        vas.args(args).env("KUBECONFIG", self.cluster.kubeconfig());
        vas.current_dir(root()).output().expect("vas starts")
    }

    /// The same, and panics with its words if it fails.
    #[track_caller]
    pub(crate) fn vas_ok(&self, args: &[&str]) -> String {
        let output = self.vas(args);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "vas {args:?}: {}: {out}{err}",
            output.status
        );
        out.into_owned()
    }

    /// What the pods of the installation use, as metrics-server says.
    async fn usage(&self) -> String {
        eventually(SETTLED, "usage of the installation's pods", || async {
            let top = self
                .cluster
                .kubectl(&["-n", INSTALLED, "top", "pods", "--no-headers"], None);
            let text = String::from_utf8_lossy(&top.stdout).into_owned();
            let lines: Vec<String> = text
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect();
            if lines.len() == 4 {
                Ok(lines.join(", "))
            } else {
                Err(text)
            }
        })
        .await
    }
}
