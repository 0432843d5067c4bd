//! The CA of the front proxy is rotated during requests.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use reqwest::{Client, Identity, StatusCode};
use tokio::task::JoinHandle;

use super::{
    access::{HOST, client_with, identity},
    stack::start_server,
};
use support::{Cluster, eventually, install, process::free_port};

/// The ConfigMap in which the API server publishes it.
const PUBLISHED: &str = "extension-apiserver-authentication";
const KEY: &str = "requestheader-client-ca-file";
/// Number of callers, each with one request at a time.
const CALLERS: usize = 4;

/// A CA and a client certificate of the name that kube-apiserver allows.
struct FrontProxy {
    ca: String,
    identity: Identity,
}

impl FrontProxy {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "the next front-proxy-ca");
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "front-proxy-client");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &ca).unwrap().pem() + &key.serialize_pem();
        Self {
            ca: ca.pem(),
            identity: Identity::from_pem(pem.as_bytes()).unwrap(),
        }
    }
}

/// A request of the front proxy for the HPA controller.
async fn ask(client: &Client, port: u16) -> Result<(), String> {
    let url = format!("https://{HOST}:{port}/apis/custom.metrics.k8s.io/v1beta2");
    let hpa = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
    let answer = client
        .get(url)
        .header("X-Remote-User", hpa)
        .header("X-Remote-Group", "system:authenticated")
        .send()
        .await
        .map_err(|error| format!("{error:?}"))?;
    match answer.status() {
        StatusCode::OK => Ok(()),
        other => Err(format!("{other}: {}", answer.text().await.unwrap_or_default())),
    }
}

/// Callers that send requests without a pause over kept connections.
struct Load {
    callers: Vec<JoinHandle<()>>,
    answered: Arc<AtomicUsize>,
    failed: Arc<Mutex<Vec<String>>>,
}

impl Load {
    fn start(client: &Client, port: u16) -> Self {
        let (answered, failed) = (
            Arc::<AtomicUsize>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let callers = (0..CALLERS).map(|_| {
            let (client, answered, failed) = (client.clone(), answered.clone(), failed.clone());
            tokio::spawn(async move {
                loop {
                    match ask(&client, port).await {
                        Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        Err(why) => failed.lock().unwrap().push(why),
                    }
                }
            })
        });
        Self {
            callers: callers.collect(),
            answered,
            failed,
        }
    }

    /// Waits for `more` further answers, which shows that the load goes on.
    async fn goes_on(&self, more: usize) {
        let wanted = self.answered.load(Ordering::Relaxed) + more;
        eventually(Duration::from_secs(60), "the load goes on", || async {
            match self.answered.load(Ordering::Relaxed) {
                answered if answered >= wanted => Ok(()),
                answered => Err(format!("{answered} of {wanted} answered")),
            }
        })
        .await;
    }

    /// Ends the load, and asserts that no request failed.
    fn end(self, what: &str) {
        for caller in &self.callers {
            caller.abort();
        }
        let failed = self.failed.lock().unwrap();
        assert!(
            failed.is_empty(),
            "{what}: {} failed, the first with {:?}",
            failed.len(),
            failed.first()
        );
    }
}

fn published(cluster: &Cluster) -> String {
    let authentication = cluster.read("kube-system", "configmap", PUBLISHED);
    let authentication = authentication.expect("the API server publishes it");
    authentication["data"][KEY]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn publish(cluster: &Cluster, cas: &str) {
    let patch = serde_json::json!({"data": {KEY: cas}});
    cluster.patch("kube-system", "configmap", PUBLISHED, &patch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_request_header_ca_counts_at_once_and_no_request_is_lost() {
    support::install_tls_provider();
    let cluster = Cluster::start("rotation", &["--nodes=1"]);
    let install = install::apply(&cluster);
    let (port, metrics_port) = (free_port(), free_port());
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let name = "vas-metrics-server-0";
    let _server = start_server(&install, &cluster, name, port, metrics_port, &nowhere);
    eventually(Duration::from_secs(60), "the server is ready", || async {
        let url = format!("http://127.0.0.1:{metrics_port}/readyz");
        match reqwest::get(url).await {
            Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    let next = FrontProxy::new();
    let current = client_with(&cluster, port, Some(identity(&cluster, "front-proxy-client")));
    let rotated = client_with(&cluster, port, Some(next.identity.clone()));
    let patience = Duration::from_secs(60);
    eventually(patience, "the current proxy is believed", || ask(&current, port)).await;
    let before = ask(&rotated, port).await.unwrap_err();
    assert!(before.starts_with("401"), "{before}");

    let all_along = Load::start(&current, port);
    all_along.goes_on(100).await;
    let old = published(&cluster);
    publish(&cluster, &format!("{}\n{}", old.trim(), next.ca));
    // The request uses the connection on which it was refused before.
    eventually(patience, "the next proxy is believed", || ask(&rotated, port)).await;
    let after = Load::start(&rotated, port);
    after.goes_on(200).await;
    all_along.goes_on(200).await;
    // kube-apiserver adds its own CA where it is missing, and removes none.
    assert_eq!(published(&cluster).matches("BEGIN CERTIFICATE").count(), 2);
    after.end("the next proxy, once it is believed");

    publish(&cluster, &old);
    eventually(patience, "the removed proxy is believed no more", || async {
        match ask(&rotated, port).await {
            Err(words) if words.starts_with("401") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    all_along.goes_on(200).await;
    all_along.end("the proxy whose CA stayed");
}
