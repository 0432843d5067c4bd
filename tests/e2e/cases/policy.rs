//! The network policies as objects: whom they select, and whether the ports that they name are those of the pods and of
//! what the pods connect to. The bridge network of the tests enforces none, and kube-network-policies 0.8.0, which would enforce
//! them beside it, needs a kernel with `CONFIG_NFT_QUEUE`: it decides on packets that nftables' `queue` hands to it.

use serde_json::Value;
use support::chart;

use crate::stage::{INSTALLED, Stage};

/// Turns them on in the release, looks, and turns them off.
pub(crate) fn fits_the_pods(stage: &Stage) -> String {
    upgrade(stage, true);
    stage.rolled_out(INSTALLED, "vas-metrics-server");
    let mut seen = Vec::new();
    for name in ["vas-operator", "vas-metrics-server"] {
        let policy = stage.get(INSTALLED, &format!("networkpolicy/{name}"));
        let spec = &policy["spec"];
        let pods = selected(stage, &spec["podSelector"]["matchLabels"]);
        assert_eq!(pods.len(), 2, "{name} selects {} pods", pods.len());
        let listened = ports_of(&pods[0]);
        for port in named_ports(&spec["ingress"]) {
            assert!(listened.contains(&port), "{name}: no port {port} in {listened:?}");
        }
        // The API server's Service and what stands behind it; for the metrics server Prometheus too.
        let mut wanted = vec![443, address_port(stage, "default", "kubernetes")];
        if name == "vas-metrics-server" {
            wanted.push(address_port(stage, "monitoring", "prometheus"));
        }
        let out = numbered_ports(&spec["egress"]);
        for port in &wanted {
            assert!(
                out.contains(port),
                "{name} lets nobody out to port {port}: {out:?}"
            );
        }
        seen.push(format!("{name}: 2 pods, out to {wanted:?}"));
    }
    upgrade(stage, false);
    let left = stage.get(INSTALLED, "networkpolicy/vas-operator");
    assert_eq!(left, Value::Null, "the policy stays when it is turned off");
    seen.join("; ") + "; not enforced by this network"
}

fn upgrade(stage: &Stage, enabled: bool) {
    let enabled = format!("--set=networkPolicy.enabled={enabled}");
    let upgrade = ["upgrade", chart::RELEASE, chart::CHART, "-n", INSTALLED];
    let args = [
        &upgrade[..],
        &["--reuse-values", "--wait", "--timeout=5m", &enabled],
    ]
    .concat();
    chart::run_ok(&stage.cluster, &args);
}

fn selected(stage: &Stage, labels: &Value) -> Vec<Value> {
    let labels = labels.as_object().into_iter().flatten();
    let labels: Vec<String> = labels
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    stage.cluster.objects(INSTALLED, "pod", &labels.join(","))
}

fn ports_of(pod: &Value) -> Vec<String> {
    let ports = pod["spec"]["containers"][0]["ports"].as_array();
    let names = ports
        .into_iter()
        .flatten()
        .filter_map(|port| port["name"].as_str());
    names.map(str::to_owned).collect()
}

fn all_ports(rules: &Value) -> impl Iterator<Item = &Value> {
    let rules = rules.as_array().into_iter().flatten();
    let ports = rules.flat_map(|rule| rule["ports"].as_array().into_iter().flatten());
    ports.map(|port| &port["port"])
}

fn named_ports(rules: &Value) -> Vec<String> {
    all_ports(rules)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn numbered_ports(rules: &Value) -> Vec<u64> {
    all_ports(rules).filter_map(Value::as_u64).collect()
}

/// The port behind a Service, as its endpoints have it.
fn address_port(stage: &Stage, namespace: &str, service: &str) -> u64 {
    let label = format!("kubernetes.io/service-name={service}");
    let args = [
        "-n",
        namespace,
        "get",
        "endpointslices",
        "-l",
        &label,
        "-o",
        "json",
    ];
    let slices: Value = serde_json::from_str(&stage.cluster.kubectl_ok(&args, None)).expect("a list");
    let port = slices["items"][0]["ports"][0]["port"].as_u64();
    port.unwrap_or_else(|| panic!("{service} leads nowhere: {slices}"))
}
