//! Bearer tokens, and the reads that plain RBAC allows to their owners.

use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::{
    access::{HOST, client},
    stack::stack,
};
use support::{cluster::client_for, eventually, namespace::Namespace};

const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics:
  - {name: depth, queueDepth: {gauge: tokens_depth, target: {averageValue: '50'}}}
  - {name: other, queueDepth: {gauge: tokens_depth, target: {averageValue: '50'}}}
";

/// One metric of one workload, in the namespace of the Role.
const ROLE: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: read-depth}
rules:
- {apiGroups: [custom.metrics.k8s.io], resources: [deployments.apps/depth], resourceNames: [worker], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: read-depth}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: read-depth}
subjects: [{kind: ServiceAccount, name: reader}]
";

async fn get(client: &Client, port: u16, path: &str, token: &str) -> (StatusCode, String) {
    let url = format!("https://{HOST}:{port}{path}");
    let answer = client
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    (answer.status(), answer.text().await.unwrap_or_default())
}

fn path(namespace: &Namespace<'_>, rest: &str) -> String {
    format!(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/{rest}",
        namespace.name()
    )
}

#[tokio::test]
async fn plain_rbac_limits_a_service_account_to_one_metric_of_one_namespace() {
    let stack = stack().await;
    let (own, foreign) = (
        stack.scaling("tokens", SPEC),
        stack.scaling("tokens-foreign", SPEC),
    );
    for (namespace, depth) in [(&own, 7.0), (&foreign, 9.0)] {
        stack
            .exporter
            .set("tokens_depth", &[("namespace", namespace.name())], depth);
    }
    own.apply(ROLE);
    let token = stack.cluster.token(own.name(), "reader");
    let direct = client(stack, stack.port, None);
    let depth = path(&own, "deployments.apps/worker/depth");
    eventually(Duration::from_secs(60), "the metric is read", || async {
        match get(&direct, stack.port, &depth, &token).await {
            (StatusCode::OK, body) if body.contains("\"value\":\"7\"") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let kubeconfig = stack.cluster.service_account_kubeconfig(own.name(), "reader");
    let account = client_for(&kubeconfig).await;
    let through_the_api_server = async |path: &str| {
        let request = hyper::Request::get(path).body(Vec::new()).expect("a path");
        account.request_text(request).await
    };
    let read = through_the_api_server(&depth).await;
    let read = read.expect("the API server lets it pass too");
    assert!(read.contains("\"value\":\"7\""), "{read}");
    for refused in [
        path(&own, "deployments.apps/worker/other"),
        path(&own, "deployments.apps/another/depth"),
        path(&own, "pods/*/depth"),
        path(&foreign, "deployments.apps/worker/depth"),
    ] {
        let (status, body) = get(&direct, stack.port, &refused, &token).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{refused}: {body}");
        let account = format!("system:serviceaccount:{}:reader", own.name());
        assert!(body.contains(&account), "{body}");
        match through_the_api_server(&refused).await {
            Err(kube::Error::Api(status)) => assert_eq!(status.reason, "Forbidden", "{refused}: {status}"),
            other => panic!("{refused}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_token_that_is_nobodys_is_refused() {
    let stack = stack().await;
    let direct = client(stack, stack.port, None);
    let path = "/apis/custom.metrics.k8s.io";
    for token in ["made-up", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."] {
        let (status, body) = get(&direct, stack.port, path, token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
    }
    // The certificate is checked first. With a valid one the token is ignored.
    let admin = client(stack, stack.port, Some("admin"));
    let (status, body) = get(&admin, stack.port, path, "made-up").await;
    assert_eq!(status, StatusCode::OK, "{body}");
}
