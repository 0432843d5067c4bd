use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;

fn missing(name: &str, missing: Missing) -> Health {
    Health {
        missing: Some(missing),
        ..fresh(name)
    }
}

fn fresh(name: &str) -> Health {
    Health {
        name: name.to_owned(),
        missing: None,
        notes: Vec::new(),
    }
}

fn too_old(age: u64, failure: Option<Failure>) -> Missing {
    Missing::TooOld {
        age: Duration::from_secs(age),
        max_age: Duration::from_secs(120),
        failure,
    }
}

#[test]
fn every_metric_without_a_value_is_named_with_its_cause_and_no_age() {
    let refused = Some(Failure::Prometheus("connection refused".into()));
    let metrics = |age| {
        [
            fresh("api-gateway/request-rate"),
            missing("worker/queue-depth", too_old(age, refused.clone())),
            missing("worker/queue-age", Missing::NoSeries(None)),
        ]
    };
    let verdict_now = verdict(&metrics(130)).unwrap();
    assert_eq!(
        (verdict_now.status, verdict_now.reason),
        ("False", "PrometheusUnavailable")
    );
    assert_eq!(
        verdict_now.message,
        "worker/queue-depth: last sample older than maxAge 2m; Prometheus: connection refused; \
         worker/queue-age: Prometheus has no series for it"
    );
    assert_eq!(verdict(&metrics(999)), Some(verdict_now));
}

#[test]
fn missing_data_of_a_prometheus_that_works_is_another_reason() {
    let verdict = verdict(&[missing("worker/queue-depth", Missing::NoSeries(None))]).unwrap();
    assert_eq!(verdict.reason, "MetricsMissing");
}

#[test]
fn nothing_is_said_before_the_first_poll() {
    assert_eq!(
        verdict(&[missing("worker/queue-depth", Missing::NotPolled)]),
        None
    );
}

#[test]
fn fresh_metrics_and_no_metrics_are_both_available() {
    assert_eq!(verdict(&[fresh("a/b")]).unwrap().reason, "MetricsFresh");
    assert_eq!(verdict(&[]).unwrap().reason, "NoPrometheusMetrics");
}

#[test]
fn a_message_stays_short_however_many_metrics_are_missing() {
    let many: Vec<_> = (0..200)
        .map(|n| missing(&format!("w/m{n}"), Missing::NoSeries(None)))
        .collect();
    assert!(verdict(&many).unwrap().message.ends_with("; and 195 more"));
}

#[test]
fn what_is_noteworthy_is_named_and_changes_no_status() {
    let noted = |missing| Health {
        missing,
        notes: vec!["no series, which onMissing: Zero takes for zero".to_owned()],
        ..fresh("worker/depth")
    };
    let zeroed = verdict(&[fresh("a/b"), noted(None)]).unwrap();
    assert_eq!((zeroed.status, zeroed.reason), ("True", "MetricsFresh"));
    assert_eq!(
        zeroed.message,
        "2 metrics from Prometheus; worker/depth: no series, which onMissing: Zero takes for zero"
    );
    let missing = verdict(&[noted(Some(Missing::Gap))]).unwrap();
    assert_eq!(missing.status, "False");
    assert!(
        missing.message.ends_with("Zero takes for zero"),
        "{}",
        missing.message
    );
    let many = Health {
        notes: (0..100).map(|n| n.to_string()).collect(),
        ..fresh("a/b")
    };
    assert!(verdict(&[many]).unwrap().message.ends_with("a/b: 4; and 95 more"));
}

const VERDICT: Verdict = Verdict {
    status: "False",
    reason: "MetricsMissing",
    message: String::new(),
};

fn standing(status: &str, message: &str) -> Condition {
    Condition {
        type_: "MetricsAvailable".to_owned(),
        status: status.to_owned(),
        reason: VERDICT.reason.to_owned(),
        message: message.to_owned(),
        observed_generation: Some(1),
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
    }
}

fn due(settling: &mut Settling, standing: Option<&Condition>, message: &str, now: u64) -> bool {
    let verdict = Verdict {
        message: message.to_owned(),
        ..VERDICT
    };
    settling.is_due(&key(), standing, &verdict, Some(1), Duration::from_secs(now))
}

#[test]
fn the_first_verdict_is_written_at_once() {
    assert!(due(&mut Settling::default(), None, "a", 0));
}

#[test]
fn an_equal_condition_is_never_written_again_except_for_a_new_generation() {
    let mut settling = Settling::default();
    assert!(!due(&mut settling, Some(&standing("False", "a")), "a", 100));
    let older = Condition {
        observed_generation: Some(0),
        ..standing("False", "a")
    };
    assert!(due(&mut settling, Some(&older), "a", 100));
}

#[test]
fn another_status_must_last_even_while_its_words_change() {
    let mut settling = Settling::default();
    let before = standing("True", "");
    assert!(!due(&mut settling, Some(&before), "a", 10));
    assert!(!due(&mut settling, Some(&before), "b", 14));
    assert!(due(&mut settling, Some(&before), "a", 15));
}

#[test]
fn a_blip_is_forgotten() {
    let mut settling = Settling::default();
    assert!(!due(&mut settling, Some(&standing("True", "")), "a", 10));
    assert!(!due(&mut settling, Some(&standing("False", "a")), "a", 12));
    assert!(!due(&mut settling, Some(&standing("True", "")), "a", 16));
}

#[test]
fn words_alone_are_rewritten_only_when_they_stay() {
    let mut settling = Settling::default();
    let before = standing("False", "a");
    assert!(!due(&mut settling, Some(&before), "b", 0));
    assert!(!due(&mut settling, Some(&before), "c", 20));
    assert!(!due(&mut settling, Some(&before), "c", 49));
    assert!(due(&mut settling, Some(&before), "c", 50));
}

fn key() -> ScalingKey {
    ScalingKey {
        namespace: "ns".to_owned(),
        name: "cr".to_owned(),
    }
}

fn tried(settling: &mut Settling, message: &str, success: bool, now: u64) {
    let verdict = Verdict {
        message: message.to_owned(),
        ..VERDICT
    };
    settling.tried(&key(), &verdict, Some(1), success, 0.0, Duration::from_secs(now));
}

#[test]
fn what_was_written_is_not_written_again_before_the_watch_shows_it() {
    let mut settling = Settling::default();
    tried(&mut settling, "a", true, 0);
    assert!(!due(&mut settling, None, "a", 1));
    assert!(due(&mut settling, None, "b", 1), "another verdict is news");
    assert!(due(&mut settling, None, "a", 60), "the write was lost");
}

#[test]
fn what_the_watch_has_shown_may_be_written_again_when_somebody_changed_it() {
    let mut settling = Settling::default();
    tried(&mut settling, "a", true, 0);
    assert!(!due(&mut settling, Some(&standing("False", "a")), "a", 1));
    assert!(due(&mut settling, None, "a", 2));
}

#[test]
fn after_errors_it_is_tried_less_and_less_often() {
    let mut settling = Settling::default();
    tried(&mut settling, "a", false, 0);
    assert!(!due(&mut settling, None, "a", 0));
    assert!(due(&mut settling, None, "a", 1));
    tried(&mut settling, "a", false, 1);
    assert!(!due(&mut settling, None, "b", 2));
    assert!(due(&mut settling, None, "b", 3));
}
