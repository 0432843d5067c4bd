//! Checks the thresholds of a scenario against what was measured. A threshold fails where nothing could be
//! measured.

use std::time::Duration;

use super::{seen::Seen, sockets, trend::Trend};
use crate::{
    model::{
        achieved, cause,
        check::{Area, Check},
        measured::{Measured, Requests},
    },
    scenario::{
        duration::short,
        model::{Bound, Threshold},
        threshold::in_percent,
    },
};

/// One check for each threshold, in the same order.
pub fn checks(thresholds: &[Threshold], measured: &Measured) -> Vec<Check> {
    thresholds
        .iter()
        .map(|threshold| check(threshold, measured))
        .collect()
}

/// Checks one threshold.
pub(super) fn check(threshold: &Threshold, measured: &Measured) -> Check {
    let requests = match &threshold.step {
        None => Some(&measured.total),
        Some(step) => measured.steps.get(step),
    };
    let seen = requests.and_then(|requests| seen(threshold, requests, measured));
    // Bounds on WebSockets come first: `requests` is there for them too, but does not say what was missing.
    let (passed, words) = match (seen, requests) {
        (None, Some(_)) if threshold.bound.is_of_sockets() => {
            let words = sockets::missing(threshold.bound, measured.websocket.as_ref());
            (false, words.to_owned())
        }
        (Some(seen), _) => (seen.holds, seen.words),
        (None, None) => (false, "there is no such step".to_owned()),
        (None, Some(requests)) => (false, missing(threshold.bound, requests).to_owned()),
    };
    Check {
        name: threshold.to_string(),
        area: Area::ServiceLevel,
        measured: words,
        passed,
        hint: (!passed).then(|| hint(threshold.bound, requests).to_owned()),
    }
}

fn seen(threshold: &Threshold, requests: &Requests, measured: &Measured) -> Option<Seen> {
    let (holds, words) = match threshold.bound {
        Bound::Latency(share, limit) => {
            let latency = requests.latency.quantile(share)?;
            (threshold.is_low(latency, limit), short(latency))
        }
        Bound::Mean(limit) => {
            let mean = Duration::try_from_secs_f64(requests.latency.mean()?).ok()?;
            (threshold.is_low(mean, limit), short(mean))
        }
        Bound::Within(limit, share) => {
            let within = requests.within_share(limit)?;
            (threshold.is_high(within, share), in_percent(within))
        }
        Bound::Errors(share) => {
            let errors = requests.error_share()?;
            (threshold.is_low(errors, share), in_percent(errors))
        }
        Bound::Failed(count) => {
            let ended = (requests.ended() > 0).then_some(requests)?;
            (
                threshold.is_low(ended.failed(), count),
                ended.failed().to_string(),
            )
        }
        Bound::Requests(count) => {
            let ended = requests.ended();
            (threshold.is_high(ended, count), ended.to_string())
        }
        Bound::Retried(share) => {
            let retried = requests.retried_share()?;
            (threshold.is_low(retried, share), in_percent(retried))
        }
        Bound::Rate(rate) => {
            let answered = achieved::rate(requests, measured)?;
            let words = format!("{answered:.1}/s{}", too_late(requests));
            (threshold.is_high(answered, rate), words)
        }
        Bound::Trend(growth) => {
            let trend = Trend::of(&measured.seconds)?;
            let words = format!(
                "{} per hour (95 % sure of {} to {})",
                in_percent(trend.growth),
                in_percent(trend.low),
                in_percent(trend.high)
            );
            // Fails only where even the lower bound of the slope is too high. A growth within the noise passes.
            (threshold.is_low(trend.low, growth), words)
        }
        Bound::Socket(..) | Bound::Held(_) | Bound::HeldAtOnce(_) => {
            return sockets::seen(threshold, measured.websocket.as_ref()?);
        }
    };
    Some(Seen { holds, words })
}

/// Words on answers that came too late to count in the rate; empty without any.
fn too_late(requests: &Requests) -> String {
    match requests.answered.saturating_sub(requests.answered_in_time) {
        0 => String::new(),
        late => format!(", {late} more answers came after the load had ended"),
    }
}

fn missing(bound: Bound, requests: &Requests) -> &'static str {
    match bound {
        Bound::Latency(..) | Bound::Mean(_) | Bound::Within(..) => "no request was answered",
        Bound::Errors(_) | Bound::Failed(_) | Bound::Requests(_) | Bound::Retried(_) => "no request ended",
        Bound::Rate(_) if requests.due == 0 => "nothing was sent",
        Bound::Rate(_) => "answers take almost as long as the load lasted: let it last longer",
        Bound::Trend(_) => "too few seconds with answers for a trend",
        Bound::Socket(..) | Bound::Held(_) | Bound::HeldAtOnce(_) => sockets::missing(bound, None),
    }
}

/// From this share of failed requests on, the hint is about the failures: they explain every other failed
/// check.
const MOST_FAIL: f64 = 0.5;

