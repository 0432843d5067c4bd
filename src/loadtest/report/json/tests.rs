use serde_json::Value;

use super::*;
use crate::{
    merge::merge,
    model::{achieved::rate, measured::Fault},
    report::{
        example,
        testing::{failing, passing},
    },
};

#[test]
fn the_fields_that_others_rely_on_are_there_in_seconds() {
    let json: Value = serde_json::from_str(&render(&failing()).unwrap()).unwrap();
    assert_eq!(json["schema_version"], 1);
    let summary = &json["summary"];
    assert_eq!(summary["requests"], 100);
    assert_eq!(summary["errors"], 10);
    assert_eq!(summary["achieved_rate"], 9.0);
    let traffic = &summary["traffic"];
    assert_eq!(traffic["statuses"]["503"], 10);
    assert_eq!(
        (&traffic["bytes_sent"], &traffic["bytes_received"]),
        (&1700.into(), &123_000.into())
    );
    assert_eq!(summary["verdict"], "fail");
    assert_eq!(summary["grade"], "D");
    for latency in ["latency", "service_time"] {
        for quantile in ["p50", "p90", "p95", "p99", "p999", "max"] {
            let value = summary[latency][quantile].as_f64().unwrap();
            assert!((0.01..3.01).contains(&value), "{latency}.{quantile} is {value}");
        }
    }
}

#[test]
fn without_an_answer_latency_is_null_not_zero() {
    let mut report = passing();
    report.measured.total.latency.clear();
    let json: Value = serde_json::from_str(&render(&report).unwrap()).unwrap();
    assert_eq!(json["summary"]["latency"], Value::Null);
}

#[test]
fn what_is_written_is_read_without_loss() {
    let mut report = failing();
    let step = report.measured.steps.get_mut("GET").unwrap();
    step.fail(
        "TLS: the certificate has expired",
        3,
        Some("not valid after 1609459200"),
    );
    report.measured.total = step.clone();
    for requests in [&mut report.measured.total]
        .into_iter()
        .chain(report.measured.steps.values_mut())
    {
        requests.first_due = Some(std::time::Duration::from_millis(250));
        requests
            .first_latency
            .record(std::time::Duration::from_millis(10));
        requests.answered_in_time = 80;
    }
    report.measured.generator.faults = [(Fault::NoLocalPort, 3)].into();
    let stored = read(&render(&report).unwrap()).unwrap();
    let (before, after) = (&report.measured, &stored.measured);
    assert_eq!(after.total.latency.histogram(), before.total.latency.histogram());
    assert_eq!(
        after.schedule_error.histogram(),
        before.schedule_error.histogram()
    );
    assert_eq!(after.total.failures, before.total.failures);
    assert_eq!(
        after.total.failed_latency.histogram(),
        before.total.failed_latency.histogram()
    );
    assert_eq!(rate(&after.total, after), rate(&before.total, before));
    assert!(rate(&after.total, after).is_some_and(|rate| rate < 9.0));
    assert_eq!(after.total.examples, before.total.examples);
    assert_eq!(after.total.traffic, before.total.traffic);
    assert_eq!(after.seconds, before.seconds);
    assert_eq!(after.generator, before.generator);
    assert_eq!(after.end, before.end);
    assert_eq!(after.runs, before.runs);
    assert_eq!(stored.checks, report.checks);
    assert_eq!(stored.load, report.load);
}

#[test]
fn a_report_of_an_earlier_version_is_read_without_the_parts_that_it_does_not_have() {
    let mut json: Value = serde_json::from_str(&render(&failing()).unwrap()).unwrap();
    for step in ["/steps/GET", "/histograms/steps/GET", "/generator"] {
        let step = json.pointer_mut(step).unwrap().as_object_mut().unwrap();
        step.retain(|name, _| {
            ![
                "answered_in_time",
                "first_due_seconds",
                "failed_in_latency",
                "failed_latency",
            ]
            .into_iter()
            .chain(["first_latency", "cpu_share", "faults"])
            .any(|newer| newer == name)
        });
    }
    let measured = read(&json.to_string()).unwrap().measured;
    assert_eq!(rate(&measured.total, &measured), Some(9.0));
    assert_eq!(measured.total.answered_within(std::time::Duration::MAX), 90);
}

