//! `vas doctor` on the fresh installation, and on five that are broken.

use std::time::Duration;

use serde_json::{Value, json};
use support::eventually;

use crate::stage::{INSTALLED, NAMESPACE, Stage};

/// It finds nothing, not even something to warn of.
pub(crate) async fn fresh(stage: &Stage) -> String {
    // What the operator says of itself a moment after the first metrics.
    nothing_wrong(stage, Duration::from_secs(120)).await;
    let report = report(stage).expect("it reported just now");
    let checks = report["findings"].as_array().map_or(0, Vec::len);
    format!("{checks} findings, all well")
}

/// Waits until it finds nothing.
pub(super) async fn nothing_wrong(stage: &Stage, deadline: Duration) {
    eventually(deadline, "vas doctor finds nothing", || async {
        let found = tokio::task::block_in_place(|| found(stage));
        if found.is_empty() {
            Ok(())
        } else {
            Err(found.join("\n"))
        }
    })
    .await;
}

/// A fault, what makes and mends it, and what the finding has to name.
struct Fault {
    name: &'static str,
    check: &'static str,
    names: &'static str,
    make: fn(&Stage),
    mend: fn(&Stage),
}

const FAULTS: [Fault; 5] = [
    Fault {
        name: "wrong URL of Prometheus",
        check: "prometheus-reachable",
        names: "nowhere",
        make: |stage| set_prometheus(stage, "http://nowhere.monitoring.svc:9090"),
        mend: |stage| set_prometheus(stage, "http://prometheus.monitoring.svc:9090"),
    },
    Fault {
        name: "RBAC of the operator is missing",
        check: "rbac-operator",
        names: "vas-operator",
        make: |stage| bind_operator(stage, "nobody"),
        mend: |stage| bind_operator(stage, "vas-operator"),
    },
    Fault {
        name: "APIService taken by another adapter",
        check: "apiservice-owner",
        names: "other-adapter",
        make: |stage| {
            for version in ["v1beta1", "v1beta2"] {
                let api = format!("apiservice/{version}.custom.metrics.k8s.io");
                patch(
                    stage,
                    "default",
                    &api,
                    &json!({"spec": {"service": {"name": "other-adapter"}}}),
                );
            }
        },
        mend: |stage| {
            stage.vas_ok(&["register", "--take-over"]);
        },
    },
    Fault {
        name: "blocked port of the metrics server",
        check: "apiservice-available",
        names: "custom.metrics.k8s.io",
        make: |stage| {
            set_port(stage, &json!(6444));
            // The API server goes on with the connections that it has, and nothing is wrong until they end.
            let restart = [
                "-n",
                INSTALLED,
                "rollout",
                "restart",
                "deployment/vas-metrics-server",
            ];
            stage.cluster.kubectl_ok(&restart, None);
            stage.rolled_out(INSTALLED, "vas-metrics-server");
        },
        mend: |stage| set_port(stage, &json!("https")),
    },
    Fault {
        name: "PDB that blocks the drain",
        check: "pdb-allows-drains",
        names: "never",
        make: |stage| {
            let object = json!({
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                "metadata": {"name": "never", "namespace": NAMESPACE},
                "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "api-gateway"}}},
            });
            stage.cluster.apply(NAMESPACE, &object.to_string());
        },
        mend: |stage| {
            stage
                .cluster
                .kubectl_ok(&["-n", NAMESPACE, "delete", "pdb", "never"], None);
        },
    },
];

/// Each fault is named by the check that is about it, and gone when it is mended.
pub(crate) async fn broken(stage: &Stage) -> String {
    let mut seen = Vec::new();
    for fault in &FAULTS {
        (fault.make)(stage);
        let named = support::eventually::within(Duration::from_secs(120), || async {
            let found = found(stage);
            let named = found
                .iter()
                .find(|line| line.starts_with(fault.check) && line.contains(fault.names));
            named.cloned().ok_or_else(|| found.join("\n"))
        })
        .await;
        (fault.mend)(stage);
        let named =
            named.unwrap_or_else(|found| panic!("{}: no finding of {}:\n{found}", fault.name, fault.check));
        eprintln!("e2e:   {}: {named}", fault.name);
        nothing_wrong(stage, Duration::from_secs(180)).await;
        seen.push(fault.check);
    }
    seen.join(", ")
}

fn report(stage: &Stage) -> Result<Value, String> {
    let output = stage.vas(&["doctor", "--namespace", NAMESPACE, "--output=json"]);
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no report: {error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Problems and warnings, each as `CHECK OBJECT: MESSAGE`; a doctor who cannot work is one.
fn found(stage: &Stage) -> Vec<String> {
    let report = match report(stage) {
        Ok(report) => report,
        Err(why) => return vec![why],
    };
    let findings = report["findings"].as_array().expect("a report has findings");
    let bad = findings
        .iter()
        .filter(|finding| finding["severity"] != "ok" && finding["severity"] != "skip");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    bad.map(|finding| {
        format!(
            "{} {}: {}",
            text(&finding["check"]),
            text(&finding["object"]),
            text(&finding["message"])
        )
    })
    .collect()
}

fn patch(stage: &Stage, namespace: &str, object: &str, patch: &Value) {
    let patch = patch.to_string();
    stage.cluster.kubectl_ok(
        &["-n", namespace, "patch", object, "--type=merge", "-p", &patch],
        None,
    );
}

fn set_prometheus(stage: &Stage, url: &str) {
    let variable = format!("VAS_PROMETHEUS_URL={url}");
    let deployment = "deployment/vas-metrics-server";
    stage
        .cluster
        .kubectl_ok(&["-n", INSTALLED, "set", "env", deployment, &variable], None);
}

fn bind_operator(stage: &Stage, account: &str) {
    let subjects = json!({"subjects": [{"kind": "ServiceAccount", "name": account, "namespace": INSTALLED}]});
    patch(stage, "default", "clusterrolebinding/vas-operator", &subjects);
}

fn set_port(stage: &Stage, port: &Value) {
    let patch = json!([{"op": "replace", "path": "/spec/ports/0/targetPort", "value": port}]).to_string();
    let service = "service/vas-metrics-server";
    stage.cluster.kubectl_ok(
        &["-n", INSTALLED, "patch", service, "--type=json", "-p", &patch],
        None,
    );
}
