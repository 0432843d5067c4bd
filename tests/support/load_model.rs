//! The load model as a process. It plays VoiceAssist's part for pods that run nothing.

use std::{path::PathBuf, process::Command, sync::OnceLock, time::Duration};

use super::{
    Cluster,
    cluster::{root, run_dir},
    eventually,
    process::{Process, free_port},
    vas,
};

/// A running load model; it ends when dropped.
#[derive(Debug)]
pub struct LoadModel {
    process: Process,
    address: String,
    service: Option<String>,
}

impl LoadModel {
    /// Starts it for the Deployments `api-gateway` and `worker` of a namespace.
    pub fn start(cluster: &Cluster, namespace: &str) -> Self {
        Self::with(namespace, None, of_cluster(cluster, namespace))
    }

    /// The same with a service that answers real requests. `arguments` are about the service, such as
    /// `--capacity=120`.
    pub fn start_serving(cluster: &Cluster, namespace: &str, arguments: &[&str]) -> Self {
        let mut args = of_cluster(cluster, namespace);
        args.extend(arguments.iter().map(ToString::to_string));
        Self::with(namespace, Some(local_address()), args)
    }

    /// A service of `pods` Ready pods, without a cluster. `name` is for its log.
    pub fn alone(name: &str, pods: u32, arguments: &[&str]) -> Self {
        let mut args = vec![format!("--pods={pods}")];
        args.extend(arguments.iter().map(ToString::to_string));
        Self::with(name, Some(local_address()), args)
    }

    fn with(name: &str, service: Option<String>, mut args: Vec<String>) -> Self {
        let address = local_address();
        args.push(format!("--listen={address}"));
        args.extend(
            service
                .iter()
                .map(|service| format!("--service-listen={service}")),
        );
        let log = run_dir().join(format!("logs/load-model-{name}.log"));
        Self {
            process: Process::start("load-model", &program(), &args, &[], log),
            address,
            service,
        }
    }

    /// Address of the service that answers real requests, as host and port.
    pub fn service(&self) -> &str {
        self.service.as_deref().expect("it was started with a service")
    }

    /// Waits until its service answers.
    pub async fn until_serving(&self) {
        eventually(Duration::from_secs(30), "the load model serves", || async {
            let stream = tokio::net::TcpStream::connect(self.service()).await;
            stream.map(drop).map_err(|error| error.to_string())
        })
        .await;
    }

    /// Address of /metrics, as a scrape target.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Panics with its log if it has ended.
    pub fn assert_running(&mut self) {
        self.process.assert_running();
    }
}

fn of_cluster(cluster: &Cluster, namespace: &str) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", cluster.kubeconfig().display()),
        format!("--namespace={namespace}"),
    ]
}

fn local_address() -> String {
    format!("127.0.0.1:{}", free_port())
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
