//! Kubernetes' own client libraries, set up as in kube-controller-manager, read metrics of every kind.

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;

use super::{
    external,
    stack::{deployment, pods},
};
use support::{cluster::bin, eventually};

const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 3
  metrics:
  - name: depth
    queueDepth: {gauge: clients_depth, target: {averageValue: '50'}}
  - name: backlog
    external: true
    queueDepth: {gauge: clients_depth, target: {averageValue: '50'}}
  - name: rate
    requestRate: {counter: clients_requests_total, window: 10s, target: {averageValue: '100'}}
";

/// Runs the program with the libraries. Returns what they decoded, or their error.
pub(super) fn run(kubeconfig: &Path, args: &[&str]) -> Result<Value, String> {
    let output = Command::new(bin("metrics-clients"))
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .args(args)
        .output()
        .expect("metrics-clients starts");
    if output.status.success() {
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[tokio::test]
async fn the_client_libraries_of_the_hpa_read_every_kind() {
    let stack = external::registered().await;
    let namespace = stack.scaling("clients", SPEC);
    namespace.apply(&deployment("worker", 2));
    let labels = [("namespace", namespace.name())];
    stack.exporter.set("clients_depth", &labels, 12.5);
    let kubeconfig = stack.cluster.kubeconfig();
    let patience = Duration::from_secs(60);
    let name = namespace.name();
    // Without a flag: the version that the group prefers, which the HPA controller reads.
    for version in [None, Some("--version=v1beta1"), Some("--version=v1beta2")] {
        let read = |rest: &[&str]| {
            let args: Vec<&str> = version.iter().copied().chain(rest.iter().copied()).collect();
            run(&kubeconfig, &args)
        };
        let object = eventually(patience, "the object is read", || async {
            read(&["object", name, "Deployment.apps", "worker", "depth"])
        })
        .await;
        assert_eq!(object["value"], "12500m", "{version:?}: {object}");
        assert_eq!(object["metric"]["name"], "depth");
        assert_eq!(object["describedObject"]["name"], "worker");
        assert_eq!(object["describedObject"]["apiVersion"], "apps/v1");

        let described = eventually(patience, "the namespace is read", || async {
            read(&["namespace", name, "depth"])
        })
        .await;
        assert_eq!(described["value"], "12500m", "{version:?}: {described}");
        assert_eq!(described["describedObject"]["kind"], "Namespace");
        assert_eq!(described["describedObject"]["name"], name);

        let started = std::time::Instant::now();
        let list = eventually(patience, "both pods are read", || async {
            let live = pods(&namespace, "worker");
            for pod in &live {
                let labels = [("namespace", name), ("pod", pod.as_str())];
                let requests = 40.0 * started.elapsed().as_secs_f64();
                stack.exporter.set("clients_requests_total", &labels, requests);
            }
            let list = read(&["--selector=app=worker", "pods", name, "rate"])?;
            match list["items"].as_array().map(Vec::len) {
                Some(2) if live.len() == 2 => Ok(list),
                _ => Err(list.to_string()),
            }
        })
        .await;
        for item in list["items"].as_array().into_iter().flatten() {
            assert_eq!(item["describedObject"]["kind"], "Pod", "{version:?}: {list}");
            assert_eq!(item["windowSeconds"], 10, "{version:?}: {list}");
        }
    }
    let own =
        "--metric-selector=scaling.voiceassist.io/name=voiceassist,scaling.voiceassist.io/workload=worker";
    let external = eventually(patience, "the external metric is read", || async {
        run(&kubeconfig, &[own, "external", name, "backlog"])
    })
    .await;
    assert_eq!(external["items"].as_array().map(Vec::len), Some(1), "{external}");
    assert_eq!(external["items"][0]["value"], "12500m");
    assert_eq!(external["items"][0]["metricName"], "backlog");
    let unknown = run(&kubeconfig, &["namespace", name, "no-such"]).unwrap_err();
    assert!(
        unknown.contains("the server could not find the metric no-such"),
        "{unknown}"
    );
}

#[tokio::test]
async fn discovery_as_helm_does_it_has_no_errors_and_lists_every_version() {
    let stack = external::registered().await;
    for form in [&["discovery"][..], &["--legacy", "discovery"]] {
        eventually(Duration::from_secs(90), "every version is listed", || async {
            let found = run(&stack.cluster.kubeconfig(), form)?;
            let lists = found["resources"].as_array().cloned().unwrap_or_default();
            for wanted in [
                "custom.metrics.k8s.io/v1beta2",
                "custom.metrics.k8s.io/v1beta1",
                "external.metrics.k8s.io/v1beta1",
            ] {
                let listed = lists.iter().any(|list| {
                    list["groupVersion"] == wanted
                        && list["resources"]
                            .as_array()
                            .is_some_and(|resources| !resources.is_empty())
                });
                if !listed {
                    return Err(format!("{form:?}: no resources of {wanted}"));
                }
            }
            Ok(())
        })
        .await;
    }
}
