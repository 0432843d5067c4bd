//! Stands in for the kubelets of a Job's pods, because no node of the test cluster runs containers: it runs what a pod
//! says as a process of this machine, reports its state, and serves its log.
//!
//! Everything else is the real API server, which is reached through [`Kubelet::kubeconfig`]: only reads of logs are
//! answered here.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt as _;
use kube::Client;
use serde_json::{Value, json};
use support::{
    Cluster, eventually,
    process::{Process, Signal, free_port},
    vas,
};
use tokio::{net::TcpListener, sync::Mutex, task::JoinHandle};

/// More processors than any node has: the pods stay without a node, and with that without kwok.
pub(super) const NO_NODE: &str = "10k";

/// Containers by the names of their pods.
type Containers = Arc<Mutex<BTreeMap<String, Process>>>;

/// Runs pods until it is dropped.
pub(super) struct Kubelet {
    cluster: &'static Cluster,
    namespace: String,
    folder: PathBuf,
    containers: Containers,
    /// How often the pods were listed.
    lists: Arc<AtomicUsize>,
    /// Where worker 0 listens.
    port: u16,
    server: JoinHandle<()>,
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Proxied {
    client: Client,
    containers: Containers,
    lists: Arc<AtomicUsize>,
}

impl Kubelet {
    pub(super) async fn start(cluster: &'static Cluster, namespace: &str) -> Self {
        let folder = cluster.dir().join("pods").join(namespace);
        std::fs::create_dir_all(&folder).expect("a folder");
        let (containers, lists) = (Containers::default(), Arc::<AtomicUsize>::default());
        let proxied = Proxied {
            client: cluster.client().await,
            containers: Arc::clone(&containers),
            lists: Arc::clone(&lists),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": url}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
        });
        std::fs::write(folder.join("kubeconfig"), config.to_string()).expect("a kubeconfig");
        let app = Router::new().fallback(answer).with_state(proxied);
        Self {
            cluster,
            namespace: namespace.to_owned(),
            folder,
            containers,
            lists,
            port: free_port(),
            server: tokio::spawn(async move {
                let _ = axum::serve(listener, app).await;
            }),
        }
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The pods of the only Job, in the order of their numbers, when all are there and have their Secret.
    pub(super) async fn pods(&self, count: usize) -> Vec<Value> {
        eventually(
            Duration::from_secs(60),
            "the pods of the Job are there",
            || async {
                let mut pods = self.cluster.objects(&self.namespace, "pod", "");
                pods.sort_by_key(index);
                let ready = pods.len() == count && pods.iter().all(|pod| self.secret(pod).is_some());
                ready.then_some(pods.clone()).ok_or_else(|| format!("{pods:?}"))
            },
        )
        .await
    }

    /// How often the pods were listed through the kubeconfig.
    pub(super) fn lists(&self) -> usize {
        self.lists.load(Ordering::Relaxed)
    }

    /// The Secret that a pod mounts.
    pub(super) fn secret(&self, pod: &Value) -> Option<Value> {
        let name = pod["spec"]["volumes"][0]["secret"]["secretName"].as_str()?;
        self.cluster.object(&self.namespace, "secret", name)
    }

    /// Runs the container of a pod: with the files of its volume in its working directory, and its variables.
    pub(super) async fn run(&self, pod: &Value) {
        let name = text(&pod["metadata"]["name"]);
        let secret = self.secret(pod).expect("its Secret");
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["workingDir"], container["volumeMounts"][0]["mountPath"]);
        let folder = self.folder.join(&name);
        let items = pod["spec"]["volumes"][0]["secret"]["items"].as_array();
        for item in items.expect("the files of the volume") {
            let file = folder.join(text(&item["path"]));
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            let mut content = decoded(&secret, &item["key"]);
            if item["path"] == "barrier.json" {
                // No kube-proxy leads from the Service's address to worker 0.
                let mut barrier: Value = serde_json::from_slice(&content).expect("JSON");
                barrier["meet"] = format!("127.0.0.1:{}", self.port).into();
                content = barrier.to_string().into_bytes();
            }
            std::fs::write(file, content).expect("a file");
        }
        let mut variables = vec![("JOB_COMPLETION_INDEX".to_owned(), index(pod).to_string())];
        for variable in container["env"].as_array().into_iter().flatten() {
            let Some(reference) = variable.pointer("/valueFrom/secretKeyRef") else {
                continue;
            };
            let value = String::from_utf8(decoded(&secret, &reference["key"])).expect("text");
            variables.push((text(&variable["name"]), value));
        }
        let mut arguments = vec!["-C".to_owned(), folder.display().to_string()];
        arguments.push(vas::binary().display().to_string());
        arguments.extend(container["args"].as_array().expect("arguments").iter().map(text));
        let log = self.folder.join(format!("{name}.log"));
        let process = Process::start(&name, Path::new("/usr/bin/env"), &arguments, &variables, log);
        self.containers.lock().await.insert(name.clone(), process);
        self.state(&name, "Running", &json!({"running": {}}));
    }

