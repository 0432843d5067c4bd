//! Prometheus' view of a run while it goes on has the same counts as its report.

use std::time::Duration;

use serde_json::Value;

use support::{
    cluster::run_dir,
    eventually,
    process::{Process, Signal, free_port},
    prometheus::Prometheus,
    service::Server,
    vas,
};

/// Load for some seconds and then none, so that the last scrape sees the last second of load.
const SCENARIO: &str = r#"
load: {rate: [{duration: 4s, at: 40}, {duration: 10m, at: 0}]}
abort: {errors: 100%, over: 10s}
journeys:
- name: user
  steps:
  - {name: well, get: /health}
  - {name: 'the "broken" one', get: /broken}
"#;
const JOURNEYS: f64 = 160.0;
const DEADLINE: Duration = Duration::from_secs(90);

fn start(server: &Server, address: &str) -> (Process, std::path::PathBuf) {
    let (scenario, json) = (
        run_dir().join("live-metrics.yaml"),
        run_dir().join("live-metrics.json"),
    );
    std::fs::create_dir_all(run_dir()).expect("a folder for the run");
    std::fs::write(&scenario, SCENARIO).expect("a file");
    let args = [
        "test".to_owned(),
        "run".to_owned(),
        scenario.display().to_string(),
        format!("--target={}", server.url()),
        format!("--metrics-listen={address}"),
        format!("--output=json={}", json.display()),
    ];
    (vas::start("load-test-metrics", &args, &[]), json)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_counts_what_the_report_counts() {
    let server = Server::start(None).await;
    let prometheus = Prometheus::start("load-test").await;
    let address = format!("127.0.0.1:{}", free_port());
    prometheus.register("vas-test", &address);
    eventually(DEADLINE, "Prometheus tries to scrape", || async {
        let up = prometheus.query("up{job=\"vas-test\"}").await;
        up.map(drop).ok_or("no such target yet")
    })
    .await;
    let (mut process, json) = start(&server, &address);
    eventually(DEADLINE, "the last second is scraped", || async {
        let ended = prometheus.query("sum(vas_test_requests_total)").await;
        (ended == Some(2.0 * JOURNEYS))
            .then_some(())
            .ok_or(format!("{ended:?}"))
    })
    .await;
    process.signal(Signal::Interrupt);
    let status = process.wait(DEADLINE).await;
    assert_eq!(status.code(), Some(130), "{}", process.log());

    let text = std::fs::read_to_string(json).expect("the report is there");
    let report: Value = serde_json::from_str(&text).expect("the report is JSON");
    let ask = async |query: String| {
        let value = prometheus.query(&format!("max_over_time({query}[2m])")).await;
        value.unwrap_or_else(|| panic!("nothing for {query}"))
    };
    for name in ["well", "the \"broken\" one"] {
        let step = &report["steps"][name];
        let labels = format!("scenario=\"live-metrics\",step={name:?}");
        let due = ask(format!("vas_test_requests_due_total{{{labels}}}")).await;
        assert_eq!(Some(due), step["requests"].as_f64(), "{name}");
        let answered = format!("vas_test_requests_total{{{labels},outcome=\"answered\",cause=\"\"}}");
        assert_eq!(Some(ask(answered).await), step["answered"].as_f64(), "{name}");
        let outcome = if name == "well" { "answered" } else { "failed" };
        let labels = format!("{labels},outcome=\"{outcome}\"");
        let latencies = ask(format!("vas_test_latency_seconds_count{{{labels}}}")).await;
        assert_eq!(Some(latencies), step["requests"].as_f64(), "{name}");
        let all = ask(format!("vas_test_latency_seconds_bucket{{{labels},le=\"+Inf\"}}")).await;
        assert!(
            (all - latencies).abs() < f64::EPSILON,
            "{name}: {all} of {latencies}"
        );
    }
    let failed = "vas_test_requests_total{outcome=\"failed\",cause=\"status 500\"}";
    assert_eq!(
        Some(ask(failed.to_owned()).await),
        report["summary"]["errors"].as_f64()
    );
    let planned = ask("vas_test_planned_rate".to_owned()).await;
    assert!((planned - 40.0).abs() < f64::EPSILON, "{planned}");
    for positive in [
        "vas_test_schedule_error_seconds_count",
        "vas_test_last_second_latency_seconds{quantile=\"0.95\"}",
        "vas_test_generator_cpu_ratio",
        "vas_test_elapsed_seconds",
    ] {
        let value = ask(positive.to_owned()).await;
        assert!(value > 0.0, "{positive} is {value}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_refused_before_anything_is_sent() {
    let server = Server::start(None).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let (mut process, _) = start(&server, &address);
    assert_eq!(process.wait(DEADLINE).await.code(), Some(1));
    assert!(process.log().contains("--metrics-listen"), "{}", process.log());
    assert!(server.asked().is_empty());
}