fn hint(bound: Bound, requests: Option<&Requests>) -> &'static str {
    let of_failures = |requests: &Requests| cause::hint(&requests.failures);
    let most_fail = |requests: &&Requests| requests.error_share().is_some_and(|share| share >= MOST_FAIL);
    match bound {
        Bound::Errors(_) | Bound::Failed(_) => requests.map_or("", of_failures),
        Bound::Trend(_) => "look for what grows with time: memory, connections, tables without an index",
        _ => match requests.filter(most_fail) {
            Some(requests) => of_failures(requests),
            None => of_service(bound),
        },
    }
}

fn of_service(bound: Bound) -> &'static str {
    match bound {
        Bound::Latency(..) | Bound::Mean(_) | Bound::Within(..) => {
            "compare with the service time: if that is as high, lower the HPA's target or raise minReplicas; if it is low, requests waited before they could be sent"
        }
        Bound::Retried(_) => {
            "let the service keep idle connections longer than its clients, proxies and load balancers do"
        }
        Bound::Socket(..) | Bound::Held(_) | Bound::HeldAtOnce(_) => sockets::hint(bound),
        _ => "the service, or its bound of replicas, is smaller than the load; raise maxReplicas",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{measured, requests};

    fn one(text: &str, measured: &Measured) -> Check {
        checks(&[text.parse().unwrap()], measured).remove(0)
    }

    #[test]
    fn each_bound_holds_on_its_own_side_of_what_was_measured() {
        // 98 answers of 10 ms to 980 ms, two failures of 3 s.
        let measured = measured(requests(98, 2));
        for (text, holds) in [
            ("latency p50 < 600ms", true),
            ("latency p50 < 400ms", false),
            ("latency p99 < 1s", false),
            ("within 500ms >= 49%", true),
            ("within 500ms >= 51%", false),
            ("errors < 2.1%", true),
            ("errors < 2%", false),
            ("errors <= 2%", true),
            ("errors < 2", false),
            ("errors <= 2", true),
            ("requests >= 100", true),
            ("requests > 100", false),
            // 98 answers of 495 ms on average, and two failures of 3 s.
            ("latency mean < 560ms", true),
            ("latency mean < 540ms", false),
            ("rate >= 9.8/s", true),
            ("rate >= 9.9/s", false),
        ] {
            let check = one(text, &measured);
            assert_eq!(check.passed, holds, "{check:?}");
            assert_eq!(check.hint.is_none(), holds);
        }
    }

    #[test]
    fn requests_that_were_sent_twice_have_a_bound_of_their_own() {
        let mut retried = requests(98, 2);
        retried.retried = 3;
        let retried = measured(retried);
        assert!(one("retried < 3.1%", &retried).passed);
        let missed = one("step GET: retried < 3%", &retried);
        assert!(!missed.passed && missed.measured == "3%", "{missed:?}");
        assert!(missed.hint.unwrap().contains("keep idle connections longer"));
    }

    #[test]
    fn what_was_not_measured_does_not_hold_and_says_why() {
        let nothing = measured(Requests::default());
        for (text, words) in [
            ("latency p95 < 1h", "no request was answered"),
            ("errors < 100%", "no request ended"),
            ("errors <= 0", "no request ended"),
            ("latency mean < 1h", "no request was answered"),
            ("retried < 100%", "no request ended"),
            ("trend < 100%/h", "too few seconds"),
            ("step log in: errors < 1%", "no such step"),
        ] {
            let check = one(text, &nothing);
            assert!(!check.passed && check.measured.contains(words), "{check:?}");
        }
    }

    #[test]
    fn a_request_that_fails_fast_is_not_within_a_bound() {
        let mut unready = requests(50, 0);
        for _ in 0..50 {
            let fast = Duration::from_millis(1);
            unready.latency.record(fast);
            unready.failed_latency.record(fast);
        }
        unready.due = 100;
        unready.failures.insert("status 503".to_owned(), 50);
        let check = one("within 10s >= 51%", &measured(unready));
        assert!(!check.passed && check.measured == "50%", "{check:?}");
    }

    #[test]
    fn the_hint_is_about_what_most_failures_have_in_common() {
        let unknown = |answered| {
            let mut requests = requests(answered, 0);
            requests.fail(cause::RESOLVE, 50, None);
            measured(requests)
        };
        for (text, answered, hinted) in [
            ("errors < 1%", 950, "DNS"),
            ("rate >= 100/s", 0, "DNS"),
            ("within 1ms >= 99%", 0, "DNS"),
            ("rate >= 100/s", 950, "maxReplicas"),
            ("within 1ms >= 99%", 950, "service time"),
        ] {
            let check = one(text, &unknown(answered));
            let hint = check.hint.unwrap_or_default();
            assert!(
                hint.contains(hinted) && !hint.contains("Ready pods"),
                "{text}: {hint}"
            );
        }
    }

    #[test]
    fn requests_that_never_were_sent_are_not_within_a_bound() {
        let mut refused = requests(50, 0);
        refused.failures.insert("cannot connect: refused".to_owned(), 50);
        let check = one("within 10s >= 51%", &measured(refused));
        assert!(!check.passed && check.measured == "50%", "{check:?}");
    }
}
