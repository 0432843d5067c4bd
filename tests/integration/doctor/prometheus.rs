//! Faults between Prometheus and a metric, and the two ways to query Prometheus.

use std::net::{IpAddr, UdpSocket};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::installation::{NAMESPACE, Said, healthy};
use support::{cluster::run_dir, process::free_port};

fn replace(path: &str, value: &str) -> Value {
    json!([{"op": "replace", "path": format!("/spec/workloads/0/metrics/{path}"), "value": value}])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_gauge_a_wrong_matcher_and_a_wrong_label_are_told_apart() {
    let doctored = healthy().await;
    let patch = |patch: &Value| doctored.patch("vas", "voiceassist", patch);
    patch(&replace("2/queueDepth/gauge", "voiceassist_queue_dept"));
    let found = doctored.finds("prometheus-series", "problem").await;
    assert!(
        found.contains("api-gateway/queue-depth: Prometheus has no series voiceassist_queue_dept"),
        "{found}"
    );
    let found = doctored.finds("metrics-api-reads", "problem").await;
    assert!(
        found.contains("queue-depth") && found.contains("Prometheus has no series for it"),
        "{found}"
    );

    patch(&replace("2/queueDepth/gauge", "voiceassist_queue_depth"));
    patch(&replace("2/queueDepth/matchLabels/queue", "other"));
    let found = doctored.finds("prometheus-series", "problem").await;
    assert!(
        found.contains("matchLabels queue=other removes them all"),
        "{found}"
    );
    patch(&replace("2/queueDepth/matchLabels/queue", "default"));

    let url = format!("--prometheus-url={}", doctored.prometheus.url());
    let labelled = |flag: &str| Said::of(&doctored.run(&["-o=json", &url, flag]));
    let found = doctored
        .finds_in(
            || labelled("--namespace-label=ns"),
            "prometheus-labels",
            "problem",
        )
        .await;
    assert!(
        found.contains("no label ns, only instance, job, namespace"),
        "{found}"
    );
    let found = doctored
        .finds_in(|| labelled("--pod-label=instance"), "prometheus-pods", "problem")
        .await;
    assert!(
        found.contains("instance is never the name of a live pod"),
        "{found}"
    );
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series_of_another_cluster_are_found_and_a_matcher_parts_them() {
    let doctored = healthy().await;
    let (gauge, clusters) = ("voiceassist_queue_depth", ["eu-1", "us-1"]);
    let of = |cluster| {
        [
            ("namespace", NAMESPACE),
            ("queue", "default"),
            ("cluster", cluster),
        ]
    };
    for cluster in clusters {
        doctored.exporter.set(gauge, &of(cluster), 1.0);
    }
    let found = doctored.finds("prometheus-clusters", "problem").await;
    assert!(
        found.contains("queue-depth") && found.contains("eu-1, us-1"),
        "{found}"
    );
    let url = format!("--prometheus-url={}", doctored.prometheus.url());
    let of_one = || Said::of(&doctored.run(&["-o=json", &url, "--matchers=cluster=eu-1"]));
    let found = doctored.finds_in(of_one, "prometheus-clusters", "ok").await;
    assert!(found.contains("queue-depth"), "{found}");
    for cluster in clusters {
        doctored.exporter.remove(gauge, &of(cluster));
    }
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_url_prometheus_is_asked_through_the_api_server() {
    let doctored = healthy().await;
    let run = || Said::of(&doctored.run(&["-o=json"]));
    // The Deployment names http://prometheus.monitoring.svc:9090, which does not exist here.
    let found = doctored.finds_in(run, "prometheus-reachable", "problem").await;
    assert!(
        found.contains(
            "Service monitoring/prometheus port 9090: the Service does not exist, or has no endpoints"
        ),
        "{found}"
    );

    let forward = Forward::start(&doctored.prometheus.url()).await;
    let Some(forward) = forward else {
        // Endpoints may not be loopback addresses, and this machine has no other address.
        return;
    };
    doctored.cluster.apply("", &forward.service());
    let status = json!({"status": {"podIP": forward.address, "podIPs": [{"ip": forward.address}]}});
    doctored
        .cluster
        .patch("monitoring", "pod", "prometheus/status", &status);
    let found = doctored.finds_in(run, "prometheus-reachable", "ok").await;
    assert!(
        found.contains("through the API server's proxy to Service monitoring/prometheus"),
        "{found}"
    );
    let said = run();
    assert_eq!(said.not_ok(), [] as [String; 0]);
    assert!(
        said.line("prometheus-series", "ok")
            .unwrap()
            .contains("queue-depth: 1 series")
    );
    doctored.cluster.delete("", "namespace", "monitoring");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_metric_is_looked_for_in_the_server_of_the_configuration_file_that_it_names() {
    let doctored = healthy().await;
    let file = run_dir().join("doctor-metrics-server.yaml");
    // No program listens on this port.
    let away = format!("http://127.0.0.1:{}", free_port());
    let configuration = |queues: &str| {
        json!({
            "apiVersion": "config.scaling.voiceassist.io/v1alpha1",
            "kind": "MetricsServerConfiguration",
            "prometheusServers": [
                {"name": "default", "url": doctored.prometheus.url()},
                {"name": "queues", "url": queues},
            ],
        })
        .to_string()
    };
    let flag = format!("--config={}", file.display());
    let run = |queues: &str| {
        std::fs::write(&file, configuration(queues)).unwrap();
        Said::of(&doctored.run(&["-o=json", &flag]))
    };
    let patch = |server: &str| {
        let patch =
            json!([{"op": "add", "path": "/spec/workloads/0/metrics/2/prometheusServer", "value": server}]);
        doctored.patch("vas", "voiceassist", &patch);
    };

    patch("queues");
    let said = run(&away);
    let found = said.line("prometheus-reachable", "problem").unwrap();
    assert!(
        found.contains("Prometheus queues") && found.contains(&away),
        "{found}"
    );
    let found = said.line("prometheus-series", "ok").unwrap();
    assert!(
        found.contains("request-rate") && !found.contains("queue-depth"),
        "{found}"
    );
    let found = run(&doctored.prometheus.url())
        .line("prometheus-series", "ok")
        .unwrap();
    assert!(found.contains("queue-depth: 1 series"), "{found}");

    patch("third");
    let said = run(&doctored.prometheus.url());
    let found = said.line("prometheus-series", "problem").unwrap();
    assert!(
        found.contains("prometheusServer third is not in the configuration file, which has default, queues"),
        "{found}"
    );

    let both = doctored.run(&[&flag, "--prometheus-url=http://localhost:9090"]);
    assert_eq!(both.status.code(), Some(2));
    std::fs::write(&file, "kind: Other").unwrap();
    let broken = doctored.run(&[&flag]);
    assert_eq!(broken.status.code(), Some(2));
    let words = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert!(words.contains("prometheusServers"), "{words}");

    patch("default");
    doctored.becomes_healthy().await;
}

/// Prometheus on an address that is not loopback.
struct Forward {
    address: IpAddr,
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Forward {
    async fn start(prometheus: &str) -> Option<Self> {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        // No packet is sent: this only asks which local address would be used.
        socket.connect("192.0.2.1:9").ok()?;
        let address = socket.local_addr().ok()?.ip();
        if address.is_loopback() || address.is_unspecified() {
            return None;
        }
        let listener = TcpListener::bind((address, 0)).await.ok()?;
        let port = listener.local_addr().ok()?.port();
        let upstream = prometheus.trim_start_matches("http://").to_owned();
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let upstream = upstream.clone();
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(upstream).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Some(Self { address, port, task })
    }

    /// A Service with one endpoint, at this address. The API server's proxy forwards to pods only, so the
    /// endpoint names a pod that never runs. The proxy reads `EndpointSlices` in Kubernetes 1.37, and
    /// `Endpoints` in 1.34.
    fn service(&self) -> String {
        json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "prometheus", "namespace": "monitoring"},
             "spec": {"schedulerName": "nobody", "containers": [{"name": "prometheus", "image": "prometheus"}]}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "prometheus", "namespace": "monitoring"},
             "spec": {"ports": [{"name": "http", "port": 9090}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
             "metadata": {"name": "prometheus", "namespace": "monitoring", "labels": {"kubernetes.io/service-name": "prometheus"}},
             "ports": [{"name": "http", "port": self.port}],
             "endpoints": [{"addresses": [self.address], "conditions": {"ready": true},
                            "targetRef": {"kind": "Pod", "name": "prometheus", "namespace": "monitoring"}}]},
            {"apiVersion": "v1", "kind": "Endpoints",
             "metadata": {"name": "prometheus", "namespace": "monitoring",
                          "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
             "subsets": [{"ports": [{"name": "http", "port": self.port}],
                          "addresses": [{"ip": self.address, "targetRef": {"kind": "Pod", "name": "prometheus", "namespace": "monitoring"}}]}]},
        ]})
        .to_string()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}
