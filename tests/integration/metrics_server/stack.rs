//! One metrics server for all tests of this folder, installed from the manifests and run under its own account.
//!
//! The APIServices of custom.metrics.k8s.io belong to a cluster as a whole, so the tests share this server.
//! Each test has a namespace of its own. The parts of the stack live as long as the test process, on a
//! runtime of their own.

use std::{path::Path, sync::LazyLock, time::Duration};

use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) use support::deployment::deployment;
use support::{
    Cluster,
    api::condition,
    cluster::run_dir,
    eventually,
    exporter::Exporter,
    failure,
    fault_proxy::FaultProxy,
    install,
    kustomization::Kustomization,
    namespace::Namespace,
    process::{Process, free_port},
    prometheus::Prometheus,
    turn, vas as program,
};

/// Everything between a scrape target and the HPA.
pub(crate) struct Stack {
    pub cluster: &'static Cluster,
    pub install: Kustomization,
    pub prometheus: Prometheus,
    /// The proxy in front of Prometheus.
    pub proxy: FaultProxy,
    pub exporter: Exporter,
    /// Port of the server to which the APIServices lead.
    pub port: u16,
    /// Its plain port.
    pub metrics_port: u16,
    pub proxy_url: String,
    pub server: Process,
}

/// A shorter time between polls than the default of 5 s, because most of a test's time is waiting for numbers.
pub(crate) const POLLED_OFTEN: &str = "--prometheus-poll-interval=2s";

/// A runtime that lives longer than the test that started something on it.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
});

/// The shared stack, ready to be read from. A test waits here for its turn.
pub(crate) async fn stack() -> &'static Stack {
    static STACK: tokio::sync::OnceCell<Stack> = tokio::sync::OnceCell::const_new();
    turn::wait();
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
        failure::share(&server);
        install::route_metrics_server(cluster, port);
        let stack = Self {
            cluster,
            install,
            prometheus,
            proxy,
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
        self.cluster.raw(path)
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
            POLLED_OFTEN.to_owned(),
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
        POLLED_OFTEN.to_owned(),
    ];
    program::start(name, &args, &[])
}

/// Applies a resource and its HPAs.
pub(crate) fn apply(namespace: &Namespace<'_>, name: &str, spec: &str) {
    let resource = resource(namespace, name, spec);
    let mut objects = hpas(&resource);
    objects.insert(0, resource);
    apply_all(namespace, &objects);
}

/// Applies a resource alone, and returns it.
pub(crate) fn apply_resource(namespace: &Namespace<'_>, name: &str, spec: &str) -> Value {
    let resource = resource(namespace, name, spec);
    namespace.apply_all(std::slice::from_ref(&resource));
    resource
}

/// Applies the HPAs of a resource, as the operator would write them.
pub(crate) fn apply_hpas(namespace: &Namespace<'_>, resource: &Value) {
    apply_all(namespace, &hpas(resource));
}

fn resource(namespace: &Namespace<'_>, name: &str, spec: &str) -> Value {
    let spec: Value = serde_saphyr::from_str(spec).expect("the spec is YAML");
    serde_json::json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1",
        "kind": "VoiceAssistScaling",
        "metadata": {"name": name, "namespace": namespace.name()},
        "spec": spec,
    })
}

/// The HPAs that `vas render` prints for a resource. It refuses one that is not valid.
fn hpas(resource: &Value) -> Vec<Value> {
    let text = |pointer: &str| {
        resource
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let file = format!("{}-{}.json", text("/metadata/namespace"), text("/metadata/name"));
    let folder = run_dir().join("resources");
    std::fs::create_dir_all(&folder).expect("a folder for resources");
    let file = folder.join(file);
    std::fs::write(&file, resource.to_string()).expect("a file");
    let rendered = program::run(&["render", "-o=json", "-f", &file.to_string_lossy()]);
    let words = String::from_utf8_lossy(&rendered.stderr);
    assert!(rendered.status.success(), "{words}");
    let mut rendered: Value = serde_json::from_slice(&rendered.stdout).expect("JSON");
    let mut objects = match rendered.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => vec![rendered],
    };
    objects.retain(|object| object["kind"] == "HorizontalPodAutoscaler");
    objects
}

fn apply_all(namespace: &Namespace<'_>, objects: &[Value]) {
    namespace.apply_all(objects);
}

/// One condition of a resource: status, reason and message in one line; empty while it has none.
pub(crate) fn metrics_available(namespace: &Namespace<'_>, name: &str) -> String {
    let resource = namespace.object("voiceassistscaling", name).unwrap_or_default();
    condition(&resource, "MetricsAvailable")
}

/// Creates the Secret of a server that runs in this namespace, without a certificate, as the install does.
pub(crate) fn empty_secret(namespace: &Namespace<'_>) {
    namespace.apply("{apiVersion: v1, kind: Secret, metadata: {name: vas-metrics-server-tls}}");
}

/// Names of the live pods of an app.
pub(crate) fn pods(namespace: &Namespace<'_>, app: &str) -> Vec<String> {
    names(&namespace.objects("pods", &format!("app={app}")))
}

/// The same for a namespace by name; empty when the namespace is gone.
pub(crate) fn pods_of(stack: &Stack, namespace: &str, app: &str) -> Vec<String> {
    names(&stack.cluster.objects(namespace, "pods", &format!("app={app}")))
}

fn names(objects: &[Value]) -> Vec<String> {
    let names = objects
        .iter()
        .filter_map(|object| object["metadata"]["name"].as_str());
    names.map(str::to_owned).collect()
}

/// `spec.replicas` of a Deployment: the count that the HPA last set.
pub(crate) fn replicas(namespace: &Namespace<'_>, name: &str) -> u32 {
    let deployment = namespace.object("deployment", name).unwrap_or_default();
    let replicas = deployment["spec"]["replicas"].as_u64();
    replicas
        .and_then(|count| count.try_into().ok())
        .expect("a number of replicas")
}
