//! Pods as the controller sees them, and which of them count for a metric that describes pods.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;

use super::{number::Milli, spec::Controller};

/// One pod under the target's selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// Phase.
    pub phase: Phase,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// Its Ready condition, and since when it stands.
    pub ready: Option<(Readiness, Timestamp)>,
    /// What its spec requests.
    pub requests: super::requests::Requests,
}

/// Phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not running yet.
    Pending,
    /// Running.
    Running,
    /// Failed.
    Failed,
    /// Succeeded or unknown, which the controller does not tell from Running where pods are grouped.
    Other,
}

/// Status of the Ready condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Ready.
    True,
    /// Not ready.
    False,
    /// The node does not say; not the same as not ready.
    Unknown,
}

/// What a metrics API says of one pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The value in milli-units.
    pub value: Milli,
    /// When it was measured.
    pub at: Timestamp,
    /// Over how long before that.
    pub window: Duration,
}

/// How many pods play which part for a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Counted with their value.
    pub counted: usize,
    /// Pending, or not ready yet where that matters: zero on the way up, left out on the way down.
    pub unready: usize,
    /// Without a value: zero on the way up, at their target on the way down.
    pub missing: usize,
    /// Being deleted, or failed.
    pub ignored: usize,
}

/// Names of the pods by the part they play.
#[derive(Debug, Default)]
pub(super) struct Groups<'a> {
    pub(super) counted: BTreeSet<&'a str>,
    pub(super) unready: BTreeSet<&'a str>,
    pub(super) missing: BTreeSet<&'a str>,
    pub(super) ignored: BTreeSet<&'a str>,
}

impl Pod {
    /// Reads a pod.
    pub fn read(pod: &core::Pod) -> Self {
        let status = pod.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_deref());
        let ready = conditions
            .unwrap_or_default()
            .iter()
            .find(|one| one.type_ == "Ready");
        Self {
            phase: match status.and_then(|status| status.phase.as_deref()) {
                Some("Pending") => Phase::Pending,
                Some("Running") => Phase::Running,
                Some("Failed") => Phase::Failed,
                _ => Phase::Other,
            },
            deleting: pod.metadata.deletion_timestamp.is_some(),
            started: status
                .and_then(|status| status.start_time.as_ref())
                .map(|time| time.0),
            ready: ready.map(|condition| {
                let status = match condition.status.as_str() {
                    "True" => Readiness::True,
                    "False" => Readiness::False,
                    _ => Readiness::Unknown,
                };
                // A transition without a time is the zero time to the controller: long ago.
                let since = condition.last_transition_time.as_ref();
                (status, since.map_or(Timestamp::UNIX_EPOCH, |time| time.0))
            }),
            requests: super::requests::Requests::read(pod.spec.as_ref()),
        }
    }

    /// Running and Ready, deleting or not: what Object and External values are multiplied by.
    #[must_use]
    pub fn is_running_and_ready(&self) -> bool {
        self.phase == Phase::Running && matches!(self.ready, Some((Readiness::True, _)))
    }

    /// CPU of a starting pod is not what it will use. Only CPU is judged by this.
    fn is_starting(&self, sample: &Sample, controller: &Controller, now: Timestamp) -> bool {
        let (Some((ready, since)), Some(started)) = (self.ready, self.started) else {
            return true;
        };
        let not_ready = ready == Readiness::False;
        if later(started, controller.cpu_initialization_period) > now {
            not_ready || sample.at < later(since, sample.window)
        } else {
            not_ready && later(started, controller.initial_readiness_delay) > since
        }
    }
}

/// A moment and a duration after it, at most the end of time.
fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Sorts pods; the first rule that matches counts. `cpu` is whether the metric is CPU.
pub(super) fn group<'a>(
    pods: &'a BTreeMap<String, Pod>,
    samples: &BTreeMap<String, Sample>,
    cpu: bool,
    controller: &Controller,
    now: Timestamp,
) -> Groups<'a> {
    let mut groups = Groups::default();
    for (name, pod) in pods {
        let group = if pod.deleting || pod.phase == Phase::Failed {
            &mut groups.ignored
        } else if pod.phase == Phase::Pending {
            &mut groups.unready
        } else {
            match samples.get(name) {
                None => &mut groups.missing,
                Some(sample) if cpu && pod.is_starting(sample, controller, now) => &mut groups.unready,
                Some(_) => &mut groups.counted,
            }
        };
        group.insert(name);
    }
    groups
}

impl Groups<'_> {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            counted: self.counted.len(),
            unready: self.unready.len(),
            missing: self.missing.len(),
            ignored: self.ignored.len(),
        }
    }
}
