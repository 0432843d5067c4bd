//! What single panels show where something is wrong, and in which colour.

use serde_json::{Value, json};

use super::{Form, written};

/// A panel of a board, as it is written.
fn panel(title: &str) -> Value {
    let boards = written(Form::Provisioned);
    let mut panels = boards
        .iter()
        .flat_map(|board| board["panels"].as_array().unwrap());
    let found = panels.find(|panel| panel["type"] != "row" && panel["title"] == title);
    found
        .unwrap_or_else(|| panic!("there is no panel {title}"))
        .clone()
}

/// The expressions of a panel.
fn exprs(title: &str) -> Vec<String> {
    let panel = panel(title);
    let targets = panel["targets"].as_array().unwrap().iter();
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect()
}

/// The colours of a panel, each with the value from which on it is shown.
fn colors(title: &str) -> Vec<(Option<f64>, String)> {
    let panel = panel(title);
    let steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        .as_array()
        .unwrap();
    steps
        .iter()
        .map(|step| (step["value"].as_f64(), step["color"].as_str().unwrap().to_owned()))
        .collect()
}

fn colored(title: &str, wanted: &[(Option<f64>, &str)]) {
    let wanted: Vec<(Option<f64>, String)> = wanted
        .iter()
        .map(|(from, color)| (*from, (*color).to_owned()))
        .collect();
    assert_eq!(colors(title), wanted, "{title}");
}

#[test]
fn an_installation_without_a_leader_or_a_metrics_server_is_red() {
    colored(
        "Leaders",
        &[(None, "red"), (Some(1.0), "green"), (Some(2.0), "red")],
    );
    colored("Replicas", &[(None, "red"), (Some(1.0), "green")]);
    for title in ["Leaders", "Replicas"] {
        assert_eq!(panel(title)["fieldConfig"]["defaults"]["noValue"], "none scraped");
    }
}

#[test]
fn a_resource_that_nobody_handled_is_neither_ready_nor_up_to_date() {
    let [not_ready] = exprs("Not Ready").try_into().unwrap();
    let unhandled = "unless on (namespace, scaling) max by (namespace, scaling) \
                     (vas_scaling_condition{namespace=~\"$namespace\", type=\"Ready\"})";
    assert!(not_ready.contains(unhandled), "{not_ready}");
    let listed = exprs("Conditions that are not fine");
    assert!(listed.iter().any(|expr| expr.contains(unhandled)), "{listed:?}");
    let [behind] = exprs("Changes not seen yet").try_into().unwrap();
    let unseen = "unless on (namespace, scaling) max by (namespace, scaling) \
                  (vas_scaling_observed_generation{namespace=~\"$namespace\"})";
    assert!(behind.contains(unseen), "{behind}");
}

#[test]
fn a_replica_that_never_had_an_answer_is_counted_in_red() {
    let title = "Since Prometheus answered";
    let [_, never] = exprs(title).try_into().unwrap();
    assert_eq!(
        never,
        "count(vas_metrics_server_latest_answer_timestamp_seconds == 0)"
    );
    let overrides = &panel(title)["fieldConfig"]["overrides"][0];
    assert_eq!(overrides["matcher"]["options"], "B");
    let steps = json!([{"value": null, "color": "green"}, {"value": 1, "color": "red"}]);
    assert_eq!(
        overrides["properties"][0],
        json!({"id": "unit", "value": "short"})
    );
    assert_eq!(overrides["properties"][1]["value"]["steps"], steps);
}

#[test]
fn a_certificate_that_ends_is_seen_before_and_after() {
    let title = "Certificate is valid for";
    assert_eq!(panel(title)["type"], "stat");
    colored(
        title,
        &[
            (None, "red"),
            (Some(86_400.0), "orange"),
            (Some(604_800.0), "green"),
        ],
    );
}

#[test]
fn shares_of_failures_see_the_first_burst() {
    for title in ["Failed", "Part of requests that fail", "Failures by cause"] {
        let exprs = exprs(title);
        let failed = "vas_test_latency_seconds_count{scenario=~\"$scenario\", outcome=\"failed\"}";
        assert!(
            exprs.iter().any(|expr| expr.contains(failed)),
            "{title}: {exprs:?}"
        );
    }
}

/// What "All" of a variable stands for, and its query.
fn variable(name: &str) -> Vec<(Option<String>, String)> {
    let of_board = |board: &Value| {
        let mut variables = board["templating"]["list"].as_array().unwrap().iter();
        let found = variables.find(|variable| variable["name"] == name).unwrap();
        let query = found["query"]["query"].as_str().unwrap().to_owned();
        (found["allValue"].as_str().map(str::to_owned), query)
    };
    written(Form::Provisioned).iter().map(of_board).collect()
}

#[test]
fn a_chosen_workload_narrows_the_pods() {
    for (all, query) in variable("pod") {
        assert_eq!(all, None, "All has to be the pods of the chosen workload");
        assert!(query.contains("workload=~\"$workload\""), "{query}");
    }
}

#[test]
fn namespaces_and_pods_are_found_without_the_operator_and_the_metrics_server() {
    for name in ["namespace", "pod"] {
        for (all, query) in variable(name) {
            assert_eq!(all, None, "{name}");
            assert!(query.contains("|voiceassist_queue_depth\""), "{name}: {query}");
        }
    }
}

#[test]
fn a_detail_is_shown_by_its_name() {
    assert_eq!(panel("Exported detail")["options"]["textMode"], "name");
}

#[test]
fn lookups_that_hit_are_those_of_the_page_on_tuning() {
    let page = include_str!("../../../../../docs/tuning.md");
    let [shown] = exprs("Part of lookups that hit").try_into().unwrap();
    for matchers in ["tier!=\"l3\",result=~\"hit|stale\"", "tier!=\"l3\""] {
        let series = format!("voiceassist_cache_requests_total{{{matchers}}}");
        assert!(page.contains(&series), "docs/tuning.md has no {series}");
        let matchers = matchers.replace(',', ", ");
        let series = format!(
            "voiceassist_cache_requests_total{{namespace=~\"$namespace\", pod=~\"$pod\", {matchers}}}"
        );
        assert!(shown.contains(&series), "{shown}");
    }
}

#[test]
fn a_workload_with_one_size_is_not_limited() {
    let fixed = "unless on (namespace, scaling, workload) max by (namespace, scaling, workload) \
                 (vas_workload_replicas_min{namespace=~\"$namespace\", workload=~\"$workload\"}) >= ";
    for title in ["At maxReplicas", "At minReplicas", "Limited by bounds"] {
        let [shown] = exprs(title).try_into().unwrap();
        assert!(shown.contains(fixed), "{title}: {shown}");
    }
}

#[test]
fn a_rescale_is_in_one_bar() {
    let panel = panel("Rescales");
    assert_eq!(panel["fieldConfig"]["defaults"]["custom"]["drawStyle"], "bars");
    let [shown] = exprs("Rescales").try_into().unwrap();
    assert!(shown.contains("[$__interval]"), "{shown}");
}
