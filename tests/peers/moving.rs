//! The move from another adapter to vas and back, for either metrics API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use support::{
    Cluster,
    certificate::Certificate,
    deployment::deployment,
    eventually,
    exporter::Exporter,
    install,
    process::{Process, free_port},
    prometheus::Prometheus,
    replicas::Replicas,
    vas,
};

/// A deadline on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(120);
/// The namespace whose HPA the other adapter feeds.
pub(crate) const THEIRS: &str = "theirs";
/// The namespace of a resource of ours.
const OURS: &str = "ours";
/// The namespace of the other adapter's Service.
pub(crate) const ADAPTERS: &str = "adapters";

/// A cluster with a Prometheus and the numbers that are scaled on.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) prometheus: Prometheus,
    pub(crate) certificate: Certificate,
    exporter: Exporter,
}

/// A metrics API that changes hands.
pub(crate) struct Api {
    /// `custom` or `external`.
    pub(crate) short: &'static str,
    /// The APIServices.
    pub(crate) versions: &'static [&'static str],
    /// Whether the metric of our resource is external.
    pub(crate) external: bool,
}

impl World {
    pub(crate) async fn start(name: &str) -> Self {
        let cluster = Cluster::start(name, &["--hpa-sync-period=2s"]);
        let prometheus = Prometheus::start(name).await;
        let exporter = Exporter::start().await;
        prometheus.register("exporter", &exporter.target());
        let certificate = Certificate::issue(
            cluster.dir(),
            vec!["localhost".to_owned(), format!("adapter.{ADAPTERS}.svc")],
        );
        for namespace in [THEIRS, OURS, ADAPTERS] {
            cluster.create_namespace(namespace);
        }
        for namespace in [THEIRS, OURS] {
            cluster.apply(namespace, &deployment("web", 1));
        }
        let world = Self {
            cluster,
            prometheus,
            certificate,
            exporter,
        };
        world.set(THEIRS, 30.0);
        world.set(OURS, 20.0);
        world
    }

    /// Sets the number on which a namespace scales; ten make a pod.
    fn set(&self, namespace: &str, value: f64) {
        let labels = [("namespace", namespace), ("deployment", "web")];
        self.exporter.set("peer_depth", &labels, value);
    }

    fn replicas(&self, namespace: &str) -> u64 {
        let deployment = self
            .cluster
            .object(namespace, "deployment", "web")
            .unwrap_or_default();
        deployment["spec"]["replicas"].as_u64().unwrap_or_default()
    }

    async fn scales(&self, namespace: &str, replicas: u64) {
        let what = format!("{namespace} has {replicas} replicas");
        eventually(PATIENCE, &what, || async {
            match self.replicas(namespace) {
                now if now == replicas => Ok(()),
                now => {
                    let hpas = self.cluster.objects(namespace, "hpa", "");
                    Err(format!(
                        "{now} replicas; {:?}",
                        hpas.iter().map(|hpa| &hpa["status"]).collect::<Vec<_>>()
                    ))
                }
            }
        })
        .await;
    }

    /// Leads the API to the other adapter, as its chart does.
    pub(crate) fn lead_to_adapter(&self, api: &Api, port: u16) {
        let alias = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter"},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        });
        self.cluster.apply_all(ADAPTERS, &[alias]);
        self.lead(
            api,
            &json!({"namespace": ADAPTERS, "name": "adapter", "port": port}),
            true,
        );
    }

    fn lead(&self, api: &Api, service: &Value, insecure: bool) {
        let objects: Vec<Value> = api
            .versions
            .iter()
            .map(|version| {
                json!({
                    "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                    "metadata": {"name": format!("{version}.{}.metrics.k8s.io", api.short)},
                    "spec": {
                        "group": format!("{}.metrics.k8s.io", api.short), "version": version,
                        "groupPriorityMinimum": 100, "versionPriority": 100,
                        "insecureSkipTLSVerify": insecure, "service": service,
                    },
                })
            })
            .collect();
        self.cluster.apply_all("", &objects);
    }

