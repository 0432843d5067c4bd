//! Reads of the API server by this process.
//!
//! A `kubectl` costs 80 ms of CPU, and a test that waits asks several times per second: half of a machine with two
//! cores went there. So whatever is asked repeatedly is asked here. The functions block, as running `kubectl` does.

use std::{
    path::Path,
    sync::{LazyLock, mpsc},
    time::Duration,
};

use axum::http::Request;
use kube::{Client, Error};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{Cluster, cluster::client_for};

/// The connections outlive the runtime of the test that opened them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
});

/// Longest wait for an answer.
const LONGEST: Duration = Duration::from_secs(30);

/// A connection with the administrator's rights.
pub(super) struct Connection(Client);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    pub(super) fn open(kubeconfig: &Path) -> Self {
        let kubeconfig = kubeconfig.to_owned();
        Self(wait(async move { client_for(&kubeconfig).await }))
    }

    /// Sends a request. A refusal has kubectl's words: `Error from server (NotFound): ...`.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<String, String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default());
        let request = request.map_err(|error| format!("{path}: {error}"))?;
        let client = self.0.clone();
        let answer = wait(async move { tokio::time::timeout(LONGEST, client.request_text(request)).await });
        match answer {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(Error::Api(status))) => Err(format!(
                "Error from server ({}): {}",
                status.reason, status.message
            )),
            Ok(Err(other)) => Err(format!("{path}: {other}")),
            Err(_) => Err(format!("{path}: no answer within {LONGEST:?}")),
        }
    }
}

/// Waits for a future on [`RUNTIME`]. The caller may be in a runtime of its own.
fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    RUNTIME.spawn(async move {
        let _ = sender.send(work.await);
    });
    receiver.recv().expect("the work ends")
}

/// Where the objects of a kind are, for the kinds that tests read, with the short names of kubectl.
fn collection(kind: &str) -> (&'static str, &'static str) {
    match kind.to_lowercase().as_str() {
        "pod" | "pods" => ("api/v1", "pods"),
        "limitrange" | "limitranges" => ("api/v1", "limitranges"),
        "resourcequota" | "resourcequotas" => ("api/v1", "resourcequotas"),
        "serviceaccount" | "serviceaccounts" => ("api/v1", "serviceaccounts"),
        "deployment" | "deployments" => ("apis/apps/v1", "deployments"),
        "statefulset" | "statefulsets" => ("apis/apps/v1", "statefulsets"),
        "hpa" | "horizontalpodautoscaler" => ("apis/autoscaling/v2", "horizontalpodautoscalers"),
        "vpa" | "verticalpodautoscaler" => ("apis/autoscaling.k8s.io/v1", "verticalpodautoscalers"),
        "pdb" | "poddisruptionbudget" => ("apis/policy/v1", "poddisruptionbudgets"),
        "lease" => ("apis/coordination.k8s.io/v1", "leases"),
        "events" => ("apis/events.k8s.io/v1", "events"),
        "voiceassistscaling" | "voiceassistscalings" | "vas" => {
            ("apis/scaling.voiceassist.io/v1alpha1", "voiceassistscalings")
        }
        _ => panic!("tests/support/api.rs does not know where objects of kind {kind} are"),
    }
}

/// Path of the objects of a kind in a namespace.
fn path(namespace: &str, kind: &str) -> String {
    let (group, plural) = collection(kind);
    format!("/{group}/namespaces/{namespace}/{plural}")
}

/// A condition of an object: status, reason and message in one line; empty while it has none.
pub fn condition(object: &Value, type_: &str) -> String {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let found = conditions.filter(|one| one["type"] == type_).map(|one| {
        let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", text("status"), text("reason"), text("message"))
    });
    found.collect()
}

impl Cluster {
    /// `kubectl get --raw`: the document, or kubectl's words.
    pub fn raw(&self, path: &str) -> Result<Value, String> {
        let text = self.connection().send("GET", path, None)?;
        serde_json::from_str(&text).map_err(|error| format!("{path}: {error}: {text}"))
    }

    /// An object, or why there is none.
    pub fn read(&self, namespace: &str, kind: &str, name: &str) -> Result<Value, String> {
        self.raw(&format!("{}/{name}", path(namespace, kind)))
    }

    /// An object; `None` where it does not exist or cannot be read.
    pub fn object(&self, namespace: &str, kind: &str, name: &str) -> Option<Value> {
        self.read(namespace, kind, name).ok()
    }

    /// All objects of a kind with these labels (`app=web`, or empty for all); none where they cannot be read.
    pub fn objects(&self, namespace: &str, kind: &str, labels: &str) -> Vec<Value> {
        let labels = labels.replace('=', "%3D");
        let list = self.raw(&format!("{}?labelSelector={labels}", path(namespace, kind)));
        match list.unwrap_or_default()["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        }
    }

    /// Creates a namespace; panics with the API server's words if it cannot.
    #[track_caller]
    pub fn create_namespace(&self, name: &str) {
        let namespace =
            serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let created = self
            .connection()
            .send("POST", "/api/v1/namespaces", Some(&namespace));
        assert!(created.is_ok(), "namespace {name}: {created:?}");
    }

    /// Has a namespace deleted, and does not wait for its end.
    pub fn delete_namespace(&self, name: &str) {
        let _ = self
            .connection()
            .send("DELETE", &format!("/api/v1/namespaces/{name}"), None);
    }
}
