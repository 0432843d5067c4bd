//! Operator and metrics server as the install runs them: its arguments, its environment, its service accounts.
//!
//! Every right of RBAC is used here at least once: children of every kind are created, changed and deleted,
//! and a value goes from Prometheus to an HPA. A missing rule shows as a refused request.

use std::time::Duration;

use serde_json::{Value, json};

use super::{guide, installation, unused::unused};
use support::{
    Cluster,
    api::condition,
    audit,
    cluster::bin,
    eventually,
    eventually::throughout,
    exporter::Exporter,
    install,
    kustomization::Kustomization,
    namespace::Namespace,
    process::{Process, free_port},
    prometheus::Prometheus,
};

const ACCOUNTS: &str = "system:serviceaccount:vas-system:vas-";
const PATIENCE: Duration = Duration::from_secs(90);

/// Every kind of child, with a field that differs between its two versions.
const CHILDREN: [([&str; 2], &str); 5] = [
    (["hpa", "voiceassist-worker"], "/spec/maxReplicas"),
    (["pdb", "voiceassist-worker"], "/spec/maxUnavailable"),
    (
        ["vpa", "voiceassist-worker"],
        "/spec/resourcePolicy/containerPolicies/0/maxAllowed/memory",
    ),
    (["limitrange", "voiceassist"], "/spec/limits/0/max/memory"),
    (["resourcequota", "voiceassist"], "/spec/hard/pods"),
];

