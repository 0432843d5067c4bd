//! A Deployment of the install, run as a process on this machine, because pods of kwok run nothing.
//!
//! The process gets exactly the rendered arguments and environment, and the rights of the Deployment's own
//! service account. Only what a pod has by itself is appended: the address of the API server, free ports, and
//! the address and polling interval of Prometheus, which users set too. A flag or a rule that is missing in
//! the manifests makes the tests here fail.

use serde_json::Value;

use super::{Cluster, process::Process, vas};

/// Flags that may differ from the cluster: addresses on this machine, and intervals that are shorter in the
/// demo.
const APPENDABLE: [&str; 5] = [
    "--kubeconfig",
    "--secure-port",
    "--metrics-bind-address",
    "--prometheus-url",
    "--prometheus-poll-interval",
];

/// The parts of a rendered Deployment that decide how its pods run.
#[derive(Clone, Debug)]
pub struct RenderedDeployment {
    name: String,
    namespace: String,
    service_account: String,
    args: Vec<String>,
    env: Vec<(String, Value)>,
}

impl RenderedDeployment {
    /// Reads a Deployment of one container whose image starts `vas`.
    #[track_caller]
    pub fn read(deployment: &Value) -> Self {
        let pod = &deployment["spec"]["template"]["spec"];
        let containers = pod["containers"].as_array().expect("containers");
        assert_eq!(containers.len(), 1, "one container: {pod}");
        let container = &containers[0];
        assert_eq!(
            container["command"],
            Value::Null,
            "the image's entry point is used"
        );
        let env = container["env"].as_array().cloned().unwrap_or_default();
        Self {
            name: text(&deployment["metadata"]["name"]),
            namespace: text(&deployment["metadata"]["namespace"]),
            service_account: text(&pod["serviceAccountName"]),
            args: container["args"]
                .as_array()
                .expect("args")
                .iter()
                .map(text)
                .collect(),
            env: env
                .into_iter()
                .map(|entry| (text(&entry["name"]), entry))
                .collect(),
        }
    }

    /// The rendered arguments, then `appended`.
    #[track_caller]
    pub fn args(&self, appended: &[String]) -> Vec<String> {
        for argument in appended {
            let flag = argument.split('=').next().unwrap_or(argument);
            assert!(
                APPENDABLE.contains(&flag) && argument.contains('='),
                "{argument} would not come from the manifests"
            );
        }
        self.args.iter().chain(appended).cloned().collect()
    }

    /// The rendered environment, with the downward API's fields as they are for a pod of that name.
    #[track_caller]
    pub fn env(&self, pod_name: &str) -> Vec<(String, String)> {
        let resolve = |entry: &Value| match entry["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
            Some("metadata.name") => pod_name.to_owned(),
            Some("metadata.namespace") => self.namespace.clone(),
            Some(other) => panic!("{}: the field {other} is not known here", self.name),
            None => text(&entry["value"]),
        };
        self.env
            .iter()
            .map(|(name, entry)| (name.clone(), resolve(entry)))
            .collect()
    }

    /// Starts a replica with the rights of its service account. `appended` are `--flag=value` arguments, and
    /// only flags that may differ. `--kubeconfig` is added already.
    #[track_caller]
    pub fn start(&self, cluster: &Cluster, pod_name: &str, appended: &[String]) -> Process {
        let kubeconfig = cluster.service_account_kubeconfig(&self.namespace, &self.service_account);
        let mut all = vec![format!("--kubeconfig={}", kubeconfig.display())];
        all.extend_from_slice(appended);
        vas::start(pod_name, &self.args(&all), &self.env(pod_name))
    }
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
