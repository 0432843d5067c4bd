//! Pods as the controller sees them, and which of them count for a metric that describes pods.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;

use super::{controller::Controller, number::Milli};

/// One pod under the target's selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// Phase of the pod (`status.phase`).
    pub phase: Phase,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// When the kubelet accepted the pod (`status.startTime`); `None` until then.
    pub started: Option<Timestamp>,
    /// Status of the Ready condition, and the time of its last transition.
    pub ready: Option<(Readiness, Timestamp)>,
    /// What the pod's spec requests.
    pub requests: super::requests::Requests,
}

/// Phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Some container has not started yet.
    Pending,
    /// All containers were created and one still runs.
    Running,
    /// All containers ended, one with a failure.
    Failed,
    /// Succeeded or Unknown. The controller treats both like Running when it groups pods.
    Other,
}

/// Status of the Ready condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The pod is ready.
    True,
    /// The pod is not ready.
    False,
    /// The node does not report. The controller does not count this as "not ready".
    Unknown,
}

/// The value of a metric for one pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The value in milli-units.
    pub value: Milli,
    /// The end of the time over which the value was measured.
    pub at: Timestamp,
    /// The length of that time.
    pub window: Duration,
}

/// How many pods count for a metric, and how many do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Pods that count with their value.
    pub counted: usize,
    /// Pods that are pending or, for CPU, not ready yet. They count as zero on the way up and not at all on
    /// the way down.
    pub unready: usize,
    /// Pods without a value. They count as zero on the way up and with their target on the way down.
    pub missing: usize,
    /// Pods that are being deleted or have failed. They never count.
    pub ignored: usize,
}

/// Names of the pods in each group; see [`Counts`].
#[derive(Debug, Default)]
pub(super) struct Groups<'a> {
    pub(super) counted: BTreeSet<&'a str>,
    pub(super) unready: BTreeSet<&'a str>,
    pub(super) missing: BTreeSet<&'a str>,
    pub(super) ignored: BTreeSet<&'a str>,
}

impl Pod {
    /// Reads a pod object.
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
                // A transition without a time is Go's zero time to the controller: long ago.
                let since = condition.last_transition_time.as_ref();
                (status, since.map_or(Timestamp::UNIX_EPOCH, |time| time.0))
            }),
            requests: super::requests::Requests::read(pod.spec.as_ref()),
        }
    }

    /// Whether the pod is Running and Ready, deleting or not. Object and External metrics with a `Value`
    /// target multiply the number of such pods.
    #[must_use]
    pub fn is_running_and_ready(&self) -> bool {
        self.phase == Phase::Running && matches!(self.ready, Some((Readiness::True, _)))
    }

    /// Whether the pod is still starting, so that its CPU usage says nothing about its later usage. The
    /// controller asks this for CPU alone.
    ///
    /// Example with the default flags: a pod becomes Ready 20 s after its start. Its first sample that counts
    /// has a window that lies wholly after that moment, or is read 5 minutes after the start.
    fn is_starting(&self, sample: &Sample, controller: &Controller, now: Timestamp) -> bool {
        let (Some((ready, since)), Some(started)) = (self.ready, self.started) else {
            return true;
        };
        let not_ready = ready == Readiness::False;
        if later(started, controller.cpu_initialization_period) > now {
            // Within the initialization period even a Ready pod waits for a whole window of samples.
            not_ready || sample.at < later(since, sample.window)
        } else {
            // Later only a pod that was never Ready is left out. A pod that was Ready and lost it counts.
            not_ready && later(started, controller.initial_readiness_delay) > since
        }
    }
}

/// The moment that is `by` after `from`, or the last one that a timestamp can hold.
fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Sorts pods into groups (`groupPods`); the first rule that matches counts. `cpu` says whether the metric is
/// CPU.
pub(super) fn group<'a>(
    pods: &'a BTreeMap<String, Pod>,
    samples: &BTreeMap<String, Sample>,
    cpu: bool,
    controller: &Controller,
    now: Timestamp,
) -> Groups<'a> {
    let mut groups = Groups::default();
    for (name, pod) in pods {
        // The order matters: a deleting pod is ignored even if it is Pending, and a Pending pod is unready
        // even if it has no sample. Readiness plays no part but for CPU.
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
