//! external.metrics.k8s.io, read by the real HPA, by hand, and by users with and without the right.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    access::{HOST, client},
    stack::{Stack, apply, deployment, replicas, stack},
};
use support::{eventually, install, namespace::Namespace, process::free_port, vas};

const PATIENCE: Duration = Duration::from_secs(90);
const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - name: depth
    external: true
    maxAge: 10s
    queueDepth: {gauge: external_depth, target: {averageValue: '50'}}
  - name: age
    external: true
    queueAge: {gauge: external_age, target: {value: '60'}}
  - name: own
    external: true
    prometheus: {query: max(external_depth), target: {value: '1k'}}
";

/// Registers the group, once, as the component does, and waits until the API server serves it.
pub(super) async fn registered() -> &'static Stack {
    static REGISTERED: OnceCell<()> = OnceCell::const_new();
    let stack = stack().await;
    REGISTERED
        .get_or_init(|| async {
            install::add_external_metrics(stack.cluster, stack.port);
            let group = "/apis/external.metrics.k8s.io/v1beta1";
            eventually(PATIENCE, "the API server serves the group", || async {
                stack.get(group).map(drop)
            })
            .await;
        })
        .await;
    stack
}

fn path(namespace: &Namespace<'_>, metric: &str) -> String {
    format!(
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/{}/{metric}",
        namespace.name()
    )
}

fn set(stack: &Stack, namespace: &Namespace<'_>, depth: f64, age: f64) {
    let labels = [("namespace", namespace.name())];
    stack.exporter.set("external_depth", &labels, depth);
    stack.exporter.set("external_age", &labels, age);
}

#[tokio::test]
async fn the_hpa_scales_on_external_metrics_and_shows_why_one_has_no_value() {
    let stack = registered().await;
    let namespace = stack.scaling("external-hpa", SPEC);
    namespace.apply(&deployment("worker", 1));
    set(stack, &namespace, 140.0, 10.0);
    let at = |wanted: u32| match replicas(&namespace, "worker") {
        replicas if replicas == wanted => Ok(()),
        replicas => Err(format!("{replicas} replicas")),
    };
    eventually(PATIENCE, "depth per pod decides", || async { at(3) }).await;
    set(stack, &namespace, 140.0, 95.0);
    eventually(PATIENCE, "then the age", || async { at(5) }).await;

    let labels = [("namespace", namespace.name())];
    stack.exporter.remove("external_depth", &labels);
    let depth = format!(
        "unable to fetch metrics from external metrics API: metric depth of {}/voiceassist (workload worker): ",
        namespace.name()
    );
    eventually(PATIENCE, "the event carries our words", || async {
        let events = namespace.objects("events", "");
        let says = |event: &Value| {
            let note = event["note"].as_str().unwrap_or_default();
            event["regarding"]["kind"] == "HorizontalPodAutoscaler"
                && event["reason"] == "FailedGetExternalMetric"
                && note.contains(&depth)
        };
        if events.iter().any(says) {
            Ok(())
        } else {
            Err(Value::from(events).to_string())
        }
    })
    .await;
    assert_eq!(at(5), Ok(()), "a metric without data let the replicas fall");
}

#[tokio::test]
async fn a_read_is_one_item_whatever_else_has_that_name() {
    let stack = registered().await;
    let namespace = stack.scaling("external-read", SPEC);
    apply(&namespace, "second", &SPEC.replace("name: worker", "name: other"));
    set(stack, &namespace, 12.5, 7.0);
    let stranger = [("namespace", "a-stranger")];
    stack.exporter.set("external_depth", &stranger, 1_000_000.0);
    let selected = "?labelSelector=scaling.voiceassist.io%2Fname%3Dvoiceassist%2Cscaling.voiceassist.io%2Fworkload%3Dworker";
    let read = async |metric: &str| -> Value {
        let path = format!("{}{selected}", path(&namespace, metric));
        eventually(PATIENCE, &path, || async { stack.get(&path) }).await
    };
    for (metric, value) in [("depth", "12500m"), ("age", "7"), ("own", "12500m")] {
        let list = read(metric).await;
        let timestamp = list["items"][0]["timestamp"].clone();
        assert!(
            timestamp
                .as_str()
                .is_some_and(|time| time.parse::<jiff::Timestamp>().is_ok()),
            "{list}"
        );
        assert_eq!(
            list,
            json!({"kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1", "metadata": {},
                "items": [{"metricName": metric, "timestamp": timestamp, "value": value, "metricLabels": {
                    "scaling.voiceassist.io/name": "voiceassist", "scaling.voiceassist.io/workload": "worker"}}]})
        );
    }
    let refused = |path: &str, words: &[&str]| {
        let error = stack.get(path).unwrap_err();
        assert!(words.iter().all(|words| error.contains(words)), "{path}: {error}");
    };
    refused(
        &path(&namespace, "depth"),
        &["BadRequest", "ambiguous", "labelSelector="],
    );
    refused(
        &path(&namespace, "nothing"),
        &[
            "NotFound",
            "the server could not find the metric nothing for external.metrics.k8s.io",
        ],
    );
    refused(
        &path(&namespace, "depth?labelSelector=a%20in"),
        &["BadRequest", "bad label selector"],
    );
    refused(
        &format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/deployments.apps/worker/depth",
            namespace.name()
        ),
        &["NotFound", "is in external.metrics.k8s.io"],
    );
}