/// A field of an object as text; empty where there is none.
fn field(namespace: &Namespace<'_>, [kind, name]: [&str; 2], pointer: &str) -> String {
    let object = namespace.object(kind, name).unwrap_or_default();
    match object.pointer(pointer) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Waits until every child has its value; `None` where it must be gone.
async fn children_become(namespace: &Namespace<'_>, expected: [Option<&str>; 5]) {
    eventually(PATIENCE, "the children are as planned", || async {
        let seen = CHILDREN.map(|(object, pointer)| field(namespace, object, pointer));
        let expected = expected.map(Option::unwrap_or_default);
        if seen == expected {
            Ok(())
        } else {
            Err(format!("{seen:?} instead of {expected:?}"))
        }
    })
    .await;
}

/// Waits until the HPA has read this value of an external metric.
async fn reads(namespace: &Namespace<'_>, hpa: &str, wanted: &str) {
    eventually(PATIENCE, "the HPA reads the external metric", || async {
        let hpa = namespace.object("hpa", hpa).unwrap_or_default();
        let metrics = hpa["status"]["currentMetrics"].as_array().into_iter().flatten();
        let mut values = metrics.filter_map(|metric| metric.pointer("/external/current/value"));
        if values.any(|value| value == wanted) {
            Ok(())
        } else {
            Err(hpa["status"].to_string())
        }
    })
    .await;
}

pub(super) async fn becomes_true(namespace: &Namespace<'_>, [kind, name]: [&str; 2], type_: &str) {
    eventually(PATIENCE, type_, || async {
        let object = namespace.object(kind, name).unwrap_or_default();
        if condition(&object, type_).starts_with("True ") {
            Ok(())
        } else {
            Err(object["status"].to_string())
        }
    })
    .await;
}

pub(super) fn install_vpa(cluster: &Cluster) {
    let crds = std::fs::read_to_string(bin("vpa-crd.yaml")).expect("the VPA's CRDs");
    cluster.apply("", &crds);
    cluster.established("verticalpodautoscalers.autoscaling.k8s.io");
}

/// Two replicas of each server, as in the install. The APIServices lead to the first metrics server.
pub(super) struct Running {
    operators: [Process; 2],
    metrics_servers: [Process; 2],
}

impl Running {
    pub(super) fn start(
        cluster: &Cluster,
        install: &Kustomization,
        prometheus: &Prometheus,
        called: u16,
    ) -> Self {
        let metrics = || format!("--metrics-bind-address=127.0.0.1:{}", free_port());
        let operator = install.deployment("vas-operator");
        let server = install.deployment("vas-metrics-server");
        let prometheus = format!("--prometheus-url={}", prometheus.url());
        Self {
            operators: ["vas-operator-0", "vas-operator-1"]
                .map(|pod| operator.start(cluster, pod, &[metrics()])),
            metrics_servers: [
                ("vas-metrics-server-0", called),
                ("vas-metrics-server-1", free_port()),
            ]
            .map(|(pod, port)| {
                server.start(
                    cluster,
                    pod,
                    &[metrics(), format!("--secure-port={port}"), prometheus.clone()],
                )
            }),
        }
    }

    pub(super) fn assert_running(&mut self) {
        for process in self.operators.iter_mut().chain(&mut self.metrics_servers) {
            process.assert_running();
        }
    }
}

/// The admission plugin of these tests does not know a CRD in the first seconds, whatever the rights are.
const CRD_TOO_NEW: &str = "cannot find RESTMapping";

/// Asserts that no request of vas was answered 403. This shows a missing right even where the program ignores
/// the error.
pub(super) fn assert_nothing_was_refused(cluster: &Cluster, since: jiff::Timestamp) {
    let refused: Vec<_> = audit::requests(cluster)
        .into_iter()
        .filter(|request| request.received >= since && request.user.username.starts_with(ACCOUNTS))
        .filter_map(|request| request.response)
        .filter(|response| response.code == 403 && !response.message.contains(CRD_TOO_NEW))
        .map(|response| response.message)
        .collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_rights_are_enough_and_none_is_idle_and_an_uninstall_stays_one() {
    let cluster = installation::running().await;
    install_vpa(&cluster);
    let prometheus = Prometheus::start("install").await;
    let exporter = Exporter::start().await;
    prometheus.register("worker", &exporter.target());
    install::apply_with_limits(&cluster);
    let called = free_port();
    install::route_metrics_server(&cluster, called);
    let install = install::add_external_metrics(&cluster, called);
    installation::rights_are_in_force(&cluster).await;
    let external = "patch apiservices/v1beta1.external.metrics.k8s.io";
    installation::eventually_can(&cluster, installation::METRICS_SERVER, external).await;
    let since = jiff::Timestamp::now();
    let mut running = Running::start(&cluster, &install, &prometheus, called);
    let namespace = Namespace::create(&cluster, "install");
    let labels = [("namespace", namespace.name()), ("queue", "default")];
    exporter.set("voiceassist_queue_depth", &labels, 150.0);

    let deployment = include_str!("../../fixtures/deployment.yaml").replace("api-gateway", "worker");
    namespace.apply(&deployment);
    namespace.apply(include_str!("../../fixtures/every-child.yaml"));
    children_become(
        &namespace,
        [Some("5"), Some("1"), Some("2Gi"), Some("4Gi"), Some("60")],
    )
    .await;
    becomes_true(&namespace, ["vas", "voiceassist"], "Ready").await;
    becomes_true(&namespace, ["hpa", "voiceassist-worker"], "ScalingActive").await;
    reads(&namespace, "voiceassist-worker", "150").await;

    let changed = json!([
      {"op": "replace", "path": "/spec/workloads/0/maxReplicas", "value": 6},
      {"op": "replace", "path": "/spec/workloads/0/disruption/maxUnavailable", "value": 2},
      {"op": "replace", "path": "/spec/workloads/0/vertical/containers/0/maxAllowed/memory", "value": "3Gi"},
      {"op": "replace", "path": "/spec/limits/limitRange/max/memory", "value": "5Gi"},
      {"op": "replace", "path": "/spec/limits/resourceQuota/hard/pods", "value": "70"}
    ]);
    namespace.patch("vas", "voiceassist", &changed);
    children_become(
        &namespace,
        [Some("6"), Some("2"), Some("3Gi"), Some("5Gi"), Some("70")],
    )
    .await;

    let taken_away = json!([
      {"op": "replace", "path": "/spec/workloads/0/name", "value": "jobs"},
      {"op": "remove", "path": "/spec/limits"}
    ]);
    namespace.patch("vas", "voiceassist", &taken_away);
    children_become(&namespace, [None; 5]).await;

    running.assert_running();
    assert_nothing_was_refused(&cluster, since);

    cluster.delete("", "apiservice", "v1beta1.external.metrics.k8s.io");
    for component in ["vas-metrics-server-external", "vas-operator-limits"] {
        cluster.delete("", "clusterrolebinding", component);
        cluster.delete("", "clusterrole", component);
    }
    for command in guide::commands("Uninstall") {
        guide::run(&cluster, &command);
    }
    throughout(Duration::from_secs(5), "nothing comes back", || async {
        let left = [
            cluster.objects("", "apiservices", ""),
            cluster.objects("", "namespaces", ""),
        ]
        .concat();
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let ours = |name: &String| {
            let words = ["custom.metrics", "external.metrics", "vas-"];
            words.iter().any(|word| name.contains(word))
        };
        left.iter().map(name).find(ours).map_or(Ok(()), Err)
    })
    .await;

    // The audit log has a watch only after the watch has ended.
    drop(running);
    eventually(PATIENCE, "every right was used", || async {
        let requests = audit::requests(&cluster);
        let accounts = ["vas-operator", "vas-metrics-server"];
        let unused = accounts
            .map(|account| unused(&install, &requests, account))
            .concat();
        if unused.is_empty() {
            Ok(())
        } else {
            Err(unused.join(", "))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_limits_the_operator_does_everything_else_and_asks_for_no_right_it_lacks() {
    let cluster = installation::running().await;
    install_vpa(&cluster);
    // As after an upgrade of an install that had the right.
    install::apply_with_limits(&cluster);
    let without_limits = install::apply(&cluster);
    for command in guide::commands("LimitRanges and ResourceQuotas") {
        guide::run(&cluster, &command);
    }
    installation::rights_are_in_force(&cluster).await;
    let since = jiff::Timestamp::now();
    let metrics = format!("--metrics-bind-address=127.0.0.1:{}", free_port());
    let operator = without_limits.deployment("vas-operator");
    let mut operator = operator.start(&cluster, "vas-operator-0", &[metrics]);
    let namespace = Namespace::create(&cluster, "no-limits");
    namespace.apply(&include_str!("../../fixtures/deployment.yaml").replace("api-gateway", "worker"));
    namespace.apply(include_str!("../../fixtures/every-child.yaml"));
    children_become(&namespace, [Some("5"), Some("1"), Some("2Gi"), None, None]).await;
    eventually(
        PATIENCE,
        "the resource says that its limits are not managed",
        || async {
            let resource = namespace.object("vas", "voiceassist").unwrap_or_default();
            let said = condition(&resource, "LimitsManaged");
            if said.contains(" LimitsNotManaged: ") {
                Ok(())
            } else {
                Err(said)
            }
        },
    )
    .await;
    operator.assert_running();
    assert_nothing_was_refused(&cluster, since);
}