#[test]
fn what_was_seen_of_the_cluster_is_written_and_read_too() {
    let report = example::autoscaling();
    let text = render(&report).unwrap();
    // A number is compared to all but its last digit.
    let digits = |workloads| format!("{workloads:.9?}");
    assert_eq!(digits(&read(&text).unwrap().workloads), digits(&report.workloads));
    let json: Value = serde_json::from_str(&text).unwrap();
    let workload = &json["workloads"][0];
    assert_eq!(workload["max_replicas"], 10);
    assert_eq!(workload["events"][0]["kind"], "pod_created");
    assert_eq!(workload["chains"][0]["slowest"], "ready");
    assert_eq!(workload["chains"][0]["links"][7]["at"], Value::Null);
    assert_eq!(json["checks"][4]["area"], "time_to_scale");
}

#[test]
fn a_ratio_that_is_no_number_is_none() {
    let mut report = example::autoscaling();
    report.workloads[0].scaling.metrics[0].ratio = Some(f64::INFINITY);
    let read = read(&render(&report).unwrap()).unwrap();
    assert_eq!(read.workloads[0].scaling.metrics[0].ratio, None);
}

/// A report of a version that did not count something can still be shown, compared and merged.
#[test]
fn a_report_without_what_was_added_later_is_read_and_says_that_it_is_not_known() {
    let mut report = failing();
    report.measured.websocket = Some(example::websockets());
    let mut old: Value = serde_json::from_str(&render(&report).unwrap()).unwrap();
    for (place, added) in [
        ("/summary", &["traffic", "failed_in_latency"][..]),
        (
            "/steps/GET",
            &[
                "examples",
                "traffic",
                "failed_in_latency",
                "answered_in_time",
                "first_due_seconds",
            ],
        ),
        ("/histograms/steps/GET", &["failed_latency", "first_latency"]),
        ("/generator", &["faults"]),
        ("/websocket", &["held", "messages_unanswered", "ping"]),
        ("/histograms/websocket", &["ping"]),
    ] {
        let object = old.pointer_mut(place).and_then(Value::as_object_mut).unwrap();
        for field in added {
            assert!(object.remove(*field).is_some(), "{place}/{field}");
        }
    }
    let stored = read(&old.to_string()).unwrap();
    let total = &stored.measured.total;
    assert_eq!((total.failures["status 503"], &total.traffic), (10, &None));
    let websocket = stored.measured.websocket.as_ref().unwrap();
    assert_eq!(
        (websocket.connected, websocket.held, websocket.unanswered),
        (50, None, None)
    );
    let now = read(&render(&passing()).unwrap()).unwrap();
    let merged = merge(vec![stored, now]).unwrap();
    assert_eq!(
        (merged.measured.total.due, merged.measured.total.traffic),
        (200, None)
    );
}

/// Such a report is left when a disk was full or a copy was ended.
#[test]
fn a_truncated_report_is_refused_as_such() {
    let whole = render(&passing()).unwrap();
    for part in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], ""] {
        let error = read(part).unwrap_err().to_string();
        assert!(error.contains("it ends before its end"), "{error}");
    }
}

#[test]
fn what_is_no_report_of_this_version_is_refused_in_words() {
    let newer = render(&passing())
        .unwrap()
        .replace("\"schema_version\": 1", "\"schema_version\": 2");
    let damaged = {
        let mut json: Value = serde_json::from_str(&render(&passing()).unwrap()).unwrap();
        json["histograms"]["steps"]["GET"]["latency"] = "AAAA".into();
        json.to_string()
    };
    let changed = |pointer: &str, value: u64| {
        let mut json: Value = serde_json::from_str(&render(&passing()).unwrap()).unwrap();
        *json.pointer_mut(pointer).unwrap() = value.into();
        json.to_string()
    };
    let (far, huge) = (
        changed("/seconds/3/at", 4_294_967_290),
        changed("/steps/GET/requests", u64::MAX),
    );
    for (text, words) in [
        (far.as_str(), "seconds[3].at is 4294967290"),
        (huge.as_str(), "18446744073709551615 is not a count of requests"),
        ("{}", "not a report of vas test"),
        ("<html>", "not a report of vas test"),
        (newer.as_str(), "its schema_version is 2, and this vas reads 1"),
        (damaged.as_str(), "the histogram of GET is damaged"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
