//! What was seen of a scaling workload during a run, on the clock of the run. The watch of a test writes it
//! down; the judgements beside this module read it.

/// Seconds since the run began.
pub type Moment = f64;

/// What was seen of one workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaling {
    /// Namespace of the scale target.
    pub namespace: String,
    /// The scale target, such as `deployment/api-gateway`.
    pub target: String,
    /// Its HorizontalPodAutoscaler.
    pub hpa: String,
    /// Bounds of that HPA.
    pub bounds: Bounds,
    /// Replicas at each change, in order of time; the first entry is the state at the start.
    pub replicas: Vec<Replicas>,
    /// Metrics of the HPA at each change.
    pub metrics: Vec<MetricSeen>,
    /// Conditions of the HPA at each change, events of pods, and whatever else happened.
    pub events: Vec<Event>,
    /// What the PodDisruptionBudget says, at each change; empty without one.
    pub budget: Vec<Budget>,
    /// Memory of its pods, every few seconds; empty where nobody tells.
    pub memory: Vec<Memory>,
}

/// Replica bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// `minReplicas`.
    pub min: u32,
    /// `maxReplicas`.
    pub max: u32,
}

/// Replicas from one moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Replicas {
    /// From here.
    pub at: Moment,
    /// What the HPA wants.
    pub desired: u32,
    /// What the scale target asks for.
    pub current: u32,
    /// Pods that are Ready.
    pub ready: u32,
}

/// A metric as the HPA's status shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeen {
    /// When.
    pub at: Moment,
    /// The metric's name.
    pub name: String,
    /// Its value over its target; `None` while the HPA has no value.
    pub ratio: Option<f64>,
}

/// Memory at one moment, as the metrics server of Kubernetes tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// When.
    pub at: Moment,
    /// Bytes in use, of a pod on average.
    pub bytes_per_pod: f64,
}

/// The status of a PodDisruptionBudget from one moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// From here.
    pub at: Moment,
    /// Pods that may be disrupted.
    pub allowed: u32,
    /// Pods that have to stay healthy.
    pub wanted: u32,
}

/// Something that happened at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What.
    pub kind: EventKind,
    /// The object, such as a pod's or a condition's name.
    pub object: String,
    /// More about it, for people; may be empty.
    pub words: String,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A pod exists.
    PodCreated,
    /// A pod has a node.
    PodScheduled,
    /// Its containers run.
    PodStarted,
    /// It is Ready.
    PodReady,
    /// It was Ready and is no longer.
    PodUnready,
    /// It is being deleted.
    PodTerminating,
    /// It is gone.
    PodGone,
    /// A condition of the HPA changed.
    HpaCondition,
    /// The VPA recommends something else.
    VpaRecommendation,
    /// The room that the PodDisruptionBudget leaves changed.
    DisruptionRoom,
    /// The quota, or something else, refused a pod.
    PodRefused,
}

impl Scaling {
    /// Replicas at a moment: as they were last seen before. `None` before the first look.
    pub fn replicas_at(&self, at: Moment) -> Option<Replicas> {
        let until = self.replicas.partition_point(|seen| seen.at <= at);
        until
            .checked_sub(1)
            .and_then(|last| self.replicas.get(last))
            .copied()
    }

    /// When first so many pods were Ready, from a moment on.
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

    /// Moments of an event of this kind, by object.
    pub fn when(&self, kind: EventKind, object: &str) -> Option<Moment> {
        let event = self
            .events
            .iter()
            .find(|event| event.kind == kind && event.object == object);
        event.map(|event| event.at)
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
}
