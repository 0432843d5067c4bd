use proptest::prelude::*;

use super::*;

/// A threshold on all requests, with the sign that its bound usually has.
fn threshold_of(bound: Bound) -> Threshold {
    Threshold {
        step: None,
        bound,
        inclusive: is_lower(bound),
    }
}

#[test]
fn each_form_is_read_and_written_as_it_was() {
    for (text, bound) in [
        (
            "latency p95 < 500ms",
            Bound::Latency(0.95, Duration::from_millis(500)),
        ),
        ("latency max < 2s", Bound::Latency(1.0, Duration::from_secs(2))),
        (
            "within 500ms >= 95%",
            Bound::Within(Duration::from_millis(500), 0.95),
        ),
        ("latency mean < 1.5s", Bound::Mean(Duration::from_millis(1500))),
        ("errors < 1%", Bound::Errors(0.01)),
        ("errors < 10", Bound::Failed(10)),
        ("requests >= 1000", Bound::Requests(1000)),
        ("retried < 1%", Bound::Retried(0.01)),
        ("rate >= 95/s", Bound::Rate(95.0)),
        ("trend < 10%/h", Bound::Trend(0.1)),
    ] {
        let threshold: Threshold = text.parse().unwrap();
        assert_eq!(threshold, threshold_of(bound));
        assert_eq!(threshold.to_string(), text);
        let of_step: Threshold = format!("step log in: {text}").parse().unwrap();
        assert_eq!(of_step.step.as_deref(), Some("log in"));
        assert_eq!(of_step.to_string(), format!("step log in: {text}"));
    }
}

#[test]
fn bounds_on_websockets_are_read_and_written_as_they_were() {
    let limit = Duration::from_millis(200);
    for (text, bound) in [
        (
            "ws_rtt p95 < 200ms",
            Bound::Socket(SocketTime::RoundTrip, 0.95, limit),
        ),
        (
            "ws_connect max < 200ms",
            Bound::Socket(SocketTime::Connect, 1.0, limit),
        ),
        ("ws_ping p50 < 200ms", Bound::Socket(SocketTime::Ping, 0.5, limit)),
        ("ws_held >= 99.5%", Bound::Held(0.995)),
        ("ws_held >= 50", Bound::HeldAtOnce(50)),
    ] {
        let threshold: Threshold = text.parse().unwrap();
        assert_eq!(threshold, threshold_of(bound));
        assert_eq!(threshold.to_string(), text);
    }
    for text in ["ws_held >= 0", "ws_held >= -1", "ws_held < 5", "ws_rtt < 200ms"] {
        let error = text.parse::<Threshold>().unwrap_err().to_string();
        assert!(error.contains("ws_rtt p95 < 200ms"), "{text}: {error}");
    }
}

#[test]
fn the_sign_says_whether_the_limit_itself_holds_and_spaces_are_free() {
    for (text, written) in [
        ("latency p95<=500ms", "latency p95 <= 500ms"),
        ("  latency   p(95)<500ms ", "latency p95 < 500ms"),
        ("latency avg<200ms", "latency mean < 200ms"),
        ("latency med <200ms", "latency p50 < 200ms"),
        ("latency p95 < 500 ms", "latency p95 < 500ms"),
        ("errors < 1 %", "errors < 1%"),
        ("errors <=0%", "errors <= 0%"),
        ("errors<=0", "errors <= 0"),
        ("errors<1", "errors < 1"),
        ("rate>100/s", "rate > 100/s"),
        ("requests>=5", "requests >= 5"),
        ("within 500ms>99%", "within 500ms > 99%"),
        ("step a<b: errors<1%", "step a<b: errors < 1%"),
    ] {
        let threshold: Threshold = text.parse().unwrap();
        assert_eq!(threshold.to_string(), written);
        assert_eq!(threshold.inclusive, written.contains('='), "{text}");
    }
    for text in ["errors < 0%", "errors < 0"] {
        let error = text.parse::<Threshold>().unwrap_err();
        assert!(matches!(error, ThresholdError::Never(_)), "{error}");
    }
}

#[test]
fn a_unit_that_is_missing_is_named() {
    for (text, words) in [
        ("latency p(95)<500", "has no unit: write 500ms"),
        ("step a: latency avg < 0.2", "has no unit: write 0.2ms"),
        ("rate >= 95", "has no unit: write 95/s"),
        ("ws_rtt p95 < 200", "has no unit: write 200ms"),
    ] {
        let error = text.parse::<Threshold>().unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn what_is_none_is_refused_with_the_forms_there_are() {
    for text in [
        "",
        "latency p95 > 500ms",
        "latency p95 == 500ms",
        "requests < 5",
        "latency p0 < 1s",
        "latency p95 < 0s",
        "errors > 1",
        "errors < 101%",
        "rate >= NaN/s",
        "step x errors < 1%",
    ] {
        let error = text.parse::<Threshold>().unwrap_err().to_string();
        assert!(error.contains("latency p95 < 500ms"), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = text.parse::<Threshold>();
    }

    #[test]
    fn what_is_written_is_read_again(percent in 1_u32..1000, millis in 1_u64..100_000) {
        let share = f64::from(percent) / 1000.0;
        for bound in [
            Bound::Latency(share, Duration::from_millis(millis)),
            Bound::Within(Duration::from_millis(millis), share),
            Bound::Errors(share),
            Bound::Retried(share),
            Bound::Trend(share),
        ] {
            let written = threshold_of(bound).to_string();
            let read: Threshold = written.parse().unwrap();
            prop_assert_eq!(read.to_string(), written);
        }
    }
}
