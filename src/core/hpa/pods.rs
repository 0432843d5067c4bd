//! Pods as the controller sees them, and which of them count for a metric that describes pods.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;

use super::{controller::Controller, milli::Milli, requests::Requests};

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
    /// What the pod's spec requests; pods of one template share it.
    pub requests: Arc<Requests>,
}

/// Pods that are alike in everything that decisions depend on, their samples included. A named pod is a cohort of
/// one. A simulation of hundreds of pods has a few cohorts.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    /// What each of the pods is like.
    pub pod: Pod,
    /// How many they are.
    pub count: usize,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
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

/// The group that a pod belongs to for one metric; see [`Counts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Counted(Sample),
    Unready,
    Missing,
    Ignored,
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
            requests: Arc::new(Requests::read(pod.spec.as_ref())),
        }
    }

    /// Whether the pod is Running and Ready, deleting or not. Object and External metrics with a `Value`
    /// target multiply the number of such pods.
    #[must_use]
    pub fn is_running_and_ready(&self) -> bool {
        self.phase == Phase::Running && matches!(self.ready, Some((Readiness::True, _)))
    }

    /// The group of the pod for one metric (`groupPods`); the first rule that matches counts. `cpu` says whether
    /// the metric is CPU.
    pub(super) fn group(
        &self,
        sample: Option<&Sample>,
        cpu: bool,
        controller: &Controller,
        now: Timestamp,
    ) -> Group {
        // The order matters: a deleting pod is ignored even if it is Pending, and a Pending pod is unready
        // even if it has no sample. Readiness plays no part but for CPU.
        if self.deleting || self.phase == Phase::Failed {
            return Group::Ignored;
        }
        if self.phase == Phase::Pending {
            return Group::Unready;
        }
        match sample {
            None => Group::Missing,
            Some(sample) if cpu && self.is_starting(sample, controller, now) => Group::Unready,
            Some(sample) => Group::Counted(*sample),
        }
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
