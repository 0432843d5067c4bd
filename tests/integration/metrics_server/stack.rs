//! One metrics server for all tests of this folder, installed from the manifests and run under its own account.
//!
//! The APIServices of custom.metrics.k8s.io belong to a cluster as a whole, so the tests share this server.
//! Each test has a namespace of its own. The parts of the stack live as long as the test process, on a
//! runtime of their own.

use std::{path::Path, sync::LazyLock, time::Duration};

use serde_json::Value;
use tokio::{runtime::Runtime, sync::RwLock};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_core::{
    reconcile::desired::hpa,
    spec::{model::Scaling, rules::validate},
};

use support::{
    Cluster, eventually,
    exporter::Exporter,
    fault_proxy::FaultProxy,
    install,
    kustomization::Kustomization,
    namespace::Namespace,
    process::{Process, free_port},
    prometheus::Prometheus,
    vas as program,
};

/// Everything between a scrape target and the HPA.
pub(crate) struct Stack {
    pub cluster: &'static Cluster,
    pub install: Kustomization,
    pub prometheus: Prometheus,
    /// The proxy in front of Prometheus. A test that closes it takes the write lock; all others take read
    /// locks.
    pub proxy: RwLock<FaultProxy>,
    pub exporter: Exporter,
    /// Port of the server to which the APIServices lead.
    pub port: u16,
    /// Its plain port.
    pub metrics_port: u16,
    pub proxy_url: String,
    pub server: Process,
}

/// A runtime that lives longer than the test that started something on it.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
});

/// The shared stack, ready to be read from.
pub(crate) async fn stack() -> &'static Stack {
    static STACK: tokio::sync::OnceCell<Stack> = tokio::sync::OnceCell::const_new();
    STACK
        .get_or_init(|| async { RUNTIME.spawn(Stack::start()).await.expect("the stack starts") })
        .await
}

impl Stack {
    async fn start() -> Self {
        let cluster = Cluster::shared();
        let install = install::apply(cluster);
        let prometheus = Prometheus::start("metrics-server").await;
        let exporter = Exporter::start().await;
        prometheus.register("exporter", &exporter.target());
        let proxy = FaultProxy::start(&prometheus.url()).await;
        let (port, metrics_port, proxy_url) = (free_port(), free_port(), proxy.url());
        let server = start_server(
            &install,
            cluster,
            "vas-metrics-server-0",
            port,
            metrics_port,
            &proxy_url,
        );
        install::route_metrics_server(cluster, port);
        let stack = Self {
            cluster,
            install,
            prometheus,
            proxy: RwLock::new(proxy),
            exporter,
            port,
            metrics_port,
            proxy_url,
            server,
        };
        for version in ["v1beta1", "v1beta2"] {
            let path = format!("/apis/custom.metrics.k8s.io/{version}");
            eventually(
                Duration::from_secs(60),
                "the API server serves our group",
                || async { stack.get(&path).map(drop) },
            )
            .await;
        }
        stack
    }

    /// Starts a further replica under the same account.
    pub(crate) fn start_replica(&self, name: &str, port: u16, metrics_port: u16) -> Process {
        start_server(
            &self.install,
            self.cluster,
            name,
            port,
            metrics_port,
            &self.proxy_url,
        )
    }

