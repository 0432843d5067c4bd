//! WebSockets, from the scenario to the reports.

use support::service::Server;

use super::command::{file, read, test, words};

const SCENARIO: &str = "
load: {users: [{duration: 2s, at: 3}]}
thresholds: [ws_rtt p95 < 5s, ws_connect max < 5s, ws_ping p50 < 5s, ws_held >= 100%, ws_held >= 3, ws_held >= 4]
journeys:
- name: talk
  headers: {x-tenant: a}
  steps:
  - name: hold
    headers: {x-user: '{{user}}'}
    websocket:
      path: /ws
      hold: 1s
      ping: 100ms
      message: {text: 'hello {{user}}', every: 100ms}
      sequence: [{send: 'I am {{user}}'}, {await: contains I am, within: 5s}]
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thresholds_on_websockets_are_judged_and_every_report_has_their_figures() {
    let server = Server::start(None).await;
    let scenario = file("websockets.yaml");
    std::fs::write(&scenario, SCENARIO).expect("a file");
    let formats = ["json", "md", "html"];
    let files = formats.map(|format| file(&format!("websockets.{format}")));
    let outputs: Vec<String> = formats
        .iter()
        .zip(&files)
        .map(|(format, file)| format!("--output={format}={}", file.display()))
        .collect();
    let (name, url) = (scenario.display().to_string(), server.url());
    let mut run = vec!["run", &name, "--target", &url, "-q"];
    run.extend(outputs.iter().map(String::as_str));
    let (stdout, stderr) = words(&test(&run).await);
    let report = read(&files[0]);
    let checks = report["checks"].as_array().expect("checks");
    let passed: Vec<bool> = checks.iter().map(|check| check["passed"] == true).collect();
    assert_eq!(
        passed[..6],
        [true, true, true, true, true, false],
        "{stdout}{stderr}"
    );
    let sockets = &report["websocket"];
    assert_eq!(sockets["held"], sockets["connected"], "{sockets}");
    assert_eq!(sockets["messages_unanswered"], 0, "{sockets}");
    assert_eq!(
        sockets["messages_sent"], sockets["messages_received"],
        "{sockets}"
    );
    assert!(sockets["ping"]["p50"].as_f64() > Some(0.0), "{sockets}");
    assert!(report["generator"]["connections"].as_u64() >= Some(3), "{report}");
    assert!(stdout.contains("ping to its pong"), "{stdout}");
    for file in &files[1..] {
        let text = std::fs::read_to_string(file).expect("the report is there");
        assert!(
            text.contains("held to their end") && text.contains("ping to its pong"),
            "{text}"
        );
    }
}
