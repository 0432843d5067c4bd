use std::time::Duration;

use super::*;
use crate::{
    model::latencies::Quantiles,
    report::{Lost, Verdict, example, testing},
};

/// Names of all elements of the page. Asserts the rules of XML on the way: each element is closed in the
/// right order, attributes are quoted and unique, and all special characters are escaped.
fn elements(page: &str) -> Vec<String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a doctype");
    let (mut open, mut found): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        entities(&rest[..start]);
        assert!(
            !rest[..start].contains('>') || open.last() == Some(&"style"),
            "{}",
            &rest[..start]
        );
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
            continue;
        }
        let body = tag.strip_suffix('/').unwrap_or(tag);
        let (name, attributes) = body.split_once(' ').unwrap_or((body, ""));
        self::attributes(attributes);
        found.push(name.to_owned());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    found
}

fn attributes(mut text: &str) {
    let mut names = Vec::new();
    while !text.is_empty() {
        let (name, tail) = text.split_once("=\"").expect(text);
        assert!(
            name.chars()
                .all(|char| char.is_ascii_alphabetic() || "-:".contains(char)),
            "{name}"
        );
        assert!(!names.contains(&name), "{name} twice");
        names.push(name);
        let (value, tail) = tail.split_once('"').expect(tail);
        entities(value);
        text = tail.strip_prefix(' ').unwrap_or(tail);
    }
}

fn entities(text: &str) {
    for tail in text.split('&').skip(1) {
        let (entity, _) = tail.split_once(';').expect(tail);
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "{entity}");
    }
}

