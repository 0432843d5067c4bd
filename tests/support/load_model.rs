//! The load model as a process. It plays VoiceAssist's part for pods that run nothing.

use std::time::Duration;

use super::{
    Cluster,
    cluster::run_dir,
    eventually,
    process::{Process, free_port},
    programs,
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
        if service.is_some() {
            super::turn::wait_to_load();
        }
        let address = local_address();
        args.push(format!("--listen={address}"));
        args.extend(
            service
                .iter()
                .map(|service| format!("--service-listen={service}")),
        );
        let log = run_dir().join(format!("logs/load-model-{name}.log"));
        Self {
            process: Process::start("load-model", &programs::path("load-model"), &args, &[], log),
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
