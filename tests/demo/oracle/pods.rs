//! Which pods count for a per-pod metric.

use std::collections::{BTreeMap, BTreeSet};

use super::{Moment, Resource};

/// `--horizontal-pod-autoscaler-cpu-initialization-period` of the local cluster, in seconds.
pub(super) const CPU_INITIALIZATION: Moment = 10.0;
/// `--horizontal-pod-autoscaler-initial-readiness-delay` of the local cluster, in seconds.
pub(super) const READINESS_DELAY: Moment = 5.0;

/// The pods that the target's selector matches, by name.
pub(crate) type Pods = BTreeMap<String, Pod>;

/// The fields of a pod that the HPA controller looks at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pod {
    /// Phase of the pod.
    pub phase: Phase,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Moment at which it was started.
    pub started: Option<Moment>,
    /// Its Ready condition.
    pub ready: Option<Readiness>,
    /// Requests of all containers in milli-units.
    pub requests: BTreeMap<Resource, i64>,
}

/// Phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The pod has no node yet.
    Pending,
    /// The containers of the pod run.
    Running,
    /// The pod failed, and does not count.
    Failed,
}

/// Ready condition of a pod.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Readiness {
    /// Whether the condition is `True`.
    pub is_ready: bool,
    /// Moment of its last change.
    pub since: Moment,
}

/// What a metrics API said of one pod, in milli-units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The value, in milli-units.
    pub value: i64,
    /// Timestamp of the value.
    pub at: Moment,
    /// Length of the time before that over which it was measured, in seconds.
    pub window: Moment,
}

/// Pods by how they count.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Groups<'a> {
    /// Pods that are being deleted or have failed. Their samples are dropped.
    pub ignored: BTreeSet<&'a str>,
    /// Pods that are not ready to be counted.
    pub unready: BTreeSet<&'a str>,
    /// Pods without a sample.
    pub missing: BTreeSet<&'a str>,
    /// Number of pods that are counted.
    pub counted: usize,
}

/// Groups pods for a metric; `resource` is `None` for a Pods metric. The first rule that fits decides.
pub(super) fn group<'a>(
    pods: &'a Pods,
    samples: &BTreeMap<String, Sample>,
    resource: Option<Resource>,
    now: Moment,
) -> Groups<'a> {
    let mut groups = Groups::default();
    for (name, pod) in pods {
        if pod.deleting || pod.phase == Phase::Failed {
            groups.ignored.insert(name);
        } else if pod.phase == Phase::Pending {
            groups.unready.insert(name);
        } else if let Some(sample) = samples.get(name) {
            if resource == Some(Resource::Cpu) && pod.cpu_is_initializing(sample, now) {
                groups.unready.insert(name);
            } else {
                groups.counted += 1;
            }
        } else {
            groups.missing.insert(name);
        }
    }
    groups
}

impl Pod {
    /// Whether it is Running and Ready, which is what an Object metric multiplies by.
    pub(crate) fn is_running_and_ready(&self) -> bool {
        self.phase == Phase::Running && self.ready.is_some_and(|ready| ready.is_ready)
    }

    fn cpu_is_initializing(&self, sample: &Sample, now: Moment) -> bool {
        let (Some(started), Some(ready)) = (self.started, self.ready) else {
            return true;
        };
        if started + CPU_INITIALIZATION > now {
            !ready.is_ready || sample.at < ready.since + sample.window
        } else {
            !ready.is_ready && started + READINESS_DELAY > ready.since
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(is_ready: bool, since: Moment) -> Pod {
        Pod {
            phase: Phase::Running,
            deleting: false,
            started: Some(0.0),
            ready: Some(Readiness { is_ready, since }),
            requests: BTreeMap::new(),
        }
    }

    fn groups_of(pod: Pod, measured: bool, resource: Option<Resource>, now: Moment) -> [usize; 4] {
        let pods = Pods::from([("p".to_owned(), pod)]);
        let sample = Sample {
            value: 1,
            at: now,
            window: 0.0,
        };
        let samples = measured.then(|| ("p".to_owned(), sample)).into_iter().collect();
        let groups = group(&pods, &samples, resource, now);
        [
            groups.ignored.len(),
            groups.unready.len(),
            groups.missing.len(),
            groups.counted,
        ]
    }

    #[test]
    fn readiness_plays_a_part_for_cpu_only() {
        let starting = running(false, 0.0);
        assert_eq!(groups_of(starting.clone(), true, None, 20.0), [0, 0, 0, 1]);
        assert_eq!(
            groups_of(starting.clone(), true, Some(Resource::Memory), 20.0),
            [0, 0, 0, 1]
        );
        assert_eq!(groups_of(starting, true, Some(Resource::Cpu), 20.0), [0, 1, 0, 0]);
    }

    #[test]
    fn a_pod_that_was_ready_and_lost_it_is_counted() {
        assert_eq!(
            groups_of(running(false, 30.0), true, Some(Resource::Cpu), 60.0),
            [0, 0, 0, 1]
        );
    }

    #[test]
    fn a_running_pod_without_a_sample_is_missing_and_a_pending_one_unready() {
        assert_eq!(groups_of(running(true, 1.0), false, None, 20.0), [0, 0, 1, 0]);
        let pending = Pod {
            phase: Phase::Pending,
            ..running(false, 0.0)
        };
        assert_eq!(groups_of(pending, false, None, 20.0), [0, 1, 0, 0]);
    }

    #[test]
    fn a_pod_that_is_being_deleted_is_ignored_whatever_else_it_is() {
        let deleting = Pod {
            deleting: true,
            phase: Phase::Pending,
            ..running(true, 1.0)
        };
        assert_eq!(groups_of(deleting, true, None, 20.0), [1, 0, 0, 0]);
    }

    #[test]
    fn a_fresh_pod_counts_for_cpu_once_a_whole_window_lies_after_it_became_ready() {
        let pods = Pods::from([("p".to_owned(), running(true, 2.0))]);
        let seen_at = |at| {
            let sample = Sample {
                value: 1,
                at,
                window: 5.0,
            };
            let samples = BTreeMap::from([("p".to_owned(), sample)]);
            group(&pods, &samples, Some(Resource::Cpu), 9.0).counted
        };
        assert_eq!(seen_at(6.9), 0);
        assert_eq!(seen_at(7.0), 1);
    }
}