    /// `kubectl get --raw`: the document, or kubectl's error.
    pub(crate) fn get(&self, path: &str) -> Result<Value, String> {
        let output = self.cluster.kubectl(&["get", "--raw", path], None);
        if output.status.success() {
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// A namespace with a resource in it, and with the HPAs that the operator would write.
    pub(crate) fn scaling(&self, prefix: &str, spec: &str) -> Namespace<'static> {
        let namespace = Namespace::create(self.cluster, prefix);
        apply(&namespace, "voiceassist", spec);
        namespace
    }
}

/// Starts a server under the account of the manifests.
pub(crate) fn start_server(
    install: &Kustomization,
    cluster: &Cluster,
    name: &str,
    port: u16,
    metrics_port: u16,
    prometheus: &str,
) -> Process {
    install.deployment("vas-metrics-server").start(
        cluster,
        name,
        &[
            format!("--secure-port={port}"),
            format!("--metrics-bind-address=127.0.0.1:{metrics_port}"),
            format!("--prometheus-url={prometheus}"),
        ],
    )
}

/// Starts a server whose Service, Lease and certificate are in a namespace of its own.
pub(crate) fn start_apart(
    namespace: &Namespace<'_>,
    name: &str,
    kubeconfig: &Path,
    (port, metrics_port): (u16, u16),
    prometheus: &str,
) -> Process {
    let args = [
        "metrics-server".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--prometheus-url={prometheus}"),
        format!("--watch-namespace={}", namespace.name()),
        format!("--service-namespace={}", namespace.name()),
        format!("--leader-elect-resource-namespace={}", namespace.name()),
        format!("--secure-port={port}"),
        format!("--metrics-bind-address=127.0.0.1:{metrics_port}"),
    ];
    program::start(name, &args, &[])
}

/// Applies a resource and its HPAs.
pub(crate) fn apply(namespace: &Namespace<'_>, name: &str, spec: &str) {
    let scaling = apply_resource(namespace, name, spec);
    apply_hpas(namespace, &scaling);
}

/// Applies a resource alone.
pub(crate) fn apply_resource(namespace: &Namespace<'_>, name: &str, spec: &str) -> Scaling {
    let spec: Value = serde_saphyr::from_str(spec).expect("the spec is YAML");
    let object = serde_json::json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1",
        "kind": "VoiceAssistScaling",
        "metadata": {"name": name, "namespace": namespace.name()},
        "spec": spec,
    });
    namespace.apply(&object.to_string());
    let object: VoiceAssistScaling = serde_json::from_value(object).expect("the resource parses");
    let validation = validate(&object);
    assert_eq!(validation.violations, [], "the resource is valid");
    validation.scaling.expect("a valid resource")
}

/// Applies the HPAs of a resource, as the operator would write them.
pub(crate) fn apply_hpas(namespace: &Namespace<'_>, scaling: &Scaling) {
    for workload in &scaling.workloads {
        let hpa = hpa::build(scaling, workload, None);
        namespace.apply(&serde_json::to_string(&hpa).expect("an HPA is JSON"));
    }
}

/// One condition of a resource: status, reason and message in one line; empty while it has none.
pub(crate) fn metrics_available(namespace: &Namespace<'_>, name: &str) -> String {
    let condition =
        "{range .status.conditions[?(@.type=='MetricsAvailable')]}{.status} {.reason}: {.message}{end}";
    namespace.kubectl(&[
        "get",
        "voiceassistscaling",
        name,
        "-o",
        &format!("jsonpath={condition}"),
    ])
}

/// A Deployment whose pods kwok runs.
pub(crate) fn deployment(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: app, image: voiceassist/{name}}}]
"
    )
}

/// Names of the live pods of an app.
pub(crate) fn pods(namespace: &Namespace<'_>, app: &str) -> Vec<String> {
    let selector = format!("app={app}");
    names(&namespace.kubectl(&["get", "pods", "-l", &selector, "-o", NAMES]))
}

/// The same for a namespace by name; empty when the namespace is gone.
pub(crate) fn pods_of(stack: &Stack, namespace: &str, app: &str) -> Vec<String> {
    let selector = format!("app={app}");
    let output = stack.cluster.kubectl(
        &["-n", namespace, "get", "pods", "-l", &selector, "-o", NAMES],
        None,
    );
    names(&String::from_utf8_lossy(&output.stdout))
}

const NAMES: &str = "jsonpath={.items[*].metadata.name}";

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// `spec.replicas` of a Deployment: the count that the HPA last set.
pub(crate) fn replicas(namespace: &Namespace<'_>, name: &str) -> u32 {
    let text = namespace.kubectl(&["get", "deployment", name, "-o", "jsonpath={.spec.replicas}"]);
    text.parse().expect("a number of replicas")
}
