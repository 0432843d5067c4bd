//! What the service says of itself.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Server, Stack, database_url, until};

#[tokio::test]
async fn a_request_is_one_line_with_its_trace_and_goes_on_in_the_answer() {
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = user.request(Method::GET, "/api/users/me");
    let answer = user
        .send(request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01")))
        .await;
    let out = answer.headers["traceparent"].to_str().unwrap();
    assert!(
        out.starts_with(&format!("00-{trace}-")) && !out.contains("00f067aa0ba902b7"),
        "{out}"
    );
    let line = until("the line of the request", async || {
        gateway.log().into_iter().find(|line| line.contains(trace))
    })
    .await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["route"], &line["code"], &line["queries"]),
        (&"/api/users/me".into(), &200.into(), &1.into())
    );
    assert!(line["database_milliseconds"].as_f64().unwrap() > 0.0, "{line}");
}

#[tokio::test]
async fn requests_count_by_route_and_unknown_paths_are_one_label() {
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    user.get("/api/sessions/7").await;
    user.get("/api/a").await;
    user.get("/api/b").await;
    let requests = "voiceassist_http_requests_total{method=\"GET\",route=";
    for (labels, count) in [
        ("\"none\",code=\"404\"}", 2.0),
        ("\"/api/sessions/{id}\",code=\"404\"}", 1.0),
    ] {
        assert_eq!(
            gateway.metric(&format!("{requests}{labels}")).await,
            Some(count),
            "{labels}"
        );
    }
    let (_, metrics) = gateway.operations("/metrics").await.unwrap();
    for family in [
        "voiceassist_http_request_duration_seconds_bucket{",
        "voiceassist_db_query_duration_seconds_bucket{",
        "voiceassist_db_pool_size 5",
        "voiceassist_db_pool_in_use ",
        "voiceassist_db_pool_overflow ",
        "voiceassist_db_pool_wait_seconds_count",
        "voiceassist_endpoint_query_count_total{route=\"/api/auth/login\"} 3",
        "voiceassist_endpoint_database_time_seconds_count{",
        "voiceassist_response_time_p50_seconds ",
        "voiceassist_response_time_p99_seconds ",
        "voiceassist_websocket_connections 0",
    ] {
        assert!(
            metrics.lines().any(|line| line.starts_with(family)),
            "{family}\n{metrics}"
        );
    }
}

#[tokio::test]
async fn the_queue_is_exported_while_it_is_empty_and_is_absent_while_postgresql_is_away() {
    let mut postgres = Server::postgres().await;
    let url = database_url(postgres.port, "postgres");
    voiceassist::database::migrate(&url).await.unwrap();
    let gateway = crate::support::Process::gateway(&url, &[]).await;
    let depth = async || gateway.metric("voiceassist_queue_depth{queue=\"default\"}").await;
    until("an empty queue is 0", async || {
        (depth().await == Some(0.0)).then_some(())
    })
    .await;
    postgres.kill();
    until("the depth is absent", async || {
        depth().await.is_none().then_some(())
    })
    .await;
    let (code, _) = gateway.operations("/healthz").await.unwrap();
    let (ready, _) = gateway.operations("/readyz").await.unwrap();
    assert_eq!((code, ready), (200, 200), "an outage takes no replica out");
    let login = serde_json::json!({"email": "user0@voiceassist.example", "password": "load-test"});
    let answer = crate::support::Client::new(&gateway.address)
        .post("/api/auth/login", &login)
        .await;
    assert!(answer.is_problem(503), "{answer:?}");
    postgres.start_again().await;
    until("the depth is there again", async || {
        (depth().await == Some(0.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_page_whose_rows_are_read_one_by_one_is_seen_as_n_plus_one() {
    let stack = Stack::new().await;
    let ((usual, one), (each, other)) = tokio::join!(
        stack.gateway(&[]),
        stack.gateway(&["--rows", "each", "--paging", "offset"])
    );
    let admin = one.logged_in("admin0").await;
    let path = "/api/admin/audit-log?limit=20";
    let (together, one_by_one) = tokio::join!(admin.get(path), async {
        other.with_token_of(&admin).get(path).await
    });
    assert_eq!(
        (together.items(), &together.body["items"]),
        (20, &one_by_one.body["items"])
    );
    let warnings = "voiceassist_db_n_plus_one_warnings_total{query=\"audit.one\"}";
    assert_eq!(each.metric(warnings).await, Some(1.0));
    let said = each.log();
    assert!(
        said.iter()
            .any(|line| line.contains("similar queries in one request") && line.contains("audit.one"))
    );
    assert_eq!(
        usual.metric("voiceassist_db_n_plus_one_warnings_total{").await,
        None
    );
}

/// Without these two every metric has a value after a little traffic.
const RARE: [&str; 2] = [
    "voiceassist_db_slow_queries_total",
    "voiceassist_db_n_plus_one_warnings_total",
];

#[tokio::test]
async fn the_table_of_metrics_has_what_the_programs_export_and_nothing_else() {
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&[]).await;
    let worker = stack.worker(&[]).await;
    let user = client.logged_in("user0").await;
    user.get("/api/feature-flags").await;
    user.post("/api/documents", &json!({"name": "n", "text": "asthma"}))
        .await;
    let mut exported = BTreeSet::new();
    until("a job is done and the queue is read", async || {
        for process in [&gateway, &worker] {
            let (_, metrics) = process.operations("/metrics").await?;
            for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
                let (name, kind) = line.split_once(' ').unwrap();
                exported.insert(if kind == "counter" {
                    format!("{name}_total")
                } else {
                    name.to_owned()
                });
            }
        }
        let seen = |name: &str| exported.contains(name);
        (seen("voiceassist_jobs_total") && seen("voiceassist_queue_depth")).then_some(())
    })
    .await;
    let readme = include_str!("../../README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `voiceassist_"));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let listed: BTreeSet<String> = names.map(str::to_owned).collect();
    exported.extend(RARE.map(str::to_owned));
    assert_eq!(exported, listed);
}
