//! Several replicas, their certificate, and the process itself.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use super::{
    access,
    stack::{Stack, empty_secret, stack, start_apart},
};
use support::{
    eventually,
    eventually::throughout,
    fault_proxy::Fault,
    namespace::Namespace,
    process::{Process, Signal, free_port},
    vas,
};

async fn is_ready(metrics_port: u16) -> Result<(), String> {
    let url = format!("http://127.0.0.1:{metrics_port}/readyz");
    match reqwest::get(url).await {
        Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
        Ok(answer) => Err(answer.text().await.unwrap_or_default()),
        Err(error) => Err(error.to_string()),
    }
}

async fn metrics(metrics_port: u16) -> String {
    let url = format!("http://127.0.0.1:{metrics_port}/metrics");
    reqwest::get(url)
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text")
}

#[tokio::test]
async fn replicas_share_one_ca_and_a_stopped_one_ends_cleanly() {
    let stack = stack().await;
    let (port, metrics_port) = (free_port(), free_port());
    let mut replica = stack.start_replica("vas-metrics-server-1", port, metrics_port);
    eventually(Duration::from_secs(60), "the second replica is ready", || {
        is_ready(metrics_port)
    })
    .await;
    for port in [stack.port, port] {
        let url = format!("https://vas-metrics-server.vas-system.svc:{port}/readyz");
        let answer = access::client(stack, port, None).get(url).send().await;
        assert_eq!(
            answer.map(|answer| answer.status()).ok(),
            Some(StatusCode::OK),
            "port {port}"
        );
    }
    let log = replica.log();
    assert!(
        !log.contains("issued a CA"),
        "it takes the certificate that is there: {log}"
    );
    // The server reports first that it stops, and still answers on new connections until the others know.
    let new = access::client(stack, port, None);
    replica.signal(Signal::Term);
    eventually(Duration::from_secs(3), "it is not ready any more", || async {
        match is_ready(metrics_port).await {
            Err(words) if words.contains("stopping") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let url = format!("https://{}:{port}/healthz", access::HOST);
    let answer = new.get(url).send().await.map(|answer| answer.status());
    assert_eq!(answer.ok(), Some(StatusCode::OK));
    assert!(replica.wait(Duration::from_secs(60)).await.success());
}

/// A server with a name of its own in a namespace of its own, with the administrator's rights.
fn start_elsewhere(stack: &Stack, namespace: &Namespace<'_>, number: u16, metrics_port: u16) -> Process {
    // No program listens there, because readiness must not depend on Prometheus.
    let prometheus = format!("http://127.0.0.1:{}", free_port());
    let name = format!("elsewhere-{number}");
    let ports = (free_port(), metrics_port);
    start_apart(namespace, &name, &stack.cluster.kubeconfig(), ports, &prometheus)
}

#[tokio::test]
async fn of_replicas_that_start_at_once_one_issues_and_a_foreign_apiservice_is_left_alone() {
    let stack = stack().await;
    let namespace = Namespace::create(stack.cluster, "replicas");
    empty_secret(&namespace);
    let bundle = || {
        let api_service = stack
            .cluster
            .read("", "apiservice", "v1beta2.custom.metrics.k8s.io");
        api_service.expect("it is registered")["spec"]["caBundle"].to_string()
    };
    let before = bundle();
    let ports = [free_port(), free_port(), free_port()];
    let replicas: Vec<Process> = (0..)
        .zip(ports)
        .map(|(number, port)| start_elsewhere(stack, &namespace, number, port))
        .collect();
    for port in ports {
        eventually(
            Duration::from_secs(60),
            "every replica is ready without Prometheus",
            || is_ready(port),
        )
        .await;
    }
    let issued = replicas
        .iter()
        .filter(|replica| replica.log().contains("issued a CA"))
        .count();
    assert_eq!(issued, 1);

    // The effect of `kubectl replace` with the empty Secret of the manifests.
    let ca = || {
        let secret = namespace.object("secret", "vas-metrics-server-tls");
        secret.unwrap_or_default()["data"]["ca.crt"].to_string()
    };
    let first = ca();
    let empty = json!([{"op": "remove", "path": "/data"}]);
    namespace.patch("secret", "vas-metrics-server-tls", &empty);
    eventually(
        Duration::from_secs(60),
        "the lost certificate is put back",
        || async {
            let now = ca();
            if now == first { Ok(()) } else { Err(now) }
        },
    )
    .await;
    let foreign = ["v1beta1", "v1beta2"].map(|version| {
        let name = format!("{version}.custom.metrics.k8s.io");
        format!("vas_metrics_server_apiservice{{name=\"{name}\",state=\"foreign\"}} 1")
    });
    eventually(
        Duration::from_secs(60),
        "the foreign APIServices are counted",
        || async {
            let metrics = metrics(ports[0]).await;
            if foreign.iter().all(|line| metrics.contains(line)) {
                Ok(())
            } else {
                Err(metrics)
            }
        },
    )
    .await;
    assert!(replicas[0].log().contains("leads to another metrics adapter"));
    // Checked for a while, because its owner would soon put back what was overwritten once.
    throughout(Duration::from_secs(5), "the foreign caBundle stays", || async {
        let now = bundle();
        if now == before { Ok(()) } else { Err(now) }
    })
    .await;
}

#[tokio::test]
async fn a_replica_is_ready_when_it_has_asked_prometheus_once() {
    let stack = stack().await;
    let proxy = &stack.proxy;
    let spec = |gauge: &str| {
        format!(
            "
workloads:
- name: worker
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: worker}}
  maxReplicas: 3
  metrics: [{{name: depth, queueDepth: {{gauge: {gauge}, target: {{averageValue: '50'}}}}}}]
"
        )
    };
    for (gauge, fault, outcome) in [
        ("first_slow", Fault::Slow, "success"),
        ("first_hang", Fault::Hang, "failure"),
    ] {
        proxy.set(gauge, Some(fault));
        let namespace = stack.scaling("first", &spec(gauge));
        empty_secret(&namespace);
        let metrics_port = free_port();
        let ports = (free_port(), metrics_port);
        let kubeconfig = stack.cluster.kubeconfig();
        let _replica = start_apart(&namespace, gauge, &kubeconfig, ports, &stack.proxy_url);
        eventually(Duration::from_secs(60), "it is ready", || is_ready(metrics_port)).await;
        let counted = format!("vas_metrics_server_polls_total{{server=\"default\",outcome=\"{outcome}\",");
        let metrics = metrics(metrics_port).await;
        let mut polls = metrics.lines().filter(|line| line.starts_with(&counted));
        assert!(polls.any(|line| !line.ends_with(" 0")), "{gauge}: {metrics}");
    }
}

#[tokio::test]
async fn the_metrics_of_the_server_count_polls_and_requests() {
    let stack = stack().await;
    let _namespace = stack.scaling(
        "counted",
        "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics: [{name: depth, queueDepth: {gauge: counted_depth, target: {averageValue: '50'}}}]
",
    );
    eventually(
        Duration::from_secs(60),
        "polls and requests are counted",
        || async {
            let metrics = metrics(stack.metrics_port).await;
            let wanted = [
                "vas_metrics_server_polls_total{server=\"default\",outcome=\"success\",reason=\"\"}",
                "vas_metrics_server_requests_total{code=\"200\"}",
                "vas_metrics_server_shapes ",
                "vas_build_info{program=\"vas metrics-server\",version=\"",
                "process_resident_memory_bytes ",
                "vas_metrics_server_api_requests_total{verb=\"watch\",code=\"200\"} ",
                "vas_metrics_server_watch_restarts_total{watch=\"pods\"} ",
                "vas_metrics_server_latest_answer_timestamp_seconds ",
            ];
            if wanted.iter().all(|name| metrics.contains(name)) {
                Ok(())
            } else {
                Err(metrics)
            }
        },
    )
    .await;
}

#[test]
fn settings_that_cannot_work_end_the_start_with_words() {
    for (args, words) in [
        (
            vec!["--prometheus-url=ftp://x"],
            "the scheme is ftp, not http or https",
        ),
        (
            vec!["--prometheus-url=prometheus:9090"],
            "use for example http://",
        ),
        (
            vec!["--prometheus-url=http://x", "--namespace-label=a-b"],
            "is not a Prometheus label name",
        ),
        (
            vec!["--prometheus-url=http://x", "--prometheus-poll-interval=5"],
            "not a duration",
        ),
        (
            vec!["--prometheus-url=http://x", "--tls-cert-file=/a"],
            "--tls-private-key-file",
        ),
        (
            vec![
                "--prometheus-url=http://x",
                "--tls-cert-file=/nowhere/tls.crt",
                "--tls-private-key-file=/nowhere/tls.key",
            ],
            "cannot read /nowhere/tls.crt",
        ),
        (
            vec!["--prometheus-url=http://x", "--self-signed-validity=100h"],
            "must be less than --self-signed-validity",
        ),
        (
            vec!["--prometheus-url=http://x", "--self-signed-overlap=9s"],
            "--self-signed-overlap must be at least 10s",
        ),
        (
            vec![
                "--prometheus-url=http://x",
                "--self-signed-overlap=10s",
                "--self-signed-renew-before=20s",
            ],
            "--self-signed-renew-before must be more than twice --self-signed-overlap",
        ),
        (vec![], "--prometheus-url"),
    ] {
        let mut all = vec!["metrics-server"];
        all.extend(&args);
        let output = vas::run(&all);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
    }
}
