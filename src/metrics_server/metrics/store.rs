//! The latest state of every shape, in memory. The poller writes it and requests read it.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use super::pod_index::PodIndex;
use vas_core::metrics::{
    freshness::{Failure, PollState},
    promql::{Answer, Refusal, Refused, Shape},
};

/// The latest state of each shape, and the shapes that are not polled.
#[derive(Debug, Default)]
pub struct Store {
    states: RwLock<BTreeMap<Arc<Shape>, Arc<PollState>>>,
    /// Shapes that are not polled, by namespace.
    refused: ArcSwap<Refused>,
}

impl Store {
    /// The state of a shape; `None` until its first poll has ended.
    pub fn get(&self, shape: &Shape) -> Option<Arc<PollState>> {
        self.states.read().get(shape).cloned()
    }

    /// Why a shape is not polled for a namespace; it may be polled for other namespaces.
    pub fn refusal(&self, namespace: &str, shape: &Shape) -> Option<Refusal> {
        self.refused.load().get(namespace)?.get(shape).copied()
    }

    /// Replaces the shapes that are not polled.
    pub fn refuse(&self, refused: Refused) {
        self.refused.store(Arc::new(refused));
    }

    /// Takes in the outcome of a poll. Returns true if the failure changed. Only one poll of a shape runs at
    /// a time, so the new state is computed without the lock that reads wait for.
    pub fn record(&self, shape: &Arc<Shape>, outcome: Result<Answer, Failure>, pods: &PodIndex) -> bool {
        let before = self.get(shape);
        let mut state = before.as_deref().cloned().unwrap_or_default();
        let changed = state.record(shape, outcome, &|namespace, pod| pods.number(namespace, pod));
        self.states.write().insert(shape.clone(), Arc::new(state));
        changed
    }

    /// Whether the server of a shape answers others. Of its other shapes that were ever answered, at most
    /// half may have failed in their latest poll. If there are none, the answer is yes.
    pub fn answers_others(&self, shape: &Shape) -> bool {
        let states = self.states.read();
        let others = states.iter().filter(|(other, state)| {
            other.server == shape.server && ***other != *shape && state.answer.is_some()
        });
        let (failing, answered): (Vec<_>, Vec<_>) = others.partition(|(_, state)| state.failure.is_some());
        failing.len() <= answered.len()
    }

    /// Removes the shapes that no resource needs any more.
    pub fn retain(&self, wanted: impl Fn(&Shape) -> bool) {
        self.states.write().retain(|shape, _| wanted(shape));
    }
}