    /// Starts the shipped metrics server under its own account, with the rights of the component `fallback`.
    fn start_vas(&self, api: &Api, adapter: u16, port: u16) -> Process {
        let install = install::rendered(install::INSTALL_WITH_EXTERNAL_METRICS);
        let is_registration = |object: &&Value| object["kind"] == "APIService";
        let objects: Vec<Value> = install
            .objects()
            .iter()
            .filter(|object| !is_registration(object))
            .cloned()
            .collect();
        self.cluster.apply_all("", &objects);
        self.cluster.established(support::cluster::CRD);
        let rights = support::cluster::root().join("manifests/install/components/fallback/rbac.yaml");
        let rights = std::fs::read_to_string(rights).expect("the component's rights");
        self.cluster.apply("vas-system", &rights);
        install::alias_metrics_server(&self.cluster);
        let deployment = install.deployment("vas-metrics-server");
        let account = self
            .cluster
            .service_account_kubeconfig("vas-system", "vas-metrics-server");
        let mut args = deployment.args(&[
            format!("--kubeconfig={}", account.display()),
            format!("--secure-port={port}"),
            format!("--metrics-bind-address=127.0.0.1:{}", free_port()),
            format!("--prometheus-url={}", self.prometheus.url()),
            "--prometheus-poll-interval=2s".to_owned(),
        ]);
        args.push(format!("--fallback-{}=localhost:{adapter}", api.short));
        let ca = self.certificate.dir.join("ca.crt");
        args.push(format!("--fallback-ca-file={}", ca.display()));
        vas::start(
            "vas-metrics-server",
            &args,
            &deployment.env("vas-metrics-server-0"),
        )
    }

    /// Walks the move and the way back. The HPA in `theirs` is there already, fed by the adapter on this port.
    pub(crate) async fn move_and_return(&self, api: &Api, adapter: u16) {
        self.scales(THEIRS, 3).await;
        let client = self.cluster.client().await;
        let (replicas, began) = (Replicas::watch(&client, THEIRS), Instant::now());
        let fewest = || replicas.fewest("web", began);

        let port = free_port();
        let _vas = self.start_vas(api, adapter, port);
        let resource = SCALING.replace("EXTERNAL", if api.external { "true" } else { "false" });
        self.cluster.apply(OURS, &resource);
        let operator = self.start_operator();
        self.lead(
            api,
            &json!({"namespace": "vas-system", "name": "vas-metrics-server", "port": port}),
            false,
        );
        self.scales(OURS, 2).await;
        self.set(THEIRS, 50.0);
        self.scales(THEIRS, 5).await;
        self.set(OURS, 40.0);
        self.scales(OURS, 4).await;
        assert!(fewest() >= Some(3), "{:?} replicas during the move", fewest());

        // The way back: first our resource, then the API.
        self.cluster.delete(OURS, "voiceassistscaling", "voiceassist");
        drop(operator);
        let unregistered = vas::administer(&self.cluster, &["unregister"]);
        assert!(unregistered.status.success(), "{unregistered:?}");
        self.lead_to_adapter(api, adapter);
        self.set(THEIRS, 70.0);
        self.scales(THEIRS, 7).await;
        assert!(fewest() >= Some(3), "{:?} replicas on the way back", fewest());
        assert_eq!(self.replicas(OURS), 4, "our workload keeps what it had");
        self.set(THEIRS, 20.0);
        self.scales(THEIRS, 2).await;
    }

    fn start_operator(&self) -> Process {
        let install = install::rendered(install::INSTALL_WITH_EXTERNAL_METRICS);
        let port = format!("--metrics-bind-address=127.0.0.1:{}", free_port());
        install
            .deployment("vas-operator")
            .start(&self.cluster, "vas-operator-0", &[port])
    }
}

const SCALING: &str = "
apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {name: voiceassist}
spec:
  workloads:
  - name: web
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
    maxReplicas: 10
    metrics:
    - name: depth
      external: EXTERNAL
      queueDepth: {gauge: peer_depth, target: {averageValue: '10'}}
";
