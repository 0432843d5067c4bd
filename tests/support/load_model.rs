//! The load model as a process: VoiceAssist's part, played for pods that run nothing.

use std::{path::PathBuf, process::Command, sync::OnceLock};

use super::{
    Cluster,
    cluster::{root, run_dir},
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

/// The example of this build. `make demo` has built it; `cargo test` builds only its unit tests, so here the
/// program itself is built on first use.
fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let program = BUILT.get_or_init(|| {
        if let Some(cargo) = std::env::var_os("CARGO") {
            let mut build = Command::new(cargo);
            build.args(["build", "--locked", "--quiet", "--example", "load-model"]);
            let status = build.current_dir(root()).status().expect("cargo starts");
            assert!(status.success(), "cargo build --example load-model failed");
        }
        vas::binary().with_file_name("examples").join("load-model")
    });
    assert!(
        program.is_file(),
        "{} is missing: cargo build --example load-model",
        program.display()
    );
    program.clone()
}
