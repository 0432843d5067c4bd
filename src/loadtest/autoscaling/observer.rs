//! Collects what is seen of a workload, object by object, into one [`Scaling`]. Only changes are recorded.
//!
//! What is seen before the load begins gets the moment zero. A pod that exists in the first list has no past:
//! it is not recorded when it was created.

mod pod;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::{
    autoscaling::v2::HorizontalPodAutoscaler, core::v1::Pod, policy::v1::PodDisruptionBudget,
};
use serde_json::Value;

use self::pod::Seen;
use super::{memory, ratio};
use crate::model::scaling::{
    Bounds, Budget, Event, EventKind, Memory, MetricSeen, Moment, Replicas, Scaling,
};

/// Ratios that differ by less than this count as equal.
const SAME: f64 = 0.005;

/// Collects what is seen of a workload.
#[derive(Clone, Debug)]
pub struct Observer {
    scaling: Scaling,
    now: Replicas,
    pods: Option<BTreeMap<String, Seen>>,
    conditions: BTreeMap<String, (String, String)>,
    ratios: BTreeMap<String, Option<f64>>,
    recommendation: Option<String>,
    direct: BTreeSet<String>,
}

impl Observer {
    /// An observer of a workload: namespace, scale target, name of its HPA, and its bounds (fewest, most
    /// replicas).
    pub fn new(namespace: &str, target: &str, hpa: &str, bounds: (u32, u32)) -> Self {
        let (min, max) = bounds;
        Self {
            scaling: Scaling {
                namespace: namespace.to_owned(),
                target: target.to_owned(),
                hpa: hpa.to_owned(),
                bounds: Bounds { min, max },
                ..Scaling::default()
            },
            now: Replicas::default(),
            pods: None,
            conditions: BTreeMap::new(),
            ratios: BTreeMap::new(),
            recommendation: None,
            direct: BTreeSet::new(),
        }
    }

    /// Everything that was seen.
    pub fn scaling(&self) -> &Scaling {
        &self.scaling
    }

    /// Replicas as last seen.
    pub fn replicas(&self) -> Replicas {
        self.now
    }

    /// Whether the scale target, its HPA and its pods have been seen.
    pub fn is_complete(&self) -> bool {
        self.pods.is_some() && !self.scaling.replicas.is_empty() && !self.conditions.is_empty()
    }

    /// Ratios of the metrics as last seen.
    pub fn ratios(&self) -> &BTreeMap<String, Option<f64>> {
        &self.ratios
    }

    /// Sets whether the ratio of a metric comes from the metrics API itself, which is sooner than the HPA's
    /// status.
    pub fn read_directly(&mut self, metric: &str, directly: bool) {
        if directly {
            self.direct.insert(metric.to_owned());
        } else {
            self.direct.remove(metric);
        }
    }

    /// The HPA was seen.
    pub fn hpa(&mut self, at: Moment, hpa: &HorizontalPodAutoscaler) {
        let Some(status) = &hpa.status else {
            return;
        };
        for condition in status.conditions.iter().flatten() {
            self.condition(
                at,
                &condition.type_,
                &condition.status,
                condition.reason.as_deref().unwrap_or_default(),
            );
        }
        for (name, ratio) in ratio::of_status(hpa) {
            if !self.direct.contains(&name) {
                self.metric(at, &name, ratio);
            }
        }
        self.now.desired = count(status.desired_replicas);
        self.note(at);
    }

    /// The scale target was seen, with the replicas in its spec.
    pub fn target(&mut self, at: Moment, replicas: u32) {
        self.now.current = replicas;
        self.note(at);
    }

    /// All pods were listed: at first, and after each interruption of the watch.
    pub fn pods(&mut self, at: Moment, pods: &[Pod]) {
        // The pods of the first list existed before; no event is recorded for them.
        let Some(known) = &self.pods else {
            let seen = pods.iter().map(|pod| (pod::name(pod), Seen::of(pod)));
            self.pods = Some(seen.collect());
            self.count(at);
            return;
        };
        // Deletions during an interruption are seen only by absence from the new list.
        let there: BTreeSet<String> = pods.iter().map(pod::name).collect();
        let gone: Vec<String> = known
            .keys()
            .filter(|name| !there.contains(*name))
            .cloned()
            .collect();
        for name in gone {
            self.pod_gone(at, &name);
        }
        for pod in pods {
            self.pod(at, pod);
        }
    }

    /// A pod was seen. Before the first list it is ignored, because it may be old.
    pub fn pod(&mut self, at: Moment, pod: &Pod) {
        let (name, now) = (pod::name(pod), Seen::of(pod));
        // A pod that was replaced under its name while the watch was interrupted is gone, unseen.
        let known = self.pods.as_ref().and_then(|pods| pods.get(&name));
        if known.is_some_and(|known| now.replaces(known)) {
            self.pod_gone(at, &name);
        }
        let Some(pods) = &mut self.pods else {
            return;
        };
        let happened = now.since(pods.get(&name).unwrap_or(&Seen::default()));
        pods.insert(name.clone(), now);
        for kind in happened {
            self.event(at, kind, &name, "");
        }
        self.count(at);
    }