#[tokio::test]
async fn plain_rbac_limits_a_user_to_one_external_metric_of_one_namespace() {
    let stack = registered().await;
    let namespace = Namespace::create(stack.cluster, "external-rbac");
    namespace.apply(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: one-metric}
rules: [{apiGroups: [external.metrics.k8s.io], resources: [depth], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: one-metric}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one-metric}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: external-tenant}]
",
    );
    let as_user = async |user: &str, path: &str| {
        let port = stack.port;
        let url = format!("https://vas-metrics-server.vas-system.svc:{port}{path}");
        let request = client(stack, port, Some("front-proxy-client")).get(url);
        request
            .header("X-Remote-User", user)
            .send()
            .await
            .expect("an answer")
            .status()
    };
    eventually(Duration::from_secs(60), "the role counts", || async {
        // The metric does not exist, so 404 means that the read was allowed.
        match as_user("external-tenant", &path(&namespace, "depth")).await {
            StatusCode::NOT_FOUND => Ok(()),
            other => Err(other),
        }
    })
    .await;
    for path in [
        path(&namespace, "age"),
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/depth".to_owned(),
        format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/metrics/depth",
            namespace.name()
        ),
    ] {
        assert_eq!(
            as_user("external-tenant", &path).await,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    let hpa = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
    assert_eq!(
        as_user(hpa, &path(&namespace, "anything")).await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_server_without_external_metrics_has_no_such_group() {
    let stack = stack().await;
    let deployment = stack.install.deployment("vas-metrics-server");
    let account = stack
        .cluster
        .service_account_kubeconfig("vas-system", "vas-metrics-server");
    let (port, metrics_port) = (free_port(), free_port());
    let mut args = deployment.args(&[
        format!("--kubeconfig={}", account.display()),
        format!("--secure-port={port}"),
        format!("--metrics-bind-address=127.0.0.1:{metrics_port}"),
        format!("--prometheus-url={}", stack.proxy_url),
    ]);
    args.push("--external-metrics=false".to_owned());
    let name = "vas-metrics-server-custom-only";
    let _server = vas::start(name, &args, &deployment.env(name));
    let get = async |path: &str| {
        let url = format!("https://vas-metrics-server.vas-system.svc:{port}{path}");
        let response = client(stack, port, Some("admin")).get(url).send().await;
        response
            .map(|response| response.status())
            .map_err(|error| error.to_string())
    };
    eventually(PATIENCE, "the replica serves", || async {
        match get("/apis/custom.metrics.k8s.io/v1beta2").await {
            Ok(StatusCode::OK) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    for path in ["", "/v1beta1", "/v1beta1/namespaces/default/depth"] {
        let path = format!("/apis/external.metrics.k8s.io{path}");
        assert_eq!(get(&path).await, Ok(StatusCode::NOT_FOUND), "{path}");
    }
    let url = format!("https://{HOST}:{port}/apis");
    let groups = client(stack, port, Some("admin")).get(url).send().await;
    let groups = groups.expect("an answer").text().await.expect("text");
    assert!(
        groups.contains("custom.metrics.k8s.io") && !groups.contains("external.metrics.k8s.io"),
        "{groups}"
    );
}
