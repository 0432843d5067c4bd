//! A server without the right to ask for access reviews: a review that fails allows nothing.

use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::{
    access::identity,
    stack::{Stack, empty_secret, stack, start_apart},
};
use support::{
    eventually,
    namespace::Namespace,
    process::{Process, free_port},
};

/// All rights that a server may need, except those for reviews.
const RULES: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NAME}
rules:
- apiGroups: ['', scaling.voiceassist.io, apiregistration.k8s.io, coordination.k8s.io, events.k8s.io]
  resources: ['*']
  verbs: ['*']
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}
subjects: [{kind: ServiceAccount, name: server, namespace: NAME}]
";

/// A server in a namespace of its own, under an account with these rights.
fn start(stack: &Stack, namespace: &Namespace<'_>, port: u16) -> Process {
    empty_secret(namespace);
    stack.cluster.create_account(namespace.name(), "server", None);
    let rules = RULES.replace("NAME", namespace.name());
    stack.cluster.apply("", &rules);
    let kubeconfig = stack
        .cluster
        .service_account_kubeconfig(namespace.name(), "server");
    let ports = (port, free_port());
    start_apart(namespace, "unreviewed", &kubeconfig, ports, &stack.proxy_url)
}

#[tokio::test]
async fn a_server_that_may_not_ask_for_reviews_answers_nobody_but_masters() {
    let stack = stack().await;
    let namespace = Namespace::create(stack.cluster, "unreviewed");
    let port = free_port();
    let _server = start(stack, &namespace, port);
    let client = Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .identity(identity(stack.cluster, "front-proxy-client"))
        .build()
        .expect("a client");
    let url = format!(
        "https://127.0.0.1:{port}/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/pods/*/request-rate",
        namespace.name()
    );
    let read = async |group: &str| {
        let request = client.get(&url).header("X-Remote-User", "somebody");
        let answer = request.header("X-Remote-Group", group).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok::<_, String>((answer.status(), answer.text().await.unwrap_or_default()))
    };
    // The metric does not exist, so 404 means that the read was allowed.
    eventually(
        Duration::from_secs(60),
        "masters, who need no review, may read",
        || async {
            match read("system:masters").await {
                Ok((StatusCode::NOT_FOUND, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        },
    )
    .await;
    for _ in 0..2 {
        let (status, body) = read("dev").await.expect("an answer");
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
        assert!(body.contains("the access review failed"), "{body}");
    }
    for kind in ["clusterrolebinding", "clusterrole"] {
        stack.cluster.delete("", kind, namespace.name());
    }
}
