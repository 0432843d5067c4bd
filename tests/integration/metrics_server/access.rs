//! Requests that do not come through the API server: whose identity is accepted, and who may read.

use std::time::Duration;

use k8s_openapi::ByteString;
use reqwest::{Certificate, Client, ClientBuilder, Identity, StatusCode};

use super::stack::{Stack, stack};
use support::{Cluster, eventually};

const PATH: &str = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/access/pods/*/request-rate";
const MASTERS: [(&str, &str); 2] = [("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")];

/// The name under which the API server knows the metrics server.
pub(super) const HOST: &str = "vas-metrics-server.vas-system.svc";

/// A client that trusts the shared CA, with the certificate of a component of the cluster.
pub(super) fn client(stack: &Stack, port: u16, component: Option<&str>) -> Client {
    builder(stack.cluster, port, component).build().expect("a client")
}

/// A builder for such a client, for any cluster.
pub(super) fn builder(cluster: &Cluster, port: u16, component: Option<&str>) -> ClientBuilder {
    with_identity(cluster, port, component.map(|name| identity(cluster, name)))
}

/// A client that trusts the shared CA, with this certificate.
pub(super) fn client_with(cluster: &Cluster, port: u16, identity: Option<Identity>) -> Client {
    with_identity(cluster, port, identity).build().expect("a client")
}

/// The certificate of a component of a cluster, with its key.
pub(super) fn identity(cluster: &Cluster, component: &str) -> Identity {
    let pki = cluster.dir().join("pki");
    let mut pem = std::fs::read(pki.join(format!("{component}.crt"))).expect("a certificate");
    pem.extend(std::fs::read(pki.join(format!("{component}.key"))).expect("a key"));
    Identity::from_pem(&pem).expect("PEM")
}

/// The CA that the replicas of a cluster share, in PEM.
pub(super) fn shared_ca(cluster: &Cluster) -> String {
    let secret = cluster.read("vas-system", "secret", "vas-metrics-server-tls");
    let data = &secret.expect("the shared Secret is there")["data"]["ca.crt"];
    let ca: ByteString = serde_json::from_value(data.clone()).expect("the shared CA is base64");
    String::from_utf8(ca.0).expect("the shared CA is PEM")
}

fn with_identity(cluster: &Cluster, port: u16, identity: Option<Identity>) -> ClientBuilder {
    let ca = Certificate::from_pem(shared_ca(cluster).as_bytes()).expect("the shared CA is PEM");
    let builder = Client::builder()
        .tls_certs_only([ca])
        .resolve(HOST, ([127, 0, 0, 1], port).into());
    match identity {
        Some(identity) => builder.identity(identity),
        None => builder,
    }
}

async fn get(
    stack: &Stack,
    component: Option<&str>,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, String) {
    let port = stack.port;
    let mut request =
        client(stack, port, component).get(format!("https://vas-metrics-server.vas-system.svc:{port}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    (response.status(), response.text().await.unwrap_or_default())
}

#[tokio::test]
async fn identity_headers_count_only_with_the_front_proxys_certificate() {
    let stack = stack().await;
    // The metric does not exist, so 404 means that the read was allowed.
    let proxied = get(stack, Some("front-proxy-client"), PATH, &MASTERS).await;
    assert_eq!(proxied.0, StatusCode::NOT_FOUND, "{}", proxied.1);
    let anonymous = get(stack, None, PATH, &MASTERS).await;
    assert_eq!(anonymous.0, StatusCode::FORBIDDEN, "{}", anonymous.1);
    assert!(anonymous.1.contains("system:anonymous"), "{}", anonymous.1);
    let component = get(stack, Some("kube-scheduler"), PATH, &MASTERS).await;
    assert_eq!(component.0, StatusCode::FORBIDDEN, "{}", component.1);
    assert!(component.1.contains("system:kube-scheduler"), "{}", component.1);
}

#[tokio::test]
async fn certificates_from_elsewhere_are_refused() {
    let stack = stack().await;
    let own = rcgen::generate_simple_self_signed(vec!["admin".to_owned()]).unwrap();
    let pem = own.cert.pem() + &own.signing_key.serialize_pem();
    let client = Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .identity(Identity::from_pem(pem.as_bytes()).unwrap())
        .build()
        .unwrap();
    let url = format!("https://127.0.0.1:{}{PATH}", stack.port);
    let response = client.get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn plain_rbac_limits_a_user_to_one_metric() {
    let stack = stack().await;
    let rules = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: one-metric, namespace: default}
rules: [{apiGroups: [custom.metrics.k8s.io], resources: [pods/request-rate], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: one-metric, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one-metric}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: tenant}]
";
    stack.cluster.apply("", rules);
    let as_user = async |user: &str, path: &str| {
        let path = format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{path}");
        get(
            stack,
            Some("front-proxy-client"),
            &path,
            &[("X-Remote-User", user)],
        )
        .await
        .0
    };
    // The authorizer learns of role bindings by a watch, and refusals are cached for ten seconds.
    eventually(Duration::from_secs(60), "the role counts", || async {
        match as_user("tenant", "default/pods/*/request-rate").await {
            StatusCode::NOT_FOUND => Ok(()),
            other => Err(other),
        }
    })
    .await;
    for path in [
        "default/pods/*/other",
        "kube-system/pods/*/request-rate",
        "default/deployments.apps/a/request-rate",
    ] {
        assert_eq!(as_user("tenant", path).await, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(
        as_user("somebody", "default/pods/*/request-rate").await,
        StatusCode::FORBIDDEN
    );
    let hpa = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
    assert_eq!(
        as_user(hpa, "anywhere/pods/*/anything").await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn health_needs_no_credentials_and_nothing_can_be_written_or_watched() {
    let stack = stack().await;
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(
            get(stack, None, path, &[]).await,
            (StatusCode::OK, "ok".to_owned()),
            "{path}"
        );
    }
    let watch = get(stack, Some("admin"), &format!("{PATH}?watch=true"), &[]).await;
    assert_eq!(watch.0, StatusCode::METHOD_NOT_ALLOWED);
    let port = stack.port;
    let url = format!("https://vas-metrics-server.vas-system.svc:{port}{PATH}");
    let deleted = client(stack, port, Some("admin"))
        .delete(url)
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), StatusCode::METHOD_NOT_ALLOWED);
}
