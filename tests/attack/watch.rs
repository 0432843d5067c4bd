//! Observes what the innocent tenant and the kubelet see, until dropped.

use std::time::{Duration, Instant};

use hyper::Request;
use tokio::task::JoinSet;

use crate::{
    innocent::{NAMESPACE, WANTED},
    record::Record,
    stage::Stage,
};

/// Timeout of a probe, as in the manifests.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two observations of each kind.
const PERIOD: Duration = Duration::from_millis(500);
/// Timeout of a read. The HPA's own timeout is longer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Observes until dropped.
pub(crate) struct Watch(#[allow(dead_code, reason = "it ends the tasks")] JoinSet<()>);

impl Watch {
    /// Begins to observe.
    pub(crate) fn start(stage: &Stage, record: &Record) -> Self {
        let mut tasks = JoinSet::new();
        for server in &stage.servers {
            for path in ["healthz", "readyz"] {
                let url = format!("http://127.0.0.1:{}/{path}", server.plain_port);
                tasks.spawn(probe(server.name, path, url, record.clone()));
            }
            tasks.spawn(memory(server.name, server.process.id(), record.clone()));
        }
        tasks.spawn(reads(stage.client.clone(), record.clone()));
        tasks.spawn(replicas(stage.client.clone(), record.clone()));
        Self(tasks)
    }
}

/// The kubelet's probes, each over a connection of its own.
async fn probe(server: &'static str, path: &'static str, url: String, record: Record) {
    let client = reqwest::Client::builder()
        .timeout(PROBE_TIMEOUT)
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client");
    loop {
        let started = Instant::now();
        let answer = client.get(&url).send().await;
        let success = answer.is_ok_and(|answer| answer.status().is_success());
        record.probed(server, path, success.then(|| started.elapsed()));
        tokio::time::sleep(PERIOD).await;
    }
}

async fn memory(name: &'static str, pid: u32, record: Record) {
    loop {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        record.memory(name, resident.unwrap_or(u64::MAX));
        tokio::time::sleep(PERIOD).await;
    }
}

/// Reads the metric as the HPA does, through the API server. Then asks the API server over the same
/// connection for something that it knows by itself: if that is slow too, vas is not the cause.
async fn reads(client: kube::Client, record: Record) {
    let path =
        format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{NAMESPACE}/deployments.apps/worker/depth");
    loop {
        let request = Request::get(&path).body(Vec::new()).expect("a request");
        let started = Instant::now();
        let answer = tokio::time::timeout(READ_TIMEOUT, client.request_text(request)).await;
        record.read(match answer {
            Ok(Ok(_)) => Ok(started.elapsed()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(late) => Err(late.to_string()),
        });
        let started = Instant::now();
        if client.apiserver_version().await.is_ok() {
            record.own_answer(started.elapsed());
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn replicas(client: kube::Client, record: Record) {
    let deployments: kube::Api<k8s_openapi::api::apps::v1::Deployment> =
        kube::Api::namespaced(client, NAMESPACE);
    loop {
        if let Ok(deployment) = deployments.get("worker").await {
            let replicas = deployment.spec.replicas.unwrap_or_default();
            record.replicas(u32::try_from(replicas).unwrap_or_default(), WANTED);
        }
        tokio::time::sleep(PERIOD).await;
    }
}
