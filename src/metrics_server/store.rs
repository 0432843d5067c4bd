//! What is known of every shape, in memory: written by the poller, read by requests.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;

use crate::core::{
    promql::{Answer, Shape},
    reading::{Failure, PollState},
};

/// The latest outcome of each shape.
#[derive(Debug, Default)]
pub struct Store {
    states: RwLock<BTreeMap<Arc<Shape>, PollState>>,
}

impl Store {
    /// What is known of a shape; `None` before its first poll ended.
    pub fn get(&self, shape: &Shape) -> Option<PollState> {
        self.states.read().get(shape).cloned()
    }

    /// Takes in the outcome of a poll. True if what is wrong changed.
    pub fn record(&self, shape: &Arc<Shape>, outcome: Result<Answer, Failure>) -> bool {
        let mut states = self.states.write();
        states.entry(shape.clone()).or_default().record(shape, outcome)
    }

    /// Forgets the shapes that nobody asks for any more.
    pub fn retain(&self, wanted: impl Fn(&Shape) -> bool) {
        self.states.write().retain(|shape, _| wanted(shape));
    }
}
