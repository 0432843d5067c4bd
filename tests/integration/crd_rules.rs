//! The table of accepted and refused resources (`tests/fixtures/crd-cases.yaml`), checked by the real API
//! server and by `vas validate`.

use std::{io::Write as _, time::Duration};

use kube::{
    Resource as _,
    api::{PostParams, Request},
};
use serde::Deserialize;
use serde_json::{Value, json};

use vas_api::v1alpha1::VoiceAssistScaling;

use support::{Cluster, cluster::root, eventually, namespace::Namespace, vas::binary};

const ACCEPTED: &str = "accepted";

/// One row of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    workload: Value,
    server: String,
    vas: Option<String>,
}

impl Case {
    fn accepted_by_server(&self) -> bool {
        self.server == ACCEPTED
    }

    /// The changed resource.
    fn object(&self, name: &str) -> Value {
        let mut spec = json!({"workloads": [{
            "name": "api",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
            "disruption": {"maxUnavailable": 1},
        }]});
        replace(&mut spec["workloads"][0], &self.workload);
        replace(&mut spec, &self.spec);
        json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1",
            "kind": "VoiceAssistScaling",
            "metadata": {"name": name},
            "spec": spec,
        })
    }
}

/// Replaces fields. A `null` is kept, because a user may write one to leave a field out.
fn replace(target: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().into_iter().flatten() {
        target[name] = value.clone();
    }
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(root().join("tests/fixtures/crd-cases.yaml")).unwrap();
    let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap();
    assert!(cases.len() >= 40, "the table has only {} cases", cases.len());
    cases
}

/// The request of `kubectl create --dry-run=server`, which asks for strict decoding too.
fn dry_run(case: &Case, namespace: &str) -> hyper::Request<Vec<u8>> {
    let path = VoiceAssistScaling::url_path(&(), Some(namespace));
    let params = PostParams {
        dry_run: true,
        field_manager: Some("crd-rules".to_owned()),
    };
    let body = case.object("case").to_string().into_bytes();
    let mut request = Request::new(path).create(&params, body).expect("a request");
    let strict = format!("{}&fieldValidation=Strict", request.uri());
    *request.uri_mut() = strict.parse().expect("a path");
    request
}

#[tokio::test]
async fn the_api_server_accepts_and_refuses_as_the_table_says() {
    let cluster = Cluster::shared();
    let namespace = Namespace::create(cluster, "crd-rules");
    let client = cluster.client().await;
    let mut wrong = Vec::new();
    for case in cases() {
        let answer = match client.request_text(dry_run(&case, namespace.name())).await {
            Ok(_) => ACCEPTED.to_owned(),
            Err(kube::Error::Api(status)) => status.message,
            Err(error) => panic!("{}: the API server did not answer: {error}", case.name),
        };
        if !answer.contains(&case.server) {
            wrong.push(format!("{}: {answer}\n  expected: {}", case.name, case.server));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn vas_validate_refuses_all_that_the_api_server_refuses() {
    let cases = cases();
    let documents: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(index, case)| case.object(&format!("case-{index}")).to_string())
        .collect();
    let mut child = std::process::Command::new(binary())
        .args(["validate", "-f", "-", "-o", "json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("vas starts");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    stdin
        .write_all(documents.join("\n---\n").as_bytes())
        .expect("vas reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("vas ends");
    let checked: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked.len(), cases.len());

    let mut wrong = Vec::new();
    for (case, result) in cases.iter().zip(&checked) {
        let lines: Vec<String> = result["violations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|violation| {
                let text = |field: &str| violation[field].as_str().unwrap_or_default().to_owned();
                format!("{}: {}: {}", text("path"), text("value"), text("rule"))
            })
            .collect();
        let expected = case.vas.as_deref();
        let right = match expected {
            Some(words) => lines.iter().any(|line| line.contains(words)),
            None => case.accepted_by_server() == lines.is_empty(),
        };
        if !right {
            wrong.push(format!("{}: {lines:#?}\n  expected: {expected:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_crd_is_accepted_without_a_warning() {
    let crd = root().join("crds/voiceassistscalings.yaml");
    // Other tests apply the CRD at the same time, so that a further apply would print a warning.
    let output = Cluster::shared().kubectl(
        &["replace", "--dry-run=server", "-f", &crd.to_string_lossy()],
        None,
    );
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!words.contains("Warning:"), "{words}");
    assert!(output.status.success(), "{words}");
}

#[tokio::test]
async fn kubectl_explain_teaches_what_a_metric_is() {
    let cluster = Cluster::shared();
    // kubectl knows a new kind a moment after the CRD is established.
    eventually(Duration::from_secs(60), "the metrics are explained", || async {
        let output = cluster.kubectl(&["explain", "vas.spec.workloads.metrics"], None);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let missing = [
            "Exactly one of",
            "Requests per second per pod",
            "enum: Hold, Zero",
            "-required-",
        ]
        .into_iter()
        .find(|words| !text.contains(words));
        missing.map_or(Ok(()), |words| Err(format!("{words:?} is missing in {text:?}")))
    })
    .await;
}
