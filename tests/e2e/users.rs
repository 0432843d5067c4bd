//! VoiceAssist's users: requests to the gateway, jobs in the queue, and memory that pods are told to hold.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use serde_json::{Value, json};
use support::{
    cluster::run_dir,
    process::{Process, Signal},
};

use crate::{
    images,
    stage::{NAMESPACE, Stage},
};

/// Requests at a constant rate, sent by `vas test run` from this machine to the gateway's Service.
pub(crate) struct Requests {
    process: Process,
    report: std::path::PathBuf,
}

impl Requests {
    /// Begins to send to the gateway. Each request costs a pod so many milliseconds of CPU time.
    pub(crate) fn send(stage: &Stage, name: &str, per_second: u32, cost: u32) -> Self {
        let url = format!(
            "http://{}/work?ms={cost}",
            stage.address(NAMESPACE, "api-gateway")
        );
        let report = run_dir().join(format!("{name}.json"));
        let args = [
            "test".to_owned(),
            "run".to_owned(),
            url,
            format!("--rate={per_second}"),
            "--duration=60m".to_owned(),
            // A machine with other work answers late, and that is no failure.
            "--timeout=60s".to_owned(),
            "--quiet".to_owned(),
            format!("-o=json={}", report.display()),
        ];
        let log = run_dir().join(format!("{name}.log"));
        let process = Process::start(name, &images::vas_program(), &args, &[], log);
        Self { process, report }
    }

    /// Ends, and returns the requests that were sent and those that failed, with their reasons.
    pub(crate) async fn end(mut self) -> (u64, u64, String) {
        self.process.assert_running();
        self.process.signal(Signal::Interrupt);
        support::eventually(Duration::from_secs(90), "the end of the load test", || {
            let ended = self.process.ended().map(drop).ok_or("it runs");
            async move { ended }
        })
        .await;
        let report = std::fs::read(&self.report).expect("the load test wrote its report");
        let report: Value = serde_json::from_slice(&report).expect("the report is JSON");
        let summary = &report["summary"];
        let count = |name: &str| {
            summary[name]
                .as_u64()
                .unwrap_or_else(|| panic!("{name} of {summary}"))
        };
        (
            count("requests"),
            count("errors"),
            report["steps"]["GET"]["failures"].to_string(),
        )
    }
}

/// The jobs of the queue.
pub(crate) struct Jobs {
    url: String,
}

impl Jobs {
    pub(crate) fn of(stage: &Stage) -> Self {
        let address = stage.address(NAMESPACE, "queue");
        Self {
            url: format!("http://{address}:8080/jobs"),
        }
    }

    /// Jobs that arrive now.
    pub(crate) async fn add(&self, jobs: u32) {
        post(&self.url, &json!({"jobs": jobs})).await;
    }

    pub(crate) async fn clear(&self) {
        post(&self.url, &json!({"clear": true, "arrivals_per_second": 0})).await;
    }
}

/// Tells every gateway pod that runs to hold so much memory, in MiB; pods that start later hold none.
pub(crate) async fn memory_of_all(stage: &Stage, mebibytes: u32) {
    let pods = Api::<Pod>::namespaced(stage.client.clone(), NAMESPACE);
    let pods = pods.list(&ListParams::default().labels("app=api-gateway")).await;
    for pod in pods.expect("pods can be listed").items {
        let running = pod.metadata.deletion_timestamp.is_none();
        let address = pod.status.and_then(|status| status.pod_ip);
        if let (true, Some(address)) = (running, address) {
            let url = memory_of(&address);
            post(&url, &json!({"mebibytes": mebibytes})).await;
        }
    }
}

/// Tells a pod to hold so much memory, in MiB, and does not ask whether it lived to say so.
pub(crate) async fn overfill(address: &str, mebibytes: u32) {
    let request = client()
        .post(memory_of(address))
        .json(&json!({"mebibytes": mebibytes}));
    let _ = request.timeout(Duration::from_secs(10)).send().await;
}

fn memory_of(address: &str) -> String {
    format!("http://{address}:8080/memory")
}

fn client() -> reqwest::Client {
    support::install_tls_provider();
    reqwest::Client::new()
}

async fn post(url: &str, body: &Value) {
    let client = client();
    // A Service without a Ready pod refuses connections, and does so for a moment after it has one.
    support::eventually(Duration::from_secs(60), url, || async {
        let answer = client
            .post(url)
            .timeout(Duration::from_secs(5))
            .json(body)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        answer.map(drop)
    })
    .await;
}
