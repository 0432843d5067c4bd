//! Each query of the boards on a real Prometheus, which scrapes operator, metrics server and a load test: all are
//! answered, and those about vas have samples.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use serde_json::{Value, json};

use crate::metrics_server::stack::{deployment, stack};
use support::{
    cluster::root,
    eventually,
    load_model::LoadModel,
    namespace::Namespace,
    process::{Process, Signal, free_port},
    prometheus::Prometheus,
    turn, vas,
};

/// Panels of which a query has no sample here once all has settled, each with the reason.
const QUIET: &[(&str, &str)] = &[
    ("Conditions that are not fine", "all are fine"),
    ("Metrics without a value, and why", "each has a value"),
    ("Metrics without a value over time", "each has a value"),
    ("Failures by cause", "no request fails"),
    ("Time until failures", "no request fails"),
    ("Users, or requests under way", "a rate is planned, and no users"),
    ("Since Prometheus answered", "each replica had an answer"),
    ("Until the next schedule", "there is no schedule"),
    ("Reads handed on", "there is no adapter"),
];

const SPEC: &str = "
workloads:
- name: api-gateway
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api-gateway}
  minReplicas: 2
  maxReplicas: 10
  disruption: {minAvailable: 50%}
  metrics:
  - name: request-rate
    requestRate: {counter: voiceassist_http_requests_total, window: 10s, target: {averageValue: '20'}}
";

/// A query of a board.
struct Asked {
    panel: String,
    expr: String,
}

/// The queries of all boards with the variables as a viewer of one namespace has them.
fn queries(namespace: &str) -> Vec<Asked> {
    let folder = root().join(super::FOLDER);
    let values = [
        ("$__rate_interval", "15s"),
        ("$__range", "2m"),
        ("$__interval", "15s"),
        ("$namespace", namespace),
        ("$workload", ".*"),
        ("$pod", ".*"),
        ("$scenario", ".*"),
    ];
    let filled = |text: &Value| {
        let text = text.as_str().unwrap().to_owned();
        values
            .iter()
            .fold(text, |text, (name, value)| text.replace(name, value))
    };
    let mut asked = Vec::new();
    for text in super::boards(&folder).values() {
        let board: Value = serde_json::from_str(text).unwrap();
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let panel = panel["title"].as_str().unwrap().to_owned();
                asked.push(Asked {
                    panel,
                    expr: filled(&target["expr"]),
                });
            }
        }
        for annotation in board["annotations"]["list"].as_array().unwrap() {
            let panel = format!("annotation {}", annotation["name"].as_str().unwrap());
            asked.push(Asked {
                panel,
                expr: filled(&annotation["expr"]),
            });
        }
    }
    assert!(asked.len() > 100, "only {} queries were found", asked.len());
    asked
}

/// Whether a query reads metrics of vas alone, and no moment that may not come.
fn is_of_vas(asked: &Asked) -> bool {
    let of_others = ["voiceassist_", "pod_cpu_", "pod_memory_"];
    !of_others.iter().any(|name| asked.expr.contains(name)) && !asked.panel.starts_with("annotation")
}

/// The number of samples that are numbers. Prometheus has to take the query.
async fn answered(prometheus: &Prometheus, asked: &Asked) -> usize {
    let url = format!("{}/api/v1/query", prometheus.url());
    let request = reqwest::Client::new().get(url).query(&[("query", &asked.expr)]);
    let answer = request.send().await.expect("Prometheus answers");
    let answer: Value = answer.json().await.expect("Prometheus answers with JSON");
    assert_eq!(
        answer["status"], "success",
        "{}: {}: {answer}",
        asked.panel, asked.expr
    );
    let result = answer["data"]["result"].as_array().expect("a result");
    result.iter().filter(|series| series["value"][1] != "NaN").count()
}

fn operator(kubeconfig: &str, namespace: &str, address: &str) -> Process {
    let args = [
        "operator".to_owned(),
        "--leader-elect=false".to_owned(),
        format!("--metrics-bind-address={address}"),
        format!("--kubeconfig={kubeconfig}"),
        format!("--watch-namespace={namespace}"),
    ];
    vas::start("boards-operator", &args, &[])
}

#[tokio::test]
async fn each_query_is_answered_and_those_about_vas_have_samples() {
    turn::wait_to_load();
    let stack = stack().await;
    let namespace = Namespace::create(stack.cluster, "boards");
    let name = namespace.name();
    namespace.apply(&deployment("api-gateway", 2));
    namespace.apply(&deployment("worker", 1));
    let model = LoadModel::start_serving(stack.cluster, name, &["--capacity=100", "--service-time=5ms"]);
    let spec: Value = serde_saphyr::from_str(SPEC).unwrap();
    let resource = json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"name": "voice", "namespace": name}, "spec": spec,
    });
    namespace.apply(&resource.to_string());
    let [of_operator, of_test] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let kubeconfig = stack.cluster.kubeconfig().display().to_string();
    let _operator = operator(&kubeconfig, name, &of_operator);
    model.until_serving().await;
    let load = [
        "test",
        "run",
        "--rate=20",
        "--duration=10m",
        &format!("--target=http://{}/health", model.service()),
        &format!("--metrics-listen={of_test}"),
    ]
    .map(str::to_owned);
    let test = vas::start("boards-load", &load, &[]);
    let of_server = format!("127.0.0.1:{}", stack.metrics_port);
    for (job, target) in [
        ("boards-model", model.address()),
        ("boards-operator", &of_operator),
        ("boards-metrics-server", &of_server),
        ("boards-test", &of_test),
    ] {
        stack.prometheus.register(job, target);
    }
    let queries = queries(name);
    let quiet: BTreeSet<&str> = QUIET.iter().map(|(panel, _)| *panel).collect();
    // A rate has a sample while there is something to count, so each query has its own moment.
    let seen = Mutex::new(BTreeSet::new());
    eventually(
        Duration::from_secs(120),
        "only quiet panels were always empty",
        || async {
            let mut empty = BTreeSet::new();
            for asked in queries.iter().filter(|asked| is_of_vas(asked)) {
                if answered(&stack.prometheus, asked).await > 0 {
                    seen.lock().unwrap().insert(&asked.expr);
                } else if !seen.lock().unwrap().contains(&asked.expr) {
                    empty.insert(asked.panel.as_str());
                }
            }
            let unexpected: Vec<_> = empty.difference(&quiet).collect();
            if unexpected.is_empty() {
                Ok(())
            } else {
                Err(format!("{unexpected:?}"))
            }
        },
    )
    .await;
    eventually(
        Duration::from_secs(60),
        "quiet panels are so for their reasons",
        || async {
            let mut empty = BTreeSet::new();
            for asked in queries
                .iter()
                .filter(|asked| quiet.contains(asked.panel.as_str()))
            {
                if answered(&stack.prometheus, asked).await == 0 {
                    empty.insert(asked.panel.as_str());
                }
            }
            let unquiet: Vec<_> = quiet.difference(&empty).collect();
            if unquiet.is_empty() {
                Ok(())
            } else {
                Err(format!("{unquiet:?}"))
            }
        },
    )
    .await;
    for asked in queries.iter().filter(|asked| !is_of_vas(asked)) {
        answered(&stack.prometheus, asked).await;
    }
    test.signal(Signal::Interrupt);
}
