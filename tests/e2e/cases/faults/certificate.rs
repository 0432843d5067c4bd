//! The serving certificate of the metrics API is replaced while the HPA reads.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::json;

use crate::stage::{INSTALLED, Stage};

const DEPLOYMENT: &str = "vas-metrics-server";
/// A certificate that is valid for longer than this says is replaced at once; the two steps of it are this far apart.
const FLAGS: [&str; 2] = ["--self-signed-validity=2160h", "--self-signed-overlap=15s"];

/// Rotates it by its own rules, with the shipped year made shorter, and then leaves the flags as they were.
pub(super) async fn rotates(stage: &Stage) -> String {
    let before = secret(stage, "tls.crt").await;
    let patch: Vec<_> = FLAGS
        .iter()
        .map(|flag| json!({"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": flag}))
        .collect();
    let patch = json!(patch).to_string();
    let name = format!("deployment/{DEPLOYMENT}");
    let args = ["-n", INSTALLED, "patch", &name, "--type=json", "-p", &patch];
    stage.cluster.kubectl_ok(&args, None);
    stage.rolled_out(INSTALLED, DEPLOYMENT);
    support::eventually(
        Duration::from_secs(180),
        "a new certificate, and one CA alone",
        || async {
            let (certificate, next) = (secret(stage, "tls.crt").await, secret(stage, "next.crt").await);
            let rotated = certificate != before && !certificate.is_empty() && next.is_empty();
            let cas = secret(stage, "ca.crt").await.matches("BEGIN CERTIFICATE").count();
            (rotated && cas == 1)
                .then_some(())
                .ok_or_else(|| format!("rotated: {rotated}, {cas} CAs"))
        },
    )
    .await;
    stage
        .cluster
        .kubectl_ok(&["-n", INSTALLED, "rollout", "undo", &name], None);
    stage.rolled_out(INSTALLED, DEPLOYMENT);
    "the CA and the certificate replaced in their steps, the pods twice".to_owned()
}

/// A part of the Secret that the replicas share; empty where it has none.
async fn secret(stage: &Stage, key: &str) -> String {
    let secrets = Api::<Secret>::namespaced(stage.client.clone(), INSTALLED);
    let secret = secrets.get("vas-metrics-server-tls").await;
    let data = secret.ok().and_then(|secret| secret.data).unwrap_or_default();
    let part = data.get(key).map(|part| part.0.as_slice()).unwrap_or_default();
    String::from_utf8_lossy(part).into_owned()
}
