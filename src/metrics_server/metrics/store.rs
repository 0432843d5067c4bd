//! What is known of every shape, in memory: written by the poller, read by requests.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use super::pod_index::PodIndex;
use crate::core::metrics::{
    freshness::{Failure, PollState},
    promql::{Answer, Refusal, Refused, Shape},
};

/// The latest outcome of each shape.
#[derive(Debug, Default)]
pub struct Store {
    states: RwLock<BTreeMap<Arc<Shape>, Arc<PollState>>>,
    /// What is not asked, for which namespaces.
    refused: ArcSwap<Refused>,
}

impl Store {
    /// What is known of a shape; `None` before its first poll ended.
    pub fn get(&self, shape: &Shape) -> Option<Arc<PollState>> {
        self.states.read().get(shape).cloned()
    }

    /// Why a shape is not asked for a namespace, whether or not it is for others.
    pub fn refusal(&self, namespace: &str, shape: &Shape) -> Option<Refusal> {
        self.refused.load().get(namespace)?.get(shape).copied()
    }

    /// Replaces what is not asked.
    pub fn refuse(&self, refused: Refused) {
        self.refused.store(Arc::new(refused));
    }

    /// Takes in the outcome of a poll. True if what is wrong changed. Only one poll of a shape runs at a time,
    /// so the new state is made outside of the lock that reads wait for.
    pub fn record(&self, shape: &Arc<Shape>, outcome: Result<Answer, Failure>, pods: &PodIndex) -> bool {
        let before = self.get(shape);
        let mut state = before.as_deref().cloned().unwrap_or_default();
        let changed = state.record(shape, outcome, &|namespace, pod| pods.number(namespace, pod));
        self.states.write().insert(shape.clone(), Arc::new(state));
        changed
    }

    /// Whether the server of a shape otherwise answers: of its other shapes that were ever answered, most were by
    /// their latest poll. Where there are none, nothing speaks against it.
    pub fn answers_others(&self, shape: &Shape) -> bool {
        let states = self.states.read();
        let others = states.iter().filter(|(other, state)| {
            other.server == shape.server && ***other != *shape && state.answer.is_some()
        });
        let (failing, answered): (Vec<_>, Vec<_>) = others.partition(|(_, state)| state.failure.is_some());
        failing.len() <= answered.len()
    }

    /// Forgets the shapes that nobody asks for any more.
    pub fn retain(&self, wanted: impl Fn(&Shape) -> bool) {
        self.states.write().retain(|shape, _| wanted(shape));
    }
}
