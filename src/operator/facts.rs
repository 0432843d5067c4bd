//! What the operator's caches know of each resource.

use std::{collections::BTreeMap, sync::Arc};

use kube::Resource;

use crate::{
    cache::{Indexed, Term},
    stored::Stored,
};
use vas_api::condition::METRICS_AVAILABLE;
use vas_core::{k8s::resource_ref::ResourceRef, reconcile::observed::Claim};

/// The part of a resource that other resources depend on, or whose change needs a reconcile. A change of
/// anything else, such as the operator's own write of the status, triggers nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What the resource lays claim to; `None` while the resource is being deleted or does not parse.
    pub(crate) claim: Option<Arc<Claim>>,
    uid: String,
    generation: i64,
    /// The annotations that suspend. A change of an annotation does not change the generation.
    annotations: Option<BTreeMap<String, String>>,
    deleting: bool,
    /// Status, reason and observed generation of the condition that the metrics server writes.
    metrics_available: Option<(String, String, Option<i64>)>,
}

impl Indexed for Facts {
    fn all_of(&self) -> Vec<Term<'_>> {
        let targets = self.claim.iter().flat_map(|claim| &claim.targets);
        targets.map(Term::Target).collect()
    }

    fn one_of(&self) -> Vec<Term<'_>> {
        Vec::new()
    }
}

impl Facts {
    /// The facts of a stored resource.
    pub(crate) fn of(resource: &ResourceRef, stored: &Stored) -> Self {
        let metadata = stored.meta();
        let object = stored.object().ok();
        let deleting = metadata.deletion_timestamp.is_some();
        Self {
            uid: resource.uid.clone(),
            generation: resource.generation,
            annotations: metadata.annotations.clone(),
            deleting,
            claim: object
                .as_ref()
                .filter(|_| !deleting)
                .map(|object| Arc::new(Claim::of(resource, object))),
            metrics_available: object
                .and_then(|object| object.status)
                .and_then(|status| status.conditions)
                .and_then(|conditions| conditions.into_iter().find(|one| one.type_ == METRICS_AVAILABLE))
                .map(|condition| (condition.status, condition.reason, condition.observed_generation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn facts_with(condition: &Value, annotations: &Value) -> Facts {
        let object: Stored = serde_json::from_value(json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1",
            "kind": "VoiceAssistScaling",
            "metadata": {"namespace": "ns", "name": "v", "uid": "1", "generation": 2, "annotations": annotations},
            "spec": {"workloads": []},
            "status": {"conditions": [condition]},
        }))
        .unwrap();
        Facts::of(&ResourceRef::of(object.meta()).unwrap(), &object)
    }

    #[test]
    fn a_suspension_is_news_and_no_other_annotation_is() {
        let condition = json!({"type": "Ready", "status": "True", "reason": "Ready", "message": "",
                               "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let with = |annotations: Value| facts_with(&condition, &annotations);
        let none = with(json!({}));
        assert_eq!(
            none,
            with(json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"}))
        );
        let suspended = with(json!({"scaling.voiceassist.io/suspend": "workloads=a"}));
        assert_ne!(none, suspended);
        assert_ne!(suspended, with(json!({"scaling.voiceassist.io/suspend": ""})));
        assert_ne!(
            suspended,
            with(json!({"scaling.voiceassist.io/suspend.ben": "workloads=a"}))
        );
    }

    #[test]
    fn the_metrics_servers_verdict_on_a_newer_spec_is_news_and_its_message_is_none() {
        let condition = |generation: i64, message: &str| {
            json!({"type": METRICS_AVAILABLE, "status": "True", "reason": "MetricsFresh", "message": message,
                   "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let facts_with = |condition: &Value| facts_with(condition, &json!({}));
        let before = facts_with(&condition(1, "1 metric"));
        assert_eq!(before, facts_with(&condition(1, "2 metrics")));
        assert_ne!(before, facts_with(&condition(2, "1 metric")));
    }
}
