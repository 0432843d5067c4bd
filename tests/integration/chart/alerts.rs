//! ServiceMonitors and alerts: they choose what there is, and read metrics that the programs have.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::metrics_server::stack::stack;
use support::{chart, eventually, namespace::Namespace, process::free_port, vas};

const ENABLED: &str = "--set=serviceMonitor.enabled=true,serviceMonitor.interval=15s,serviceMonitor.labels.release=mine,\
                       prometheusRule.enabled=true,prometheusRule.labels.release=mine";

#[test]
fn each_service_is_monitored_at_its_port_metrics() {
    let rendered = chart::rendered(&[ENABLED]);
    let monitors: Vec<_> = rendered.of_kind("ServiceMonitor").collect();
    assert_eq!(monitors.len(), 2);
    for monitor in monitors {
        let name = monitor["metadata"]["name"].as_str().expect("a name");
        let service = rendered.find("Service", name).expect("the Service");
        let chosen = &monitor["spec"]["selector"]["matchLabels"];
        for (label, value) in chosen.as_object().expect("labels") {
            assert_eq!(service["metadata"]["labels"][label], *value);
        }
        let endpoint = json!([{"port": "metrics", "honorLabels": true, "interval": "15s"}]);
        assert_eq!(monitor["spec"]["endpoints"], endpoint);
        assert_eq!(monitor["metadata"]["labels"]["release"], "mine");
    }
}

/// The expressions of the alerts, by name.
fn alerts() -> Vec<(String, String)> {
    let rendered = chart::rendered(&[ENABLED]);
    let rule = rendered.find("PrometheusRule", "vas").expect("the rule");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let alerts = rule["spec"]["groups"][0]["rules"].as_array().expect("rules");
    alerts
        .iter()
        .map(|alert| (text(&alert["alert"]), text(&alert["expr"])))
        .collect()
}

async fn exposed(port: u16) -> String {
    let url = format!("http://127.0.0.1:{port}/metrics");
    let answer = reqwest::get(url).await.expect("/metrics answers");
    answer.text().await.expect("/metrics is text")
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_promql_and_read_metrics_that_the_programs_have() {
    let stack = stack().await;
    let alerts = alerts();
    for (alert, expression) in &alerts {
        let url = format!("{}/api/v1/query", stack.prometheus.url());
        let query = reqwest::Client::new().get(url).query(&[("query", expression)]);
        let answer: Value = query.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{alert}: {expression}: {answer}");
    }
    let port = free_port();
    let namespace = Namespace::create(stack.cluster, "alerts");
    let args = [
        "operator".to_owned(),
        "--leader-elect=false".to_owned(),
        format!("--metrics-bind-address=127.0.0.1:{port}"),
        format!("--kubeconfig={}", stack.cluster.kubeconfig().display()),
        format!("--watch-namespace={}", namespace.name()),
    ];
    let _operator = vas::start("operator-alerts", &args, &[]);
    namespace.apply(include_str!("../../fixtures/minimal.yaml"));
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let read: BTreeSet<&str> = alerts
        .iter()
        .flat_map(|(_, expression)| expression.split(|char| !is_part(char)))
        .filter(|word| word.starts_with("vas_"))
        // It is there with a configuration file only, and has a test of its own.
        .filter(|name| !name.starts_with("vas_metrics_server_config_"))
        .collect();
    assert!(read.len() >= 6, "{read:?}");
    eventually(Duration::from_secs(60), "all metrics are exposed", || async {
        let exposed = exposed(port).await + &exposed(stack.metrics_port).await;
        let names: BTreeSet<&str> = exposed
            .lines()
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        let missing: Vec<_> = read.difference(&names).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{missing:?}"))
        }
    })
    .await;
}