    /// Kills the container of a pod, and reports that.
    pub(super) async fn kill(&self, pod: &Value) {
        let name = text(&pod["metadata"]["name"]);
        let mut containers = self.containers.lock().await;
        let process = containers.get_mut(&name).expect("it runs");
        process.signal(Signal::Kill);
        process.wait(Duration::from_secs(10)).await;
        let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        self.state(&name, "Failed", &ended);
    }

    /// Does as kubelets do when pods are deleted: tells their containers to end.
    pub(super) async fn end_deleted(&self) {
        eventually(Duration::from_secs(60), "the pods are deleted", || async {
            let pods = self.cluster.objects(&self.namespace, "pod", "");
            let left = pods
                .iter()
                .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
            let left: Vec<String> = left.map(|pod| text(&pod["metadata"]["name"])).collect();
            left.is_empty().then_some(()).ok_or_else(|| format!("{left:?}"))
        })
        .await;
        for process in self.containers.lock().await.values_mut() {
            if process.ended().is_none() {
                process.signal(Signal::Term);
            }
        }
    }

    fn state(&self, pod: &str, phase: &str, state: &Value) {
        let container = json!({"name": "vas", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state});
        let status = json!({"status": {"phase": phase, "containerStatuses": [container]}});
        self.cluster
            .patch(&self.namespace, "pod", &format!("{pod}/status"), &status);
    }
}

pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn index(pod: &Value) -> u64 {
    let annotation = &pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"];
    text(annotation).parse().expect("a number")
}

fn decoded(secret: &Value, key: &Value) -> Vec<u8> {
    let value = text(&secret["data"][text(key)]);
    STANDARD.decode(value).expect("base64")
}

async fn answer(State(proxied): State<Proxied>, request: Request) -> Response {
    if let Some(path) = request.uri().path().strip_suffix("/log") {
        let pod = path.rsplit('/').next().unwrap_or_default().to_owned();
        return log(proxied.containers, pod);
    }
    if request.uri().path().ends_with("/pods") {
        proxied.lists.fetch_add(1, Ordering::Relaxed);
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a whole request").to_bytes();
    let mut passed = axum::http::Request::builder().method(parts.method).uri(parts.uri);
    for name in ["content-type", "accept"] {
        if let Some(value) = parts.headers.get(name) {
            passed = passed.header(name, value);
        }
    }
    let passed = passed
        .body(kube::client::Body::from(body.to_vec()))
        .expect("a request");
    match proxied.client.send(passed).await {
        Ok(answer) => answer.map(Body::new).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// The log of a container from its beginning, for as long as it runs.
fn log(containers: Containers, pod: String) -> Response {
    let pieces = futures::stream::unfold(
        (containers, pod, 0, false),
        |(containers, pod, sent, over)| async move {
            if over {
                return None;
            }
            let mut ended;
            let piece = loop {
                let mut locked = containers.lock().await;
                let process = locked.get_mut(&pod)?;
                ended = process.ended().is_some();
                let all = std::fs::read(process.log_file()).expect("the log");
                drop(locked);
                let new = all.get(sent..).unwrap_or_default().to_vec();
                if ended || !new.is_empty() {
                    break new;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            let sent = sent + piece.len();
            Some((Ok::<_, std::io::Error>(piece), (containers, pod, sent, ended)))
        },
    );
    Response::new(Body::from_stream(pieces))
}
