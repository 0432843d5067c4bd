//! The load model as a process: VoiceAssist's part, played for pods that run nothing.

use std::path::PathBuf;

use super::{
    Cluster,
    cluster::run_dir,
    process::{Process, free_port},
    vas,
};

/// A running load model; it ends when dropped.
#[derive(Debug)]
pub struct LoadModel {
    process: Process,
    address: String,
}

impl LoadModel {
    /// Starts it for the Deployments `api-gateway` and `worker` of a namespace.
    pub fn start(cluster: &Cluster, namespace: &str) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let args = [
            format!("--kubeconfig={}", cluster.kubeconfig().display()),
            format!("--namespace={namespace}"),
            format!("--listen={address}"),
        ];
        let log = run_dir().join(format!("logs/load-model-{namespace}.log"));
        Self {
            process: Process::start("load-model", &program(), &args, &[], log),
            address,
        }
    }

    /// Where it serves /metrics, as a scrape target.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Panics with its log if it has ended.
    pub fn assert_running(&mut self) {
        self.process.assert_running();
    }
}

/// The example of this build, which `cargo test` and `make demo` build beside `vas`.
fn program() -> PathBuf {
    let program = vas::binary().with_file_name("examples").join("load-model");
    assert!(
        program.is_file(),
        "{} is missing: cargo build --example load-model",
        program.display()
    );
    program
}
