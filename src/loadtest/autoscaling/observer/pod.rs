//! The state of a pod.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::model::scaling::EventKind;

/// What is true of a pod now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The events that have happened.
    happened: BTreeSet<EventKind>,
    /// UID of the pod, which one of the same name after it does not have.
    uid: String,
}

impl Seen {
    pub(super) fn of(pod: &Pod) -> Self {
        let status = pod.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_deref());
        let ready = |one: &&k8s_openapi::api::core::v1::PodCondition| one.type_ == "Ready";
        let ready = conditions.into_iter().flatten().find(ready);
        let containers = status.and_then(|status| status.container_statuses.as_deref());
        let containers = containers.unwrap_or_default();
        let runs = |one: &ContainerStatus| one.state.as_ref().is_some_and(|state| state.running.is_some());
        let terminating = pod.metadata.deletion_timestamp.is_some();
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
        let now = [
            (true, EventKind::PodCreated),
            (node.is_some(), EventKind::PodScheduled),
            (
                !containers.is_empty() && containers.iter().all(runs),
                EventKind::PodStarted,
            ),
            (
                ready.is_some_and(|ready| ready.status == "True") && !terminating,
                EventKind::PodReady,
            ),
            (terminating, EventKind::PodTerminating),
        ];
        let happened = now.into_iter().filter_map(|(so, kind)| so.then_some(kind));
        Self {
            happened: happened.collect(),
            uid: pod.metadata.uid.clone().unwrap_or_default(),
        }
    }

    /// Whether the pod is another one than that of the same name before.
    pub(super) fn replaces(&self, before: &Self) -> bool {
        self.uid != before.uid
    }

    pub(super) fn is_ready(&self) -> bool {
        self.happened.contains(&EventKind::PodReady)
    }

    /// The events since the pod was seen before, in the order in which they happen; all events for a new pod.
    pub(super) fn since(&self, before: &Self) -> Vec<EventKind> {
        let mut happened: Vec<EventKind> = self.happened.difference(&before.happened).copied().collect();
        if before.is_ready() && !self.is_ready() && !self.happened.contains(&EventKind::PodTerminating) {
            happened.push(EventKind::PodUnready);
        }
        happened
    }
}

/// The name of a pod. The watch leaves out objects without a name.
pub(super) fn name(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}
