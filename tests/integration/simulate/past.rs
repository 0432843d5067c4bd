//! Loads of a real Prometheus, whose past is written beforehand.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::Value;

use super::file;
use support::{prometheus::Prometheus, vas::run};

const RESOURCE: &str = "\
apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {name: web, namespace: shop}
spec:
  workloads:
  - name: web
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
    minReplicas: 2
    maxReplicas: 20
    metrics:
    - {name: rate, requestRate: {counter: http_requests_total, target: {averageValue: '70'}}}
";

const HOUR: i64 = 3600;

/// Samples of one pod each 15 s from one hour to another, with so many requests per second.
fn pod(text: &mut String, start: Timestamp, name: &str, hours: (i64, i64), rate: i64) {
    for second in (hours.0 * HOUR..hours.1 * HOUR).step_by(15) {
        let time = start.as_second() + second;
        let count = (second - hours.0 * HOUR) * rate;
        writeln!(
            text,
            "http_requests_total{{namespace=\"shop\",pod=\"{name}\"}} {count} {time}"
        )
        .unwrap();
    }
}

/// Seven hours: three of one pod, an hour without any, and three of the pod that came after it. A pod of `web-api` has ten
/// times the load all the time.
fn samples(start: Timestamp) -> String {
    let mut text = String::from("# TYPE http_requests counter\n");
    pod(&mut text, start, "web-6c5f8d9b7-x2vbq", (0, 3), 100);
    pod(&mut text, start, "web-9d9d9d9d9-zzzzz", (4, 7), 150);
    pod(&mut text, start, "web-api-6c5f8d9b7-x2vbq", (0, 7), 1000);
    text + "# EOF\n"
}

fn words(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_load_of_pods_that_are_gone_is_read_from_prometheus_and_an_hour_without_samples_is_a_gap() {
    // Two days ago, so that nothing of it is in the memory of a fresh Prometheus.
    let start = Timestamp::now() - SignedDuration::from_hours(48);
    let start = start.round(Unit::Hour).unwrap();
    let mut prometheus = Prometheus::start_with_past("simulate", &samples(start)).await;
    let url = prometheus.url();
    let resource = file("past.yaml", RESOURCE).display().to_string();
    let (from, to) = (
        start.to_string(),
        (start + SignedDuration::from_hours(7)).to_string(),
    );
    let simulate = |more: &[&str]| {
        let asked = ["--prometheus-url", &url, "--start", &from, "--end", &to];
        run(&[&["simulate", "-f", &resource], asked.as_slice(), more].concat())
    };
    let report = file("past.json", "").display().to_string();
    let output = simulate(&["-o", &format!("json={report}")]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(
        words(&output).contains("load: sum(sum by (namespace, pod) (rate("),
        "{}",
        words(&output)
    );
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    let load = &report["load"];
    let peak = load["peak"].as_f64().unwrap();
    assert!((peak - 150.0).abs() < 1.0, "{load}");
    let judged = load["judged_seconds"].as_f64().unwrap();
    // Without half an hour to warm up and the hour without samples; the first minute of each pod has no rate.
    assert!((judged - 5.5 * 3600.0).abs() < 180.0, "{load}");
    let offered = load["offered"].as_f64().unwrap() / (2.5 * 360_000.0 + 3.0 * 540_000.0);
    assert!((0.98..=1.02).contains(&offered), "{load}");

    let output = simulate(&["--query", "rate(http_requests_total[1m])"]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(
        words(&output).contains("series: a load is one, such as sum("),
        "{}",
        words(&output)
    );
    let output = simulate(&["--query", "sum(nothing)"]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(
        words(&output).contains("all values are missing"),
        "{}",
        words(&output)
    );
    let output = simulate(&["--query", "sum(("]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("bad_data"), "{}", words(&output));
    prometheus.down();
    let output = simulate(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
}
