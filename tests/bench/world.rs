//! Everything that is there before the adapters: the control plane, Prometheus and the workloads' series.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use hyper::{HeaderMap, header::AUTHORIZATION};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{Api, Client, api::PostParams};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use vas_api::v1alpha1::VoiceAssistScaling;

use crate::{
    arguments::{Arguments, KedaReads, Peer, Read},
    keda,
    load::Caller,
    say,
    workload::{Workload, pending_pod},
};
use support::{
    Cluster,
    certificate::Certificate,
    eventually, peers,
    process::{Process, free_port},
    prometheus::Prometheus,
};

/// Namespace of the adapters' Services.
pub(crate) const NAMESPACE: &str = "bench";
/// Names in the certificate that all servers share: those of their Services, and of this machine.
const SERVICES: [&str; 4] = ["vas", "prometheus-adapter", "keda", "fixed-bytes"];
/// Number of objects that are created at once.
const AT_ONCE: usize = 32;
/// API group of the server of fixed bytes.
pub(crate) const FIXED_GROUP: &str = "fixed.bench.voiceassist.io";
/// The account whose reads are measured.
const HPA: &str = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";

/// The world. Dropping it ends everything, the cluster last.
pub(crate) struct World {
    /// A client for the API server, with the administrator's rights.
    pub client: Client,
    /// Prometheus, which scrapes the workloads' series.
    pub prometheus: Prometheus,
    exporters: Vec<Process>,
    workloads: usize,
    /// Whether the workloads have an External metric.
    external: bool,
    /// Whether KEDA knows the workloads, and how it reads.
    keda: Option<KedaReads>,
    /// The certificate that all servers show.
    pub certificate: Certificate,
    /// The control plane.
    pub cluster: Cluster,
}

impl World {
    /// Starts the world without workloads.
    pub(crate) async fn start(arguments: &Arguments) -> Self {
        say("starting the control plane and Prometheus");
        let cluster = Cluster::start(
            "bench",
            &[
                // Pods that never run need no service accounts, and creating one delays each namespace by a
                // second.
                "--apiserver-flag=disable-admission-plugins=ServiceAccount",
                // KEDA makes HPAs, but only the reads of this program may count.
                "--hpa-sync-period=10h",
            ],
        );
        cluster.install_crd();
        let keda = arguments.has(Peer::Keda).then_some(arguments.keda_reads);
        if keda.is_some() {
            peers::install_keda(&cluster).await;
        }
        let client = cluster.client().await;
        let objects = json!({"apiVersion": "v1", "kind": "List", "items": objects()});
        cluster.kubectl_ok(&["apply", "-f", "-"], Some(&objects.to_string()));
        let names = SERVICES
            .iter()
            .map(|service| format!("{service}.{NAMESPACE}.svc"))
            .chain(["localhost".to_owned()]);
        Self {
            client,
            prometheus: Prometheus::start("bench").await,
            exporters: Vec::new(),
            workloads: 0,
            external: arguments.reads.contains(&Read::External),
            keda,
            certificate: Certificate::issue(cluster.dir(), names.collect()),
            cluster,
        }
    }

