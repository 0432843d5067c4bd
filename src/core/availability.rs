//! The condition `MetricsAvailable`: what it says of a resource, and when that is worth writing.
//!
//! It says what the HPA is told, without moving numbers. It is written on change only, and a change must last:
//! one missed scrape is not news.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    model::ScalingKey,
    reading::{Failure, Missing},
};
use crate::api::condition::reason;

/// Metrics that a message names; more are counted.
const NAMED: usize = 5;
/// How long another status must last before it is written.
const STATUS_SETTLES: Duration = Duration::from_secs(5);
/// How long another message of the same status must last before it is written.
const MESSAGE_SETTLES: Duration = Duration::from_secs(30);

/// What the condition should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `True` or `False`.
    pub status: &'static str,
    /// Why, for machines.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
}

/// Judges the metrics of a resource, each by its `workload/metric` and why it has no value. `None` while one of
/// them was not polled yet.
#[must_use]
pub fn verdict(metrics: &[(String, Option<Missing>)]) -> Option<Verdict> {
    if metrics
        .iter()
        .any(|(_, missing)| *missing == Some(Missing::NotPolled))
    {
        return None;
    }
    let missing: Vec<(&str, &Missing)> = metrics
        .iter()
        .filter_map(|(name, missing)| Some((name.as_str(), missing.as_ref()?)))
        .collect();
    if missing.is_empty() {
        let (reason, message) = if metrics.is_empty() {
            (
                reason::NO_PROMETHEUS_METRICS,
                "the resource has no metric from Prometheus".to_owned(),
            )
        } else {
            (
                reason::METRICS_FRESH,
                format!("{} from Prometheus", count(metrics.len())),
            )
        };
        return Some(Verdict {
            status: "True",
            reason,
            message,
        });
    }
    let prometheus_fails = missing
        .iter()
        .any(|(_, missing)| matches!(missing.failure(), Some(Failure::Prometheus(_))));
    let mut causes: Vec<String> = missing
        .iter()
        .take(NAMED)
        .map(|(name, missing)| format!("{name}: {}", missing.cause()))
        .collect();
    if missing.len() > NAMED {
        causes.push(format!("and {} more", missing.len() - NAMED));
    }
    Some(Verdict {
        status: "False",
        reason: if prometheus_fails {
            reason::PROMETHEUS_UNAVAILABLE
        } else {
            reason::METRICS_MISSING
        },
        message: causes.join("; "),
    })
}

fn count(metrics: usize) -> String {
    if metrics == 1 {
        "1 metric".to_owned()
    } else {
        format!("{metrics} metrics")
    }
}

/// Remembers since when each resource's condition is not what it should be.
#[derive(Clone, Debug, Default)]
pub struct Settling {
    pending: BTreeMap<ScalingKey, Pending>,
}

#[derive(Clone, Debug)]
struct Pending {
    verdict: Verdict,
    status_since: Duration,
    verdict_since: Duration,
}

impl Settling {
    /// Whether the verdict should be written now, over what stands in the cluster. `generation` is that of the
    /// spec that was judged.
    pub fn is_due(
        &mut self,
        key: &ScalingKey,
        standing: Option<&Condition>,
        verdict: &Verdict,
        generation: Option<i64>,
        now: Duration,
    ) -> bool {
        let Some(standing) = standing else { return true };
        let same_status = standing.status == verdict.status;
        let same_text = standing.reason == verdict.reason && standing.message == verdict.message;
        if same_status && same_text {
            self.pending.remove(key);
            return standing.observed_generation != generation;
        }
        let fresh = || Pending {
            verdict: verdict.clone(),
            status_since: now,
            verdict_since: now,
        };
        let pending = self.pending.entry(key.clone()).or_insert_with(fresh);
        if pending.verdict.status != verdict.status {
            *pending = fresh();
        } else if pending.verdict != *verdict {
            pending.verdict = verdict.clone();
            pending.verdict_since = now;
        }
        if same_status {
            now.saturating_sub(pending.verdict_since) >= MESSAGE_SETTLES
        } else {
            now.saturating_sub(pending.status_since) >= STATUS_SETTLES
        }
    }

    /// Forgets resources that are gone.
    pub fn retain(&mut self, keep: impl Fn(&ScalingKey) -> bool) {
        self.pending.retain(|key, _| keep(key));
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn missing(name: &str, missing: Missing) -> (String, Option<Missing>) {
        (name.to_owned(), Some(missing))
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
                ("api-gateway/request-rate".to_owned(), None),
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
        assert_eq!(
            verdict(&[("a/b".to_owned(), None)]).unwrap().reason,
            "MetricsFresh"
        );
        assert_eq!(verdict(&[]).unwrap().reason, "NoPrometheusMetrics");
    }

    #[test]
    fn a_message_stays_short_however_many_metrics_are_missing() {
        let many: Vec<_> = (0..200)
            .map(|n| missing(&format!("w/m{n}"), Missing::NoSeries(None)))
            .collect();
        assert!(verdict(&many).unwrap().message.ends_with("; and 195 more"));
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
        let key = ScalingKey {
            namespace: "ns".to_owned(),
            name: "cr".to_owned(),
        };
        let verdict = Verdict {
            message: message.to_owned(),
            ..VERDICT
        };
        settling.is_due(&key, standing, &verdict, Some(1), Duration::from_secs(now))
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
}