    /// A pod was deleted.
    pub fn pod_gone(&mut self, at: Moment, name: &str) {
        let known = self.pods.as_mut().and_then(|pods| pods.remove(name));
        if known.is_some() {
            self.event(at, EventKind::PodGone, name, "");
            self.count(at);
        }
    }

    /// A metric of the HPA was read: its value divided by its target, or `None` without a value.
    pub fn metric(&mut self, at: Moment, name: &str, ratio: Option<f64>) {
        let same = match (self.ratios.get(name), ratio) {
            (Some(None), None) => true,
            (Some(Some(before)), Some(now)) => (before - now).abs() < SAME,
            _ => false,
        };
        if same {
            return;
        }
        self.ratios.insert(name.to_owned(), ratio);
        self.scaling.metrics.push(MetricSeen {
            at: at.max(0.0),
            name: name.to_owned(),
            ratio,
        });
    }

    /// The PodDisruptionBudget was seen.
    pub fn budget(&mut self, at: Moment, budget: &PodDisruptionBudget) {
        let Some(status) = &budget.status else {
            return;
        };
        let seen = Budget {
            at: at.max(0.0),
            allowed: count(status.disruptions_allowed.unwrap_or(0)),
            wanted: count(status.desired_healthy.unwrap_or(0)),
        };
        let last = self.scaling.budget.last();
        if last.is_some_and(|last| (last.allowed, last.wanted) == (seen.allowed, seen.wanted)) {
            return;
        }
        let first = last.is_none();
        self.scaling.budget.push(seen);
        // The first status is not a change.
        if !first {
            let words = format!("{} may be disrupted, {} have to stay", seen.allowed, seen.wanted);
            let name = budget.metadata.name.clone().unwrap_or_default();
            self.event(at, EventKind::DisruptionRoom, &name, &words);
        }
    }

    /// The VPA was seen, as JSON of the API server.
    pub fn vpa(&mut self, at: Moment, vpa: &Value) {
        let Some(recommended) = recommended(vpa) else {
            return;
        };
        let before = self.recommendation.replace(recommended.clone());
        if before.is_some_and(|before| before != recommended) {
            let name = vpa
                .pointer("/metadata/name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            self.event(at, EventKind::VpaRecommendation, name, &recommended);
        }
    }

    /// The memory of the pods was read, as an answer of `metrics.k8s.io`. An answer without pods is ignored.
    pub fn usage(&mut self, at: Moment, answer: &Value) {
        if let Some(bytes_per_pod) = memory::per_pod(answer) {
            self.scaling.memory.push(Memory {
                at: at.max(0.0),
                bytes_per_pod,
            });
        }
    }

    /// A pod could not be created; `words` is the message of the Event.
    pub fn refused(&mut self, at: Moment, object: &str, words: &str) {
        // The ReplicaSet controller tries again and again. Each message is recorded once.
        let again = |event: &Event| {
            event.kind == EventKind::PodRefused && event.object == object && event.words == words
        };
        if !self.scaling.events.iter().any(again) {
            self.event(at, EventKind::PodRefused, object, words);
        }
    }

    /// A condition of the HPA was seen. The first time is not a change.
    fn condition(&mut self, at: Moment, kind: &str, status: &str, reason: &str) {
        let now = (status.to_owned(), reason.to_owned());
        let before = self.conditions.insert(kind.to_owned(), now.clone());
        if before.is_some_and(|before| before != now) {
            self.event(at, EventKind::HpaCondition, kind, &format!("{status}: {reason}"));
        }
    }

    fn count(&mut self, at: Moment) {
        let ready = self
            .pods
            .iter()
            .flatten()
            .filter(|(_, seen)| seen.is_ready())
            .count();
        self.now.ready = u32::try_from(ready).unwrap_or(u32::MAX);
        self.note(at);
    }

    fn note(&mut self, at: Moment) {
        self.now.at = at.max(0.0);
        match self.scaling.replicas.last_mut() {
            Some(last) if same(*last, self.now) => {}
            // Of several observations of one moment, the last one counts.
            Some(last) if last.at >= self.now.at => *last = self.now,
            _ => self.scaling.replicas.push(self.now),
        }
    }

    fn event(&mut self, at: Moment, kind: EventKind, object: &str, words: &str) {
        self.scaling.events.push(Event {
            at: at.max(0.0),
            kind,
            object: object.to_owned(),
            words: words.to_owned(),
        });
    }
}

fn same(one: Replicas, other: Replicas) -> bool {
    (one.desired, one.current, one.ready) == (other.desired, other.current, other.ready)
}

fn count(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// A recommendation in words: `app: cpu 500m, memory 256Mi; sidecar: ...`.
fn recommended(vpa: &Value) -> Option<String> {
    let containers = vpa.pointer("/status/recommendation/containerRecommendations")?;
    let containers = containers.as_array()?.iter().map(|container| {
        let name = container.get("containerName")?.as_str()?;
        let target = container.get("target")?.as_object()?;
        let amounts = target
            .iter()
            .map(|(resource, amount)| format!("{resource} {}", amount.as_str().unwrap_or_default()));
        Some(format!("{name}: {}", amounts.collect::<Vec<_>>().join(", ")))
    });
    Some(containers.collect::<Option<Vec<_>>>()?.join("; "))
}

#[cfg(test)]
mod tests;
