//! A scrape shows what the run measured.

use std::time::Duration;

use prometheus_client::encoding::text::encode;

use super::*;
use vas_core::monitoring::families::{Exporter, Unit};

use crate::{
    engine::StepDetail,
    http::Failure,
    model::latencies::Quantiles,
    scenario::{
        model::Think,
        quick::{self, Level},
    },
};

fn shown(exposition: &Exposition) -> Vec<String> {
    let mut text = String::new();
    encode(&mut text, &exposition.registry()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn scenario(level: Level) -> Arc<Scenario> {
    Arc::new(quick::scenario(level, Duration::from_secs(60), true, Vec::new()))
}

fn detail() -> Detail {
    let mut latency = Buckets::default();
    for milliseconds in [4, 40] {
        latency.record(Duration::from_millis(milliseconds));
    }
    let mut failed_latency = Buckets::default();
    failed_latency.record(Duration::from_secs(20));
    let step = StepDetail {
        due: 4,
        answered: 2,
        retried: 1,
        failures: BTreeMap::from([(Failure::Status(503), 1)]),
        latency,
        failed_latency,
    };
    let mut schedule_error = Buckets::default();
    schedule_error.record(Duration::from_micros(70));
    Detail {
        steps: vec![step],
        schedule_error,
    }
}

fn contains(lines: &[String], wanted: &[&str]) {
    for line in wanted {
        assert!(
            lines.iter().any(|found| found == line),
            "{line}\nnot in\n{lines:#?}"
        );
    }
}

#[test]
fn seconds_add_up_and_causes_are_told_apart() {
    let exposition = Exposition::new();
    let steps = ["a \"step\"".to_owned()];
    exposition.begin(&scenario(Level::Rate(50.0)), &steps);
    for at in 0..2 {
        let millisecond = Duration::from_millis(1);
        let second = Second {
            at,
            concurrency: 3,
            latency: Some(Quantiles {
                p95: 40 * millisecond,
                ..Quantiles::default()
            }),
            generator_cpu: Some(0.25),
            ..Second::default()
        };
        exposition.second(&steps, &second, &detail());
    }
    contains(
        &shown(&exposition),
        &[
            r#"vas_test_requests_due_total{scenario="quick",step="a \"step\""} 8"#,
            r#"vas_test_requests_retried_total{scenario="quick",step="a \"step\""} 2"#,
            r#"vas_test_requests_total{scenario="quick",step="a \"step\"",outcome="answered",cause=""} 4"#,
            r#"vas_test_requests_total{scenario="quick",step="a \"step\"",outcome="failed",cause="status 503"} 2"#,
            r#"vas_test_latency_seconds_bucket{le="0.005",scenario="quick",step="a \"step\"",outcome="answered"} 2"#,
            r#"vas_test_latency_seconds_bucket{le="+Inf",scenario="quick",step="a \"step\"",outcome="answered"} 4"#,
            r#"vas_test_latency_seconds_count{scenario="quick",step="a \"step\"",outcome="answered"} 4"#,
            r#"vas_test_latency_seconds_count{scenario="quick",step="a \"step\"",outcome="failed"} 2"#,
            r#"vas_test_schedule_error_seconds_bucket{le="0.0001",scenario="quick"} 2"#,
            r#"vas_test_last_second_latency_seconds{scenario="quick",quantile="0.95"} 0.04"#,
            r#"vas_test_planned_rate{scenario="quick"} 50.0"#,
            r#"vas_test_concurrency{scenario="quick"} 3.0"#,
            r#"vas_test_elapsed_seconds{scenario="quick"} 2.0"#,
            r#"vas_test_generator_cpu_ratio{scenario="quick"} 0.25"#,
        ],
    );
}

#[test]
fn before_the_first_second_there_are_zeros_and_no_latency() {
    let exposition = Exposition::new();
    let is_of_run = |line: &String| line.starts_with("vas_test_");
    assert!(!shown(&exposition).iter().any(is_of_run));
    exposition.begin(&scenario(Level::Users(5.0, Think::default())), &["a".to_owned()]);
    let lines = shown(&exposition);
    contains(
        &lines,
        &[
            r#"vas_test_requests_due_total{scenario="quick",step="a"} 0"#,
            r#"vas_test_requests_total{scenario="quick",step="a",outcome="answered",cause=""} 0"#,
            r#"vas_test_planned_users{scenario="quick"} 5.0"#,
        ],
    );
    assert!(
        !lines.iter().any(|line| line.contains("last_second")),
        "{lines:#?}"
    );
}

#[test]
fn every_family_is_exposed_as_its_table_says() {
    let mut text = String::new();
    for level in [Level::Rate(50.0), Level::Users(5.0, Think::default())] {
        let exposition = Exposition::new();
        let steps = ["a".to_owned()];
        exposition.begin(&scenario(level), &steps);
        let second = Second {
            latency: Some(Quantiles::default()),
            generator_cpu: Some(0.25),
            ..Second::default()
        };
        exposition.second(&steps, &second, &detail());
        text.push_str(&shown(&exposition).join("\n"));
        text.push('\n');
    }
    let mut exposed = BTreeMap::new();
    // A run plans a rate or users, so the families of two runs are taken together.
    for part in text.split("# EOF\n") {
        exposed.extend(support::exposition::families(part));
    }
    let wanted = [Exporter::LoadTest, Exporter::Every]
        .into_iter()
        .flat_map(Exporter::families)
        .map(|family| support::exposition::Listed {
            name: family.name,
            kind: family.kind.as_str(),
            unit: family.unit.map(Unit::as_str),
            help: family.help,
            labels: family.labels,
        });
    assert_eq!(exposed, support::exposition::wanted(wanted));
}
