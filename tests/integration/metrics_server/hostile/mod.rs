//! A metrics server under attack: every attack is answered or cut off, and reads of others go on.
//!
//! One replica of its own gets all attacks, in front of a Prometheus of its own with faults.

mod connections;
mod credentials;
mod requests;
mod transport;
mod wire;

use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::{
    access::{HOST, client_with, identity},
    stack::{RUNTIME, Stack, stack, start_server},
};
use support::{
    eventually,
    fault_proxy::FaultProxy,
    process::{Process, free_port},
    turn,
};

/// Memory that an attack may cost the server at most, in kB. Without a bound it costs far more.
const MOST_MEMORY: u64 = 192 << 10;

/// The server under attack.
pub(super) struct Target {
    pub stack: &'static Stack,
    pub port: u16,
    /// The proxy between the server and Prometheus.
    _proxy: FaultProxy,
    server: Process,
}

/// The shared target, ready to be read from. A test waits here for its turn.
pub(super) async fn target() -> &'static Target {
    static TARGET: tokio::sync::OnceCell<Target> = tokio::sync::OnceCell::const_new();
    turn::wait();
    TARGET
        .get_or_init(|| async { RUNTIME.spawn(Target::start()).await.expect("the target starts") })
        .await
}

impl Target {
    async fn start() -> Self {
        let stack = stack().await;
        let proxy = FaultProxy::start(&stack.prometheus.url()).await;
        let (port, metrics_port) = (free_port(), free_port());
        let name = "vas-metrics-server-hostile";
        let server = start_server(
            &stack.install,
            stack.cluster,
            name,
            port,
            metrics_port,
            &proxy.url(),
        );
        eventually(Duration::from_secs(60), "the server is ready", || async {
            let url = format!("http://127.0.0.1:{metrics_port}/readyz");
            match reqwest::get(url).await {
                Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        Self {
            stack,
            port,
            _proxy: proxy,
            server,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.port)
    }

    /// A client that connects as the API server does.
    pub(super) fn front_proxy(&self) -> Client {
        let own = identity(self.stack.cluster, "front-proxy-client");
        client_with(self.stack.cluster, self.port, Some(own))
    }

    /// Sends one request of the HPA controller through `client`.
    pub(super) async fn read_by_hpa(&self, client: &Client) -> Result<(), String> {
        let answer = client
            .get(self.url("/apis/custom.metrics.k8s.io/v1beta2"))
            .header(
                "X-Remote-User",
                "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
            )
            .header("X-Remote-Group", "system:authenticated")
            .send()
            .await
            .map_err(|error| format!("{error:?}"))?;
        if answer.status() == StatusCode::OK {
            Ok(())
        } else {
            Err(answer.status().to_string())
        }
    }

    /// Memory of the server in kB.
    pub(super) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id()));
        let status = status.expect("the server runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("its memory is known");
        let number = line.split_whitespace().next().expect("a number");
        number.parse().expect("a number")
    }

    /// Panics if the server's memory grew too much, or if other clients get no answer, over an old and a new
    /// connection.
    pub(super) async fn assert_unharmed(&self, before: u64, old: &Client) {
        assert_eq!(self.read_by_hpa(old).await, Ok(()), "over the old connection");
        assert_eq!(
            self.read_by_hpa(&self.front_proxy()).await,
            Ok(()),
            "over a new connection"
        );
        let after = self.memory();
        assert!(after < before + MOST_MEMORY, "from {before} kB to {after} kB");
    }
}
