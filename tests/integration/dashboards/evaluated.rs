//! Queries of the boards in Prometheus' own evaluation: promtool runs them on series that are made up, in the situations
//! in which a board must not say that all is well.

use std::process::{Command, Output};

use serde_json::{Value, json};

use support::cluster::{promtool, root, run_dir};

/// One query in one situation.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// The title of the panel, or the name of the annotation.
    shown: &'static str,
    /// Which of its queries.
    query: usize,
    /// The situation in words.
    when: &'static str,
    /// Series and their values every 15 s from 0 on, in promtool's notation.
    series: &'static [(&'static str, &'static str)],
    /// When it is looked.
    at: &'static str,
    /// The sum of the samples then; `None` where there is none.
    sum: Option<f64>,
}

const fn case(
    (shown, query): (&'static str, usize),
    when: &'static str,
    series: &'static [(&'static str, &'static str)],
    at: &'static str,
    sum: Option<f64>,
) -> Case {
    Case {
        shown,
        query,
        when,
        series,
        at,
        sum,
    }
}

const RESOURCE: &str = "vas_scaling_info{namespace=\"ns\", scaling=\"v\", environment=\"\"}";
const READY: &str = "vas_scaling_condition{namespace=\"ns\", scaling=\"v\", type=\"Ready\", status=\"True\", reason=\"AllReady\"}";
const GENERATION: &str = "vas_scaling_generation{namespace=\"ns\", scaling=\"v\"}";
const OBSERVED: &str = "vas_scaling_observed_generation{namespace=\"ns\", scaling=\"v\"}";
const LEADER_A: &str = "vas_operator_leader{instance=\"a\", job=\"vas\"}";
const LEADER_B: &str = "vas_operator_leader{instance=\"b\", job=\"vas\"}";
const ANSWER_A: &str = "vas_metrics_server_latest_answer_timestamp_seconds{instance=\"a\"}";
const ANSWER_B: &str = "vas_metrics_server_latest_answer_timestamp_seconds{instance=\"b\"}";
const EXPIRY: &str = "vas_metrics_server_certificate_expiry_timestamp_seconds";
const ANSWERED: &str = "vas_test_latency_seconds_count{scenario=\"s\", step=\"get\", outcome=\"answered\"}";
const FAILED: &str = "vas_test_latency_seconds_count{scenario=\"s\", step=\"get\", outcome=\"failed\"}";
const CAUSE: &str =
    "vas_test_requests_total{scenario=\"s\", step=\"get\", outcome=\"failed\", cause=\"timeout\"}";
const CPU: &str = "pod_cpu_usage_seconds_total{namespace=\"ns\", pod=\"api-1\"}";
const POD: &str = "vas_pod_info{namespace=\"ns\", pod=\"api-1\", scaling=\"v\", workload=\"api\"}";
const POD_AGAIN: &str = "vas_pod_info{namespace=\"ns\", pod=\"api-1\", scaling=\"other\", workload=\"api\"}";
const LIMITED: &str = "vas_workload_condition{namespace=\"ns\", scaling=\"v\", workload=\"api\", \
                       type=\"ScalingLimited\", status=\"True\", reason=\"TooManyReplicas\"}";
const MIN: &str = "vas_workload_replicas_min{namespace=\"ns\", scaling=\"v\", workload=\"api\"}";
const MAX: &str = "vas_workload_replicas_max{namespace=\"ns\", scaling=\"v\", workload=\"api\"}";

const NOT_READY: (&str, usize) = ("Not Ready", 0);
const UNSEEN: (&str, usize) = ("Changes not seen yet", 0);
const NEVER: (&str, usize) = ("Since Prometheus answered", 1);
const LEADERS: (&str, usize) = ("Leader changes", 0);
const BOUNDS: (&str, usize) = ("Limited by bounds", 0);

const CASES: &[Case] = &[
    case(
        NOT_READY,
        "nobody handled it",
        &[(RESOURCE, "1x20")],
        "5m",
        Some(1.0),
    ),
    case(
        NOT_READY,
        "it is Ready",
        &[(RESOURCE, "1x20"), (READY, "1x20")],
        "5m",
        Some(0.0),
    ),
    case(
        ("Conditions that are not fine", 2),
        "nobody handled it",
        &[(RESOURCE, "1x20")],
        "5m",
        Some(1.0),
    ),
    case(
        UNSEEN,
        "nobody handled it",
        &[(GENERATION, "1x20")],
        "5m",
        Some(1.0),
    ),
    case(
        UNSEEN,
        "it changed",
        &[(GENERATION, "2x20"), (OBSERVED, "1x20")],
        "5m",
        Some(1.0),
    ),
    case(
        UNSEEN,
        "it was seen",
        &[(GENERATION, "2x20"), (OBSERVED, "2x20")],
        "5m",
        Some(0.0),
    ),
    case(
        NEVER,
        "a replica had no answer",
        &[(ANSWER_A, "0x20"), (ANSWER_B, "290x20")],
        "5m",
        Some(1.0),
    ),
    case(
        NEVER,
        "each had one",
        &[(ANSWER_A, "290x20"), (ANSWER_B, "290x20")],
        "5m",
        None,
    ),
    case(
        ("Certificate is valid for", 0),
        "it has ended",
        &[(EXPIRY, "0x20")],
        "5m",
        Some(-300.0),
    ),
    case(
        ("Failed", 0),
        "all failures come between two scrapes",
        &[
            (ANSWERED, "0 0 0 1000x20"),
            (FAILED, "0 0 0 3000x20"),
            (CAUSE, "_ _ _ 3000x20"),
        ],
        "5m",
        Some(0.75),
    ),
    case(
        ("Part of requests that fail", 0),
        "all failures come between two scrapes",
        &[
            (ANSWERED, "0 0 0 1000x20"),
            (FAILED, "0 0 0 3000x20"),
            (CAUSE, "_ _ _ 3000x20"),
        ],
        "45s",
        Some(0.75),
    ),
    case(
        ("Processors by workload", 0),
        "a pod seems to belong to two workloads",
        &[(CPU, "0+15x20"), (POD, "1x20"), (POD_AGAIN, "1x20")],
        "5m",
        Some(1.0),
    ),
    case(LEADERS, "the first scrape", &[(LEADER_A, "1x20")], "0s", None),
    case(
        LEADERS,
        "a replica begins to lead, and nobody led before",
        &[(LEADER_A, "0 1x20")],
        "15s",
        None,
    ),
    case(
        LEADERS,
        "a scrape of the leader failed",
        &[(LEADER_A, "1 1 stale 1x20")],
        "45s",
        None,
    ),
    case(
        LEADERS,
        "another one leads",
        &[(LEADER_A, "1 1 0x20"), (LEADER_B, "0 0 1x20")],
        "30s",
        Some(1.0),
    ),
    case(
        LEADERS,
        "another one leads for a while",
        &[(LEADER_A, "1 1 0x20"), (LEADER_B, "0 0 1x20")],
        "45s",
        None,
    ),
    case(
        LEADERS,
        "a new pod leads after a gap",
        &[(LEADER_A, "1 1 stale"), (LEADER_B, "_ _ _ _ 1x20")],
        "1m",
        Some(1.0),
    ),
    case(
        BOUNDS,
        "it is at maxReplicas",
        &[(LIMITED, "1x20"), (MIN, "1x20"), (MAX, "4x20")],
        "5m",
        Some(3.0),
    ),
    case(
        BOUNDS,
        "its bounds are equal",
        &[(LIMITED, "1x20"), (MIN, "4x20"), (MAX, "4x20")],
        "5m",
        None,
    ),
];

/// The expression of a query with the variables as a viewer of everything has them.
fn expr((shown, query): (&str, usize)) -> String {
    let boards = super::boards(&root().join(super::FOLDER));
    let boards = boards
        .values()
        .map(|text| serde_json::from_str::<Value>(text).unwrap());
    let found = boards.flat_map(|board| {
        let panels = board["panels"].as_array().unwrap().clone();
        let panels = panels.into_iter().filter(|panel| panel["title"] == shown);
        let of_panels = panels.map(|panel| panel["targets"][query]["expr"].clone());
        let annotations = board["annotations"]["list"].as_array().unwrap().clone();
        let annotations = annotations.into_iter().filter(|one| one["name"] == shown);
        of_panels
            .chain(annotations.map(|one| one["expr"].clone()))
            .collect::<Vec<_>>()
    });
    let found = found.collect::<Vec<_>>();
    let text = found.first().and_then(Value::as_str);
    let text = text.unwrap_or_else(|| panic!("there is no query {query} of {shown}"));
    [
        ("$__rate_interval", "1m"),
        ("$__interval", "15s"),
        ("$__range", "5m"),
        ("$namespace", ".*"),
        ("$workload", ".*"),
        ("$pod", ".*"),
        ("$scenario", ".*"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn tested(name: &str, cases: &[Case]) -> Output {
    let tests: Vec<Value> = cases
        .iter()
        .map(|case| {
            let series = case.series.iter();
            let series: Vec<Value> = series
                .map(|(series, values)| json!({"series": series, "values": values}))
                .collect();
            let samples: Vec<Value> = case
                .sum
                .iter()
                .map(|sum| json!({"labels": "{}", "value": sum}))
                .collect();
            let expr = format!("sum({})", expr((case.shown, case.query)));
            json!({
                "name": format!("{}: {}", case.shown, case.when),
                "interval": "15s",
                "input_series": series,
                "promql_expr_test": [{"expr": expr, "eval_time": case.at, "exp_samples": samples}],
            })
        })
        .collect();
    std::fs::create_dir_all(run_dir()).unwrap();
    let file = run_dir().join(name);
    // JSON is YAML.
    let text = json!({"evaluation_interval": "15s", "fuzzy_compare": true, "tests": tests}).to_string();
    std::fs::write(&file, text).unwrap();
    Command::new(promtool())
        .args(["test", "rules"])
        .arg(file)
        .output()
        .expect("promtool starts")
}

#[test]
fn what_is_wrong_is_shown() {
    let output = tested("boards.yaml", CASES);
    let mut found = String::from_utf8_lossy(&output.stdout).into_owned();
    found.push_str(&String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{found}");
}

#[test]
fn a_case_that_is_wrong_is_found() {
    let wrong = Case {
        sum: Some(0.0),
        ..CASES[0]
    };
    assert!(!tested("boards-wrong.yaml", &[wrong]).status.success());
}