/// Asserts what holds for every page, and returns the page.
fn checked(report: &Report) -> String {
    let page = render(report);
    let found = elements(&page);
    for forbidden in ["script", "link", "img", "iframe", "object", "image"] {
        assert!(!found.iter().any(|name| name == forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"));
    let outside = page.replace("http://www.w3.org/1999/xhtml", "");
    for forbidden in ["src=", "url(", "@import", "NaN", "inf%", "infinity"] {
        assert!(
            !outside.contains(forbidden),
            "{forbidden} {}",
            around(&outside, forbidden)
        );
    }
    page
}

fn around<'a>(text: &'a str, part: &str) -> &'a str {
    let at = text.find(part).unwrap_or(0);
    text.get(at.saturating_sub(80)..(at + 80).min(text.len()))
        .unwrap_or_default()
}

#[test]
fn a_run_that_scaled_is_told_from_the_verdict_to_the_generator() {
    let page = checked(&example::autoscaling());
    let mut last = 0;
    for words in [
        "FAIL</p>",
        "<b>D</b>",
        "<h1>autoscaling</h1>",
        "http://api-gateway.voiceassist-staging:8080",
        "2026-11-23 09:30:00 UTC, 10m",
        "Why it failed",
        "<b>errors &lt; 1%</b>",
        "503 and refused connections mean too few Ready pods",
        "Ready replicas</dt><dd>2\u{2013}10</dd>",
        ">Timeline</h2>",
        "<b>Load</b>",
        "<b>Latency</b>",
        "objective of the p95, 500ms",
        "<b>Errors</b>",
        "<b>Replicas</b>",
        "bounds 2 to 10",
        "<b>HPA metrics</b>",
        "request-rate",
        "scale-up 3",
        "pod created",
        "HPA condition",
        "2 to 4 replicas, Ready 36.2 s after the load step",
        "Slowest, pods Ready 17.2 s:",
        "shorten initialDelaySeconds",
        "<h2>Checks</h2>",
        "\u{2715} missed",
        ">Latency by percentile</h2>",
        "<b>By percentile</b>",
        "<h2>Answers by status</h2>",
        "Bodies: 0 B sent, 313 MB received.",
        "<h2>Failures by cause</h2>",
        "status 503",
        "FailedGetPodsMetric",
        "<h2>Elasticity</h2>",
        "<h2>The load generator itself</h2>",
    ] {
        let at = page[last..].find(words);
        assert!(
            at.is_some(),
            "{words} is not there, or not below what comes before"
        );
        last += at.unwrap_or(0);
    }
    // A missed check is shown once, with its points, and not again in the list of lost points.
    assert_eq!(page.matches("<b>errors &lt; 1%</b>").count(), 1);
}

#[test]
fn without_a_cluster_there_is_the_load_alone() {
    let page = checked(&testing::passing());
    assert!(
        page.contains("PASS</p>") && page.contains("<b>Load</b>"),
        "{page}"
    );
    for absent in [
        "Replicas",
        "HPA",
        "Scale-ups",
        "Why it",
        "<b>Errors</b>",
        "WebSocket",
        "Elasticity",
    ] {
        assert!(!page.contains(absent), "{absent}: {}", around(&page, absent));
    }
}

#[test]
fn a_run_of_which_nothing_is_known_has_no_figure_of_zero_latency() {
    let page = checked(&example::nothing());
    assert!(page.contains("Latency p95</dt><dd>no answer</dd>"), "{page}");
    assert!(page.contains("none ended"), "{page}");
    assert!(page.contains("stopped after 0s of 0s"), "{page}");
    assert!(!page.contains("<figure"), "{page}");
    let mut strange = example::autoscaling();
    strange.measured.seconds.truncate(1);
    strange.measured.generator.longest_pause = f64::NAN;
    let workload = &mut strange.workloads[0];
    workload.scaling.metrics[0].ratio = Some(f64::NAN);
    workload.scaling.metrics[1].ratio = Some(f64::INFINITY);
    workload.scaling.replicas[0].at = f64::NAN;
    workload.chains[0].links[1].seconds = Some(f64::NAN);
    workload.chains[1].links[1].at = Some(f64::INFINITY);
    workload.chains[2].links.clear();
    checked(&strange);
}

#[test]
fn no_name_from_outside_can_become_markup() {
    let hostile = "\"'><script>alert(1)</script>&amp;\u{0}<!--";
    let mut report = example::autoscaling();
    report.name = hostile.to_owned();
    report.target = hostile.to_owned();
    report.doubts = vec![hostile.to_owned()];
    report.verdict = Verdict::Invalid;
    for check in &mut report.checks {
        (check.name, check.measured, check.hint) =
            (hostile.to_owned(), hostile.to_owned(), Some(hostile.to_owned()));
    }
    report.grade.as_mut().unwrap().lost.push(Lost {
        points: 1.0,
        cause: hostile.to_owned(),
        hint: hostile.to_owned(),
    });
    let total = &mut report.measured.total;
    total.fail(hostile, 3, Some(hostile));
    let step = report.measured.steps.values().next().unwrap().clone();
    report.measured.steps.insert(hostile.to_owned(), step);
    let mut websocket = example::websockets();
    websocket.failures.insert(hostile.to_owned(), 1);
    report.measured.websocket = Some(websocket);
    let workload = &mut report.workloads[0];
    for text in [
        &mut workload.scaling.target,
        &mut workload.scaling.hpa,
        &mut workload.scaling.namespace,
        &mut workload.scaling.metrics[0].name,
    ] {
        hostile.clone_into(text);
    }
    for event in &mut workload.scaling.events {
        (event.object, event.words) = (hostile.to_owned(), hostile.to_owned());
    }
    workload.chains[0].hint = Some(hostile.to_owned());
    let page = checked(&report);
    assert!(!page.contains("alert(1)<"), "{}", around(&page, "alert(1)<"));
    assert!(page.matches("&lt;script&gt;alert(1)").count() > 20);
}

#[test]
fn a_long_run_is_a_small_page_that_hides_no_bad_second() {
    let mut report = example::long(8 * 3600);
    report.measured.seconds[20_001].latency = Some(Quantiles {
        p95: Duration::from_millis(7654),
        ..Quantiles::default()
    });
    let page = checked(&report);
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(
        page.contains("Each point stands for 2m"),
        "{}",
        around(&page, "One axis")
    );
    assert!(page.contains("p95 7.65s"));
    assert!(page.contains("slowest to fastest second"));
}

#[test]
fn several_workloads_are_told_apart() {
    let mut report = example::autoscaling();
    let mut worker = report.workloads[0].clone();
    worker.scaling.target = "deployment/worker".to_owned();
    report.workloads.push(worker);
    let page = checked(&report);
    for words in [
        "slowest of 3 scale-ups, deployment/worker",
        "<small>deployment/worker</small>",
        "scale-up 6",
        "Events of deployment/worker",
        "Ready of deployment/worker",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn users_have_a_panel_and_voice_a_table() {
    let mut report = example::autoscaling();
    report.load_unit = "users";
    report.measured.websocket = Some(example::websockets());
    let page = checked(&report);
    for words in [
        "<b>Users</b>",
        "50 connected, 48 held to their end, 2 failed",
        "voice request to first byte",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn pages_of_every_kind_are_well_formed() {
    let mut voice = example::autoscaling();
    voice.measured.websocket = Some(example::websockets());
    voice.load_unit = "users";
    let mut worker = voice.workloads[0].clone();
    worker.scaling.target = "deployment/worker".to_owned();
    voice.workloads.push(worker);
    for report in [example::long(5400), example::nothing(), testing::passing(), voice] {
        assert!(checked(&report).contains("<h1"));
    }
}