    /// Adds workloads up to a number, with their series, pods and resources.
    pub(crate) async fn grow(&mut self, workloads: usize) {
        let new = self.workloads..workloads;
        if new.is_empty() {
            return;
        }
        say(&format!(
            "creating {} workloads of 3 pods, a namespace each",
            new.len()
        ));
        let port = free_port();
        let name = format!("exporter-{}", self.exporters.len());
        let own = std::env::current_exe().expect("the path of this program");
        self.exporters.push(Process::start(
            &name,
            &own,
            &[
                "exporter".to_owned(),
                port.to_string(),
                new.start.to_string(),
                new.end.to_string(),
            ],
            &[],
            self.cluster.dir().join(format!("{name}.log")),
        ));
        self.prometheus.register(&name, &format!("127.0.0.1:{port}"));
        let (client, external, keda) = (&self.client, self.external, self.keda);
        let prometheus = &self.prometheus.url();
        stream::iter(new.map(Workload))
            .map(|workload| async move {
                let namespace = workload.namespace();
                create::<Namespace>(&Api::all(client.clone()), named("Namespace", &namespace)).await?;
                for pod in workload.pods() {
                    create::<Pod>(&Api::namespaced(client.clone(), &namespace), pod).await?;
                }
                let scalings = Api::<VoiceAssistScaling>::namespaced(client.clone(), &namespace);
                create(&scalings, Workload::scaling(external)).await?;
                match keda {
                    Some(reads) => keda::create(client, workload, prometheus, reads).await,
                    None => Ok(()),
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .expect("the workloads can be created");
        self.workloads = workloads;
        let series = format!("count(bench_queue_depth) == {workloads}");
        eventually(Duration::from_secs(60), "Prometheus has the series", || async {
            self.prometheus.query(&series).await.ok_or("not all yet")
        })
        .await;
    }

    /// Adds pods that no adapter is asked about.
    pub(crate) async fn add_foreign_pods(&self, pods: usize) {
        const IN_ONE_NAMESPACE: usize = 1000;
        say(&format!("creating {pods} pods of others"));
        let client = &self.client;
        let namespace = |pod: usize| format!("foreign-{}", pod / IN_ONE_NAMESPACE);
        for first in (0..pods).step_by(IN_ONE_NAMESPACE) {
            let object = named("Namespace", &namespace(first));
            let created = create::<Namespace>(&Api::all(client.clone()), object).await;
            created.expect("a namespace can be created");
        }
        stream::iter(0..pods)
            .map(|pod| async move {
                let api = Api::<Pod>::namespaced(client.clone(), &namespace(pod));
                create(&api, pending_pod(&format!("other-{pod}"), "other")).await
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .expect("pods can be created");
    }

    /// Number of queries that Prometheus has answered, by its own count.
    pub(crate) async fn prometheus_queries(&self) -> f64 {
        let url = format!("{}/metrics", self.prometheus.url());
        let fetch = async { reqwest::get(url).await?.text().await };
        let fetched = tokio::time::timeout(Duration::from_secs(10), fetch).await;
        let text = fetched
            .expect("Prometheus answers within 10 s")
            .unwrap_or_default();
        text.lines()
            .filter(|line| line.starts_with("prometheus_http_requests_total{"))
            .filter(|line| line.contains("handler=\"/api/v1/query\""))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// The process of a component, such as `kube-apiserver`.
    pub(crate) fn component(&self, name: &str) -> Option<u32> {
        self.cluster.process(name)
    }

    /// The port of the API server.
    pub(crate) fn api_server_port(&self) -> u16 {
        let ports =
            std::fs::read(self.cluster.dir().join("ports.json")).expect("the launcher writes its ports");
        let ports: BTreeMap<String, u16> = serde_json::from_slice(&ports).expect("the ports are JSON");
        ports["kube-apiserver"]
    }

    /// The caller as whom the API server calls an adapter on behalf of the HPA controller.
    pub(crate) fn front_proxy(&self) -> Caller {
        let pki = self.cluster.dir().join("pki");
        let chain = certificates(&pki.join("front-proxy-client.crt"));
        let key = PrivateKeyDer::from_pem_file(pki.join("front-proxy-client.key")).expect("a key");
        let tls = ClientConfig::builder()
            .with_root_certificates(self.roots())
            .with_client_auth_cert(chain, key)
            .expect("the front proxy's certificate and key");
        let mut headers = HeaderMap::new();
        headers.insert("x-remote-user", HPA.parse().expect("a header"));
        for group in [
            "system:serviceaccounts",
            "system:serviceaccounts:kube-system",
            "system:authenticated",
        ] {
            headers.append("x-remote-group", group.parse().expect("a header"));
        }
        caller(tls, headers)
    }

    /// The caller as whom the HPA controller calls the API server.
    pub(crate) fn hpa_controller(&self) -> Caller {
        let token = self.cluster.kubectl_ok(
            &[
                "create",
                "token",
                "horizontal-pod-autoscaler",
                "-n",
                "kube-system",
                "--duration=2h",
            ],
            None,
        );
        let tls = ClientConfig::builder()
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        let bearer = format!("Bearer {}", token.trim());
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer.parse().expect("a header"));
        caller(tls, headers)
    }

    /// Routes the API server's groups to the Service of an adapter on this machine, and waits until it serves
    /// them.
    pub(crate) fn route(&self, groups: &[(&str, &str)], service: &str, port: u16) {
        let ca: Vec<u8> = self.certificate.ca.as_bytes().to_vec();
        let ca = k8s_openapi::ByteString(ca);
        let services: Vec<Value> = groups
            .iter()
            .map(|(group, version)| {
                json!({
                    "apiVersion": "apiregistration.k8s.io/v1",
                    "kind": "APIService",
                    "metadata": {"name": format!("{version}.{group}")},
                    "spec": {
                        "group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
                        "caBundle": ca,
                        "service": {"namespace": NAMESPACE, "name": service, "port": port},
                    },
                })
            })
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": services});
        self.cluster.kubectl_ok(
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            Some(&list.to_string()),
        );
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let ours = CertificateDer::from_pem_slice(self.certificate.ca.as_bytes()).expect("PEM");
        let theirs = certificates(&self.cluster.dir().join("pki/ca.crt"));
        roots.add_parsable_certificates(theirs.into_iter().chain([ours]));
        roots
    }
}

/// The namespace of the Services, the Services, which are aliases of this machine, and the HPA's right to
/// read from the server of fixed bytes.
fn objects() -> Vec<Value> {
    let mut objects = vec![named("Namespace", NAMESPACE)];
    objects.extend(SERVICES.map(|service| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": service, "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        })
    }));
    objects.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "bench-fixed-bytes"},
        "rules": [{"apiGroups": [FIXED_GROUP], "resources": ["*"], "verbs": ["get", "list"]}],
    }));
    objects.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "bench-fixed-bytes"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "bench-fixed-bytes"},
        "subjects": [{"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}],
    }));
    objects
}

fn named(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})
}

fn caller(mut tls: ClientConfig, headers: HeaderMap) -> Caller {
    tls.alpn_protocols = vec![b"h2".to_vec()];
    Caller {
        tls: Arc::new(tls),
        headers,
        server_name: "localhost",
    }
}

fn certificates(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn create<K>(api: &Api<K>, object: Value) -> Result<(), kube::Error>
where
    K: kube::Resource + serde::Serialize + serde::de::DeserializeOwned + Clone + std::fmt::Debug,
{
    let object: K = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
    api.create(&PostParams::default(), &object).await.map(drop)
}
