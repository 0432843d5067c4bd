//! APIServices that lead to another server, or to none.

use std::time::Duration;

use super::{Pair, pair};
use crate::metrics_server::stack::{apply, metrics_available};
use support::{eventually, eventually::throughout, install, namespace::Namespace};

const CUSTOM: [&str; 2] = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];
const EXTERNAL: &str = "v1beta1.external.metrics.k8s.io";

const EXTERNAL_SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics: [{name: depth, external: true, queueDepth: {gauge: pair_depth, target: {averageValue: '50'}}}]
";

async fn reports(namespace: &Namespace<'_>, words: &str) {
    eventually(Duration::from_secs(60), words, || async {
        let condition = metrics_available(namespace, "voiceassist");
        if condition.contains(words) {
            Ok(())
        } else {
            Err(condition)
        }
    })
    .await;
}

/// Waits until every replica exports this state.
async fn is_counted(pair: &Pair, name: &str, state: &str) {
    let line = format!("vas_metrics_server_apiservice{{name=\"{name}\",state=\"{state}\"}} 1");
    eventually(Duration::from_secs(60), &line, || async {
        for replica in &pair.replicas {
            let metrics = replica.metrics().await;
            if !metrics.contains(&line) {
                return Err(metrics);
            }
        }
        Ok(())
    })
    .await;
}

/// Asserts that the APIService is not changed for so long that each replica has looked at it again.
async fn is_left_alone(pair: &Pair, name: &str, ca_bundle: Option<&[u8]>) {
    throughout(Duration::from_secs(10), "it is left alone", || async {
        let found = pair.ca_bundle(name).await;
        if found.as_deref() == ca_bundle {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
}

fn back_in_place(pair: &Pair) {
    install::apply(pair.cluster);
    install::route_metrics_server(pair.cluster, pair.balancer.port);
}

/// A CA of somebody else; any PEM would do.
fn their_ca() -> String {
    let certificate = rcgen::generate_simple_self_signed(vec!["theirs".to_owned()]).expect("a certificate");
    certificate.cert.pem()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apiservice_that_another_adapter_takes_is_left_alone_and_reported_within_seconds() {
    let pair = pair().await;
    reports(&pair.namespace, "True MetricsFresh").await;
    let ca = their_ca();
    let bundle = serde_json::to_value(k8s_openapi::ByteString(ca.clone().into_bytes())).expect("base64");
    let theirs = serde_json::json!({"spec": {
        "caBundle": bundle,
        "service": {"namespace": "monitoring", "name": "prometheus-adapter", "port": 443},
    }});
    for name in CUSTOM {
        pair.cluster.patch("", "apiservice", name, &theirs);
    }
    for name in CUSTOM {
        is_counted(&pair, name, "foreign").await;
    }
    reports(
        &pair.namespace,
        "False ApiServiceForeign: the HPA does not read worker/depth from here: APIService \
         v1beta2.custom.metrics.k8s.io leads to Service monitoring/prometheus-adapter; a cluster has one adapter for \
         each metrics API: see with vas register who reads from that one, and take over with --take-over",
    )
    .await;
    is_left_alone(&pair, CUSTOM[1], Some(ca.as_bytes())).await;
    back_in_place(&pair);
    reports(&pair.namespace, "True MetricsFresh").await;
    is_counted(&pair, CUSTOM[1], "ours").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apiservices_that_are_gone_are_reported_and_stay_gone() {
    let pair = pair().await;
    reports(&pair.namespace, "True MetricsFresh").await;
    for name in CUSTOM {
        pair.cluster.delete("", "apiservice", name);
    }
    for name in CUSTOM {
        is_counted(&pair, name, "absent").await;
    }
    reports(&pair.namespace, "False ApiServiceAbsent").await;
    is_left_alone(&pair, CUSTOM[1], None).await;
    back_in_place(&pair);
    reports(&pair.namespace, "True MetricsFresh").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn external_metrics_of_another_adapter_are_left_alone_and_concern_only_resources_with_some() {
    let pair = pair().await;
    is_counted(&pair, EXTERNAL, "absent").await;
    let external = Namespace::create(pair.cluster, "external");
    apply(&external, "voiceassist", EXTERNAL_SPEC);
    reports(
        &external,
        "there is no APIService of external.metrics.k8s.io: vas register --external makes it",
    )
    .await;
    let ca = their_ca();
    let theirs = serde_json::json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": EXTERNAL},
        "spec": {
            "group": "external.metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": k8s_openapi::ByteString(ca.clone().into_bytes()),
            "service": {"namespace": "keda", "name": "keda-operator-metrics-apiserver", "port": 443},
        },
    });
    pair.cluster.apply_all("", &[theirs]);
    is_counted(&pair, EXTERNAL, "foreign").await;
    let owner =
        "APIService v1beta1.external.metrics.k8s.io leads to Service keda/keda-operator-metrics-apiserver";
    reports(&external, "False ApiServiceForeign").await;
    reports(&external, owner).await;
    is_left_alone(&pair, EXTERNAL, Some(ca.as_bytes())).await;
    reports(&pair.namespace, "True MetricsFresh").await;
    pair.cluster.delete("", "apiservice", EXTERNAL);
    is_counted(&pair, EXTERNAL, "absent").await;
}
