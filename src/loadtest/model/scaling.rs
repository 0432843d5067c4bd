//! What was observed of a scaling workload during a run, on the clock of the run. The watch of a load test
//! writes these types, and the judgements read them.

use std::collections::{BTreeMap, BTreeSet};

/// Seconds since the run began.
pub type Moment = f64;

/// Observations of one workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaling {
    /// Namespace of the scale target.
    pub namespace: String,
    /// The scale target, such as `deployment/api-gateway`.
    pub target: String,
    /// Name of the HorizontalPodAutoscaler.
    pub hpa: String,
    /// Replica bounds of that HPA.
    pub bounds: Bounds,
    /// Replicas at each change, in order of time; the first entry is the state at the start.
    pub replicas: Vec<Replicas>,
    /// Metrics of the HPA at each change.
    pub metrics: Vec<MetricSeen>,
    /// Changes of conditions of the HPA, events of pods, and the other [kinds](EventKind) of events.
    pub events: Vec<Event>,
    /// Status of the PodDisruptionBudget at each change; empty without one.
    pub budget: Vec<Budget>,
    /// Memory of the pods, sampled every few seconds; empty where the cluster has no resource metrics.
    pub memory: Vec<Memory>,
}

/// Replica bounds of an HPA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// `minReplicas` of the HPA.
    pub min: u32,
    /// `maxReplicas` of the HPA.
    pub max: u32,
}

/// Replica counts that hold from one moment to the next entry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Replicas {
    /// Seconds since the run began, from which these counts hold.
    pub at: Moment,
    /// Replicas that the HPA desires (`status.desiredReplicas`).
    pub desired: u32,
    /// Replicas that the scale target asks for (`spec.replicas`).
    pub current: u32,
    /// Pods that are Ready.
    pub ready: u32,
}

/// A metric as the HPA's status shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeen {
    /// Seconds since the run began.
    pub at: Moment,
    /// Name of the metric.
    pub name: String,
    /// The current value divided by the target; `None` while the HPA has no value.
    pub ratio: Option<f64>,
}

/// Memory at one moment, as the resource metrics API (`metrics.k8s.io`) reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// Seconds since the run began.
    pub at: Moment,
    /// Bytes in use, averaged over the pods.
    pub bytes_per_pod: f64,
}

/// Status of a PodDisruptionBudget, from one moment to the next entry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// Seconds since the run began, from which this status holds.
    pub at: Moment,
    /// Pods that may be disrupted (`disruptionsAllowed`).
    pub allowed: u32,
    /// Pods that have to stay healthy (`desiredHealthy`).
    pub wanted: u32,
}

/// One event of the workload's pods, HPA, VPA or PodDisruptionBudget during the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Seconds since the run began.
    pub at: Moment,
    /// The kind of event.
    pub kind: EventKind,
    /// Name of the object: of a pod, or of a condition.
    pub object: String,
    /// Details for people; may be empty.
    pub words: String,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A pod was created.
    PodCreated,
    /// The pod was scheduled to a node.
    PodScheduled,
    /// The containers of the pod run.
    PodStarted,
    /// The pod became Ready.
    PodReady,
    /// The pod was Ready and is no longer.
    PodUnready,
    /// The pod is being deleted.
    PodTerminating,
    /// The pod no longer exists.
    PodGone,
    /// A condition of the HPA changed.
    HpaCondition,
    /// The VPA changed its recommendation.
    VpaRecommendation,
    /// The number of pods that the PodDisruptionBudget lets go changed.
    DisruptionRoom,
    /// A pod was refused, by the quota or by another admission check.
    PodRefused,
}

impl Scaling {
    /// Replicas at a moment: the last entry at or before it. `None` before the first entry.
    pub fn replicas_at(&self, at: Moment) -> Option<Replicas> {
        let until = self.replicas.partition_point(|seen| seen.at <= at);
        until
            .checked_sub(1)
            .and_then(|last| self.replicas.get(last))
            .copied()
    }

    /// The first moment, at or after `from`, at which at least `replicas` pods were Ready.
    pub fn ready_since(&self, from: Moment, replicas: u32) -> Option<Moment> {
        if self.replicas_at(from).is_some_and(|seen| seen.ready >= replicas) {
            return Some(from);
        }
        let later = self
            .replicas
            .iter()
            .find(|seen| seen.at > from && seen.ready >= replicas);
        later.map(|seen| seen.at)
    }

    /// The moment of the first event of this kind on this object.
    pub fn when(&self, kind: EventKind, object: &str) -> Option<Moment> {
        let event = self
            .events
            .iter()
            .find(|event| event.kind == kind && event.object == object);
        event.map(|event| event.at)
    }

    /// Seconds from the creation of each pod that came during the run until it was Ready, in order of creation; `None` for
    /// a pod that was still starting when the run ended. A pod that was taken away before is not among them.
    pub fn times_to_ready(&self) -> Vec<Option<Moment>> {
        let of_kind = |kind| self.events.iter().filter(move |event| event.kind == kind);
        let mut ready: BTreeMap<&str, Moment> = BTreeMap::new();
        for event in of_kind(EventKind::PodReady) {
            ready.entry(&event.object).or_insert(event.at);
        }
        let away: BTreeSet<&str> = of_kind(EventKind::PodTerminating)
            .chain(of_kind(EventKind::PodGone))
            .map(|event| event.object.as_str())
            .collect();
        let created = of_kind(EventKind::PodCreated).filter_map(|event| {
            let object = event.object.as_str();
            match ready.get(object) {
                // Both are seen by one watch, so a pod is never Ready before it is created.
                Some(ready) => Some(Some((ready - event.at).max(0.0))),
                None if away.contains(object) => None,
                None => Some(None),
            }
        });
        created.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_those_last_seen_and_there_are_none_before_the_first_look() {
        let ready = |at: f64, ready: u32| Replicas {
            at,
            ready,
            ..Replicas::default()
        };
        let scaling = Scaling {
            replicas: vec![ready(1.0, 2), ready(5.0, 4), ready(9.0, 3)],
            ..Scaling::default()
        };
        assert_eq!(scaling.replicas_at(0.9), None);
        assert_eq!(scaling.replicas_at(5.0).map(|seen| seen.ready), Some(4));
        assert_eq!(scaling.ready_since(0.0, 3), Some(5.0));
        assert_eq!(scaling.ready_since(6.0, 3), Some(6.0));
        assert_eq!(scaling.ready_since(0.0, 5), None);
    }

    #[test]
    fn a_pod_takes_from_its_creation_to_its_first_readiness() {
        let event = |at: f64, kind, object: &str| Event {
            at,
            kind,
            object: object.to_owned(),
            words: String::new(),
        };
        let scaling = Scaling {
            events: vec![
                event(0.0, EventKind::PodReady, "old"),
                event(1.0, EventKind::PodCreated, "a"),
                event(2.0, EventKind::PodCreated, "taken-away"),
                event(3.0, EventKind::PodCreated, "late"),
                event(9.0, EventKind::PodReady, "a"),
                event(11.0, EventKind::PodUnready, "a"),
                event(14.0, EventKind::PodReady, "a"),
                event(15.0, EventKind::PodTerminating, "taken-away"),
            ],
            ..Scaling::default()
        };
        assert_eq!(scaling.times_to_ready(), [Some(8.0), None]);
    }
}
