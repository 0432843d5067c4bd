//! The condition `MetricsAvailable`: what it says of a resource, and when that is worth writing.
//!
//! It says what the HPA is told, without moving numbers. It is written on change only, and a change must last:
//! one missed scrape is not news. Nor is it written again before the watch had time to show it, and after an
//! error it is tried less and less often.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::freshness::{Failure, Missing};
use crate::{
    api::condition::reason,
    core::{k8s::backoff, spec::model::ScalingKey},
};

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

/// One metric of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// `workload/metric`.
    pub name: String,
    /// Why it has no value.
    pub missing: Option<Missing>,
    /// What people should know of it besides, whether or not it has a value.
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

/// The first few, and how many more there are.
fn named(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    if texts.len() > NAMED {
        let more = texts.len() - NAMED;
        texts.truncate(NAMED);
        texts.push(format!("and {more} more"));
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

/// How long the watch may take to show what was written.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// Remembers since when each resource's condition is not what it should be, and what was tried about it.
#[derive(Clone, Debug, Default)]
pub struct Settling {
    pending: BTreeMap<ScalingKey, Pending>,
    tried: BTreeMap<ScalingKey, Tried>,
}

/// The latest write of a condition.
#[derive(Clone, Debug)]
struct Tried {
    /// What was written, and of which generation; `None` if that failed.
    written: Option<(Verdict, Option<i64>)>,
    /// Failures in a row.
    failures: u32,
    /// Until when a failed write is not tried again, nor a successful one repeated.
    until: Duration,
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
        self.has_settled(key, standing, verdict, generation, now)
            && !self.waits(key, verdict, generation, now)
    }

    /// Takes in how a write went; `jitter` is random in `0.0..1.0`.
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

    /// Whether the latest write says to wait: it failed just now, or it said the same and is not shown yet.
    fn waits(&self, key: &ScalingKey, verdict: &Verdict, generation: Option<i64>, now: Duration) -> bool {
        self.tried.get(key).is_some_and(|tried| {
            let same = tried
                .written
                .as_ref()
                .is_none_or(|(written, of)| written == verdict && *of == generation);
            same && now < tried.until
        })
    }

    fn has_settled(
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
            let is_shown = standing.observed_generation == generation;
            if is_shown {
                self.tried.remove(key);
            }
            return !is_shown;
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
        self.tried.retain(|key, _| keep(key));
    }
}

#[cfg(test)]
mod tests;
