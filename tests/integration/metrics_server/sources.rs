//! Several named servers in a configuration file, each queried in its own way. The file changes while they
//! are queried.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::Response,
    routing::post,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use reqwest::{Certificate, Identity};

use super::{
    configuration::{folder, listing},
    elsewhere::Elsewhere,
    stack::stack,
};
use support::{
    eventually,
    exporter::Exporter,
    process::Signal,
    prometheus::{Prometheus, Secured},
};

/// Hash of the password `s3cret`.
const BCRYPT: &str = "$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK";

/// Writes a CA, and a certificate from it for each side.
fn write_pki(folder: &Path) {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("ca.crt"), ca.pem()).unwrap();
    for (name, usage) in [
        ("server", ExtendedKeyUsagePurpose::ServerAuth),
        ("client", ExtendedKeyUsagePurpose::ClientAuth),
    ] {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        std::fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// A Prometheus that requires a client certificate and a password.
async fn secured_prometheus(folder: &Path) -> Prometheus {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let folder = folder.display();
    let web_config = format!(
        "tls_server_config: {{cert_file: {folder}/server.crt, key_file: {folder}/server.key, client_ca_file: {folder}/ca.crt, client_auth_type: RequireAndVerifyClientCert}}\nbasic_auth_users: {{vas: '{BCRYPT}'}}\n"
    );
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Basic dmFzOnMzY3JldA==".parse().unwrap());
    support::install_tls_provider();
    let client = reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(&read("ca.crt")).unwrap()])
        .identity(Identity::from_pem(&[read("client.crt"), read("client.key")].concat()).unwrap())
        .default_headers(headers)
        .build()
        .unwrap();
    Prometheus::start_secured("secured", Secured { web_config, client }).await
}

/// Lets requests with the right token of one tenant through to a Prometheus.
#[derive(Clone)]
struct Gate {
    upstream: String,
    token: Arc<Mutex<String>>,
}

impl Gate {
    async fn start(upstream: String) -> (Self, SocketAddr) {
        let gate = Self {
            upstream,
            token: Arc::default(),
        };
        let app = Router::new()
            .route("/tenant/api/v1/query", post(through))
            .with_state(gate.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (gate, address)
    }

    fn expect(&self, token: &str) {
        *self.token.lock().unwrap() = format!("Bearer {token}");
    }
}

async fn through(State(gate): State<Gate>, headers: HeaderMap, body: Bytes) -> Response {
    let has = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    let token = gate.token.lock().unwrap().clone();
    let answer = |status: StatusCode, body: Body| {
        let response = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, "application/json");
        response.body(body).unwrap()
    };
    if !has("authorization", &token) || !has("x-scope-orgid", "team-a") {
        return answer(StatusCode::UNAUTHORIZED, Body::from("{}"));
    }
    let request = reqwest::Client::new()
        .post(format!("{}/api/v1/query", gate.upstream))
        .header(CONTENT_TYPE, headers[CONTENT_TYPE].clone())
        .body(body);
    let bytes = request.send().await.unwrap().bytes().await.unwrap();
    answer(StatusCode::OK, Body::from(bytes))
}

const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - {name: plain, maxAge: 10s, queueDepth: {gauge: sources_depth, target: {averageValue: '50'}}}
  - {name: secured, maxAge: 10s, prometheusServer: secured, queueDepth: {gauge: sources_depth, target: {averageValue: '50'}}}
  - {name: tenant, maxAge: 10s, prometheusServer: tenant, queueDepth: {gauge: sources_depth, target: {averageValue: '50'}}}
  - {name: central, maxAge: 10s, prometheusServer: tenant, prometheus: {query: sum(sources_central), target: {value: '5'}}}
";
const WORKER: &str = "deployments.apps/worker";
const SUCCESSFUL: &str = "vas_metrics_server_config_last_reload_successful";

