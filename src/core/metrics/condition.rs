//! The condition `MetricsAvailable`: what it says of a resource, and when it is written.
//!
//! The condition says the same as the HPA reads, without numbers that change from poll to poll. It is written
//! only when it changes, and a change must last: one missed scrape is not news. It is not written again
//! before the watch had time to show it, and after an error it is tried less and less often.
//!
//! An example with `maxAge: 60s`: Prometheus goes away at 12:00:00, and the samples are too old from 12:01:00
//! on. The status `False` is written at 12:01:05, when it has lasted for 5 s. If only the message changes
//! after that, the new message is written when it has lasted for 30 s.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::freshness::{Failure, Missing};
use crate::{k8s::backoff, spec::model::ScalingKey, wording::and_more};
use vas_api::condition::reason;

/// Greatest number of metrics that a message names. The others are counted.
const NAMED: usize = 5;
/// How long a new status must last before it is written.
const STATUS_SETTLES: Duration = Duration::from_secs(5);
/// How long a new message with the same status must last before it is written.
const MESSAGE_SETTLES: Duration = Duration::from_secs(30);

/// The content that the condition should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `True` or `False`.
    pub status: &'static str,
    /// The reason of the condition: one word in CamelCase, for programs.
    pub reason: &'static str,
    /// The message of the condition, for people.
    pub message: String,
}

/// The health of one metric of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Name of the metric, as `workload/metric`.
    pub name: String,
    /// Why the metric has no value; `None` where it has one.
    pub missing: Option<Missing>,
    /// Notes for people, whether or not the metric has a value.
    pub notes: Vec<String>,
}

/// Judges the metrics of a resource. `None` while one of them was not polled yet.
#[must_use]
pub fn verdict(metrics: &[Health]) -> Option<Verdict> {
    if metrics
        .iter()
        .any(|metric| metric.missing == Some(Missing::NotPolled))
    {
        return None;
    }
    let missing: Vec<(&str, &Missing)> = metrics
        .iter()
        .filter_map(|metric| Some((metric.name.as_str(), metric.missing.as_ref()?)))
        .collect();
    let causes = named(
        missing
            .iter()
            .map(|(name, missing)| format!("{name}: {}", missing.cause())),
    );
    let notes = named(metrics.iter().flat_map(|metric| {
        let notes = metric.notes.iter();
        notes.map(|note| format!("{}: {note}", metric.name))
    }));
    if missing.is_empty() {
        let (reason, summary) = if metrics.is_empty() {
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
            message: together([summary].into_iter().chain(notes)),
        });
    }
    let prometheus_fails = missing
        .iter()
        .any(|(_, missing)| matches!(missing.failure(), Some(Failure::Prometheus(_))));
    Some(Verdict {
        status: "False",
        reason: if prometheus_fails {
            reason::PROMETHEUS_UNAVAILABLE
        } else {
            reason::METRICS_MISSING
        },
        message: together(causes.into_iter().chain(notes)),
    })
}

/// The first few texts, and how many more there are.
fn named(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    if texts.len() > NAMED {
        let more = and_more(texts.len() - NAMED);
        texts.truncate(NAMED);
        texts.push(more.trim_start().to_owned());
    }
    texts
}

fn together(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

fn count(metrics: usize) -> String {
    if metrics == 1 {
        "1 metric".to_owned()
    } else {
        format!("{metrics} metrics")
    }
}

/// How long the watch may take to show a write.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// Decides when a condition is written. Remembers, by resource, since when the condition differs from what it
/// should be, and the latest write. Times are our monotonic ones.
#[derive(Clone, Debug, Default)]
pub struct Settling {
    /// Resources whose condition differs from what it should be.
    pending: BTreeMap<ScalingKey, Pending>,
    /// Resources whose condition was written and not yet seen in the watch, or whose write failed.
    tried: BTreeMap<ScalingKey, Tried>,
}

/// The latest write of a condition.
#[derive(Clone, Debug)]
struct Tried {
    /// The verdict that was written, with the generation of the spec that it judges; `None` if the write
    /// failed.
    written: Option<(Verdict, Option<i64>)>,
    /// Number of failed writes in a row.
    failures: u32,
    /// Until this time a failed write is not tried again, and a successful write is not repeated.
    until: Duration,
}

/// A verdict that differs from the condition in the cluster.
#[derive(Clone, Debug)]
struct Pending {
    verdict: Verdict,
    /// Since when the status of the verdict is the same.
    status_since: Duration,
    /// Since when the whole verdict is the same.
    verdict_since: Duration,
}

impl Settling {
    /// Whether the verdict should be written now. `current` is the condition in the cluster, and `generation`
    /// that of the spec that was judged.
    pub fn is_due(
        &mut self,
        key: &ScalingKey,
        current: Option<&Condition>,
        verdict: &Verdict,
        generation: Option<i64>,
        now: Duration,
    ) -> bool {
        self.has_settled(key, current, verdict, generation, now) && !self.waits(key, verdict, generation, now)
    }

    /// Records whether a write succeeded. `jitter` is random in `0.0..1.0`.
    pub fn tried(
        &mut self,
        key: &ScalingKey,
        verdict: &Verdict,
        generation: Option<i64>,
        success: bool,
        jitter: f64,
        now: Duration,
    ) {
        let failures = self.tried.get(key).map_or(0, |tried| tried.failures);
        let tried = if success {
            Tried {
                written: Some((verdict.clone(), generation)),
                failures: 0,
                until: now.saturating_add(SHOWN_WITHIN),
            }
        } else {
            let failures = failures.saturating_add(1);
            Tried {
                written: None,
                failures,
                until: now.saturating_add(backoff::delay(failures, jitter, Duration::ZERO)),
            }
        };
        self.tried.insert(key.clone(), tried);
    }

    /// Whether to wait because of the latest write: it failed a short time ago, or it wrote the same and the
    /// watch has not shown it yet.
    fn waits(&self, key: &ScalingKey, verdict: &Verdict, generation: Option<i64>, now: Duration) -> bool {
        self.tried.get(key).is_some_and(|tried| {
            let same = tried
                .written
                .as_ref()
                .is_none_or(|(written, of)| written == verdict && *of == generation);
            same && now < tried.until
        })
    }

    /// Whether the verdict differs from the condition in the cluster and has lasted long enough to be
    /// written.
    fn has_settled(
        &mut self,
        key: &ScalingKey,
        current: Option<&Condition>,
        verdict: &Verdict,
        generation: Option<i64>,
        now: Duration,
    ) -> bool {
        let Some(current) = current else { return true };
        let same_status = current.status == verdict.status;
        let same_text = current.reason == verdict.reason && current.message == verdict.message;
        if same_status && same_text {
            // The text is right. It is still written if it belongs to an older generation of the spec, so
            // that `observedGeneration` shows that the new spec was judged.
            self.pending.remove(key);
            let is_shown = current.observed_generation == generation;
            if is_shown {
                self.tried.remove(key);
            }
            return !is_shown;
        }
        // A new status starts both clocks, a new message only its own. So a message that changes all the time
        // does not hold up a new status.
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

    /// Forgets resources that were deleted.
    pub fn retain(&mut self, keep: impl Fn(&ScalingKey) -> bool) {
        self.pending.retain(|key, _| keep(key));
        self.tried.retain(|key, _| keep(key));
    }
}

#[cfg(test)]
mod tests;
