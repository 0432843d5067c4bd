//! Requests to the API server by this process.
//!
//! A `kubectl` costs a tenth to half a second of CPU, and a test runs dozens: half of a machine with two cores went
//! there. So tests read here, and write in [`super::write`]; only what is about kubectl runs it. The functions block,
//! as running `kubectl` does.

use std::{
    path::Path,
    sync::{LazyLock, mpsc},
    time::Duration,
};

use axum::http::Request;
use kube::{Client, Error};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{Cluster, cluster::client_for, kinds};

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
pub(super) struct Connection {
    client: Client,
    pub(super) served: kinds::Served,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    pub(super) fn open(kubeconfig: &Path) -> Self {
        let kubeconfig = kubeconfig.to_owned();
        Self {
            client: wait(async move { client_for(&kubeconfig).await }),
            served: kinds::Served::default(),
        }
    }

    /// Sends a request without a body.
    pub(super) fn send(&self, method: &str, path: &str) -> Result<String, String> {
        self.send_body(method, path, "application/json", Vec::new())
    }

    /// Sends a request. A refusal has kubectl's words: `Error from server (NotFound): ...`.
    pub(super) fn send_body(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<String, String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Accept", "application/json")
            .header("Content-Type", content_type)
            .body(body);
        let request = request.map_err(|error| format!("{path}: {error}"))?;
        let client = self.client.clone();
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
        let text = self.connection().send("GET", path)?;
        serde_json::from_str(&text).map_err(|error| format!("{path}: {error}: {text}"))
    }

    /// An object, or why there is none. `namespace` is empty for objects of the cluster.
    pub fn read(&self, namespace: &str, kind: &str, name: &str) -> Result<Value, String> {
        self.raw(&kinds::object(namespace, kind, name))
    }

    /// An object; `None` where it does not exist or cannot be read.
    pub fn object(&self, namespace: &str, kind: &str, name: &str) -> Option<Value> {
        self.read(namespace, kind, name).ok()
    }

    /// All objects of a kind with these labels (`app=web`, or empty for all); none where they cannot be read.
    pub fn objects(&self, namespace: &str, kind: &str, labels: &str) -> Vec<Value> {
        let labels = labels.replace('=', "%3D");
        let list = self.raw(&format!(
            "{}?labelSelector={labels}",
            kinds::collection(namespace, kind)
        ));
        match list.unwrap_or_default()["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        }
    }

    /// The API server's minor version: 37 for Kubernetes 1.37.
    pub fn minor(&self) -> u32 {
        let version = self.raw("/version").expect("the API server says its version");
        let minor = version["minor"].as_str().expect("a minor version");
        minor.parse().expect("a number")
    }
}