async fn reloaded(server: &Elsewhere, success: f64) {
    eventually(Duration::from_secs(60), "the reload is counted", || async {
        match server.metric(SUCCESSFUL).await {
            Ok(value) if (value - success).abs() < 0.1 => Ok(()),
            Ok(value) => Err(format!("{value}")),
            Err(_) => Err("not there".to_owned()),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_a_file_are_asked_each_in_its_own_way_and_a_bad_reload_keeps_them() {
    let stack = stack().await;
    let folder = folder("sources", &[("password", "s3cret\n"), ("token", "first")]);
    write_pki(&folder);
    let secured = secured_prometheus(&folder).await;
    let other = Exporter::start().await;
    secured.register("other", &other.target());
    let (gate, address) = Gate::start(stack.prometheus.url()).await;
    gate.expect("first");
    let configuration = |tenant: &str| {
        listing(&format!(
            "
- {{name: default, url: '{}'}}
- {{name: secured, url: '{}', caFile: ca.crt, certFile: client.crt, keyFile: client.key,
   basicAuth: {{username: vas, passwordFile: password}}, namespaceLabel: kube_ns}}
- {{name: tenant, url: 'http://{address}/tenant', bearerTokenFile: token,
   headers: [{{name: X-Scope-OrgID, value: team-a}}]{tenant}}}
",
            stack.prometheus.url(),
            secured.url()
        ))
    };
    let file = folder.join("config.yaml");
    let write = |text: String| std::fs::write(&file, text).unwrap();
    write(configuration(""));

    let namespace = stack.scaling("sources", SPEC);
    let name = namespace.name();
    stack.exporter.set("sources_depth", &[("namespace", name)], 1.0);
    stack.exporter.set("sources_central", &[("namespace", name)], 3.0);
    stack
        .exporter
        .set("sources_central", &[("namespace", "of-somebody-else")], 4.0);
    other.set("sources_depth", &[("kube_ns", name)], 2.0);
    let server = Elsewhere::start(stack, "sources", &[format!("--config={}", file.display())]).await;
    server.reads(name, WORKER, "plain", &["1"]).await;
    server.reads(name, WORKER, "secured", &["2"]).await;
    server.reads(name, WORKER, "tenant", &["1"]).await;
    server.reads(name, WORKER, "central", &["3"]).await;
    reloaded(&server, 1.0).await;
    let hash = server.metric("vas_metrics_server_config_hash").await.unwrap();

    // The token is rotated: the gate refuses the old one until the server has read the new one.
    gate.expect("second");
    server
        .refuses(name, WORKER, "tenant", "Prometheus: HTTP 401")
        .await;
    server.reads(name, WORKER, "plain", &["1"]).await;
    std::fs::write(folder.join("token"), "second\n").unwrap();
    server.reads(name, WORKER, "tenant", &["1"]).await;

    // A file that cannot be parsed changes nothing. A missing file keeps only its own server from changing.
    write(configuration(", queryNamespaceMatcher: 'no'"));
    reloaded(&server, 0.0).await;
    assert!(
        server
            .process
            .log()
            .contains("prometheusServers[2].queryNamespaceMatcher: must be true or false")
    );
    std::fs::remove_file(folder.join("password")).unwrap();
    write(configuration(", queryNamespaceMatcher: false"));
    server.reads(name, WORKER, "central", &["7"]).await;
    reloaded(&server, 0.0).await;
    stack.exporter.set("sources_depth", &[("namespace", name)], 5.0);
    other.set("sources_depth", &[("kube_ns", name)], 6.0);
    server.reads(name, WORKER, "secured", &["6"]).await;
    server.reads(name, WORKER, "tenant", &["5"]).await;
    assert!(
        server
            .process
            .log()
            .contains("prometheusServers[1].basicAuth.passwordFile: password cannot be read")
    );
    std::fs::write(folder.join("password"), "s3cret").unwrap();
    reloaded(&server, 1.0).await;
    assert!((server.metric("vas_metrics_server_config_hash").await.unwrap() - hash).abs() > 0.5);

    // A server that is removed from the file is no longer known. The others go on.
    write(listing(&format!(
        "- {{name: default, url: '{}'}}\n",
        stack.prometheus.url()
    )));
    let words = "prometheusServer \"secured\" is not configured; this metrics server knows default";
    server.refuses(name, WORKER, "secured", words).await;
    server.reads(name, WORKER, "plain", &["5"]).await;
    write(configuration(""));
    server.process.signal(Signal::Hangup);
    server.reads(name, WORKER, "secured", &["6"]).await;
    let log = server.process.log();
    assert!(!log.contains("s3cret") && !log.contains("second"), "{log}");
}
